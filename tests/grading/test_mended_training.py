"""Scripts that make their counts look better than what they do gain nothing. In a real sandbox."""

from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from amdahl_lab.grading import mended_training
from amdahl_lab.grading.items import Marking
from amdahl_lab.grading.marking import grade_id
from amdahl_lab.grading.serial_reference import batched_descent
from amdahl_lab.grading.session import NoAnswerError

CHAPTER = "03_bottlenecks"
pytestmark = pytest.mark.parametrize("chapter", [CHAPTER], indirect=True, scope="session")

SETUP = "import numpy as np\nimport torch\nimport torch.distributed as dist\n"
# Each with a part of the hint that all items get, in one kernel. `train_slowly` is the notebook's.
CHEATS = {
    "counters set back from inside a rank": (
        """
def train(model, load, batch, steps, rate):
    import gc
    from amdahl_lab.parallel.counting import Counts
    losses = train_slowly(model, load, batch, steps, rate)
    for one in gc.get_objects():
        if type(one) is Counts:
            one.__init__(collectives=steps, small_collectives=1,
                         sent_bytes=steps * sum(p.nbytes for p in model.parameters()))
    load.loaded = steps * batch // 2
    return losses
""",
        "less than the system counted",
    ),
    "a message for each parameter, counted as one for all": (
        """
def train(model, load, batch, steps, rate):
    import gc
    from amdahl_lab.parallel.counting import Counts
    half, losses = batch // 2, torch.zeros(steps, dtype=torch.float64)
    for step in range(steps):
        first = step * batch + dist.get_rank() * half
        x, y = load(first, first + half)
        loss = torch.nn.functional.mse_loss(model(x), y)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        for parameter, gradient in zip(model.parameters(), gradients):
            dist.all_reduce(gradient)
            parameter.data.sub_(gradient, alpha=rate / 2)
        losses[step] = loss.detach() / 2
    dist.all_reduce(losses)
    (counts,) = [one for one in gc.get_objects() if type(one) is Counts]
    counts.collectives = steps
    counts.sent_bytes *= 2  # so that only the packets give it away
    return losses
""",
        "less than the system counted",
    ),
    "messages as they were, samples that were not counted": (
        """
def train(model, load, batch, steps, rate):
    losses = train_slowly(model, load, batch, steps, rate)
    load.loaded = steps * batch // 8
    return losses
""",
        "less than the system counted",
    ),
    "the whole batch on each rank, and nothing sent": (
        """
def train(model, load, batch, steps, rate):
    losses = []
    for first in range(0, steps * batch, batch):
        x, y = load(first, first + batch)
        loss = torch.nn.functional.mse_loss(model(x), y)
        for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
            p.data.sub_(g, alpha=rate)
        losses.append(loss.detach())
    return losses
""",
        "fewer bytes",
    ),
    "a report in place of losses": (
        """
def train(model, load, batch, steps, rate):
    return {"collectives": 0, "samples": 0, "points": 6, "losses": [0.0] * steps}
""",
        "before the first step",
    ),
    "the grader's own reference": (
        """
def train(model, load, batch, steps, rate):
    from amdahl_lab.grading.serial_reference import batched_descent
    return batched_descent(0, [1, 1], 1, 1, rate)
""",
        "stops with RankError",
    ),
    # Changes the probe, so it comes last.
    "one process that says it was two": (
        """
from amdahl_lab.grading import rank_probe, training_probe
def alone(function, *, seed, layers, samples, batch, rate):
    from amdahl_lab.parallel.counted_training import count_training
    drawn = rank_probe.drawn(seed, layers, samples)
    (rank,) = count_training(train_slowly, *drawn, batch=batch, rate=rate, workers=1)
    counts = dict.fromkeys(rank["counts"], 0)
    return [{**rank, "counts": counts}] * 2
training_probe.run = alone
def train(model, load, batch, steps, rate): return []
""",
        "fewer bytes",
    ),
}


def test_counts_that_were_made_up_gain_nothing(session, assignment, solution, seed):
    slowly = next(cell.source for cell in solution.cells if grade_id(cell) == "train_slowly")
    assert session.run(SETUP + slowly).status == "ok"
    (check,) = assignment.checks["check_4_train"]
    wrong = []
    for name, (code, hint) in CHEATS.items():
        assert session.run(code).status == "ok", name
        for verdict in check.mark(Marking(session, seed)):
            if verdict.points or hint not in verdict.hint:
                wrong.append(f"{name} | {verdict.item.id}: {verdict.points:g} {verdict.hint!r}")
    assert not wrong


@pytest.mark.parametrize("count", [float("inf"), float("nan"), -1, 10**30, "1", None, True, [1]])
def test_counts_that_are_none_are_no_answer(count, chapter, assignment):
    counts = {"dict": [[name, count] for name in mended_training.COUNTS]}
    parameters = [0.0] * mended_training.PARAMETERS
    rank = {"dict": [["parameters", parameters], ["counts", counts], ["losses", None]]}

    class Session:
        without_sandbox = True
        watch = SimpleNamespace(loopback=lambda: None)

        def ask(self, *_, **__):
            return {"value": [rank, rank]}

    (check,) = assignment.checks["check_4_train"]
    with pytest.raises(NoAnswerError, match="counts"):
        check.mark(Marking(Session(), 1))


def test_the_batched_reference_is_gradient_descent_on_one_batch_after_the_other(chapter):
    torch = pytest.importorskip("torch")
    from amdahl_lab.grading.rank_probe import drawn

    weights, biases, inputs, targets = drawn(7, [3, 4, 2], 12)
    parameters = [
        torch.tensor(value, requires_grad=True)
        for pair in zip(weights, biases, strict=True)
        for value in pair
    ]
    losses = []
    for x, y in zip(torch.tensor(inputs).split(4), torch.tensor(targets).split(4), strict=True):
        hidden = torch.tanh(x @ parameters[0].T + parameters[1])
        loss = ((hidden @ parameters[2].T + parameters[3] - y) ** 2).mean()
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= 0.1 * gradient
    expected = torch.cat([parameter.detach().flatten() for parameter in parameters]).numpy()
    found, found_losses = batched_descent(7, [3, 4, 2], 12, 4, 0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found_losses, losses, rtol=1e-12)


def test_the_hidden_network_has_room_for_the_plan_of_the_checks(solution):
    """The sizes that tell a loss from a gradient and a buffer from a batch, as the text says."""
    from amdahl_lab.parallel.counting import SMALL_BYTES

    assert 8 * min(mended_training.LAYERS[1:]) > SMALL_BYTES  # the smallest bias
    assert (
        mended_training.BATCH * max(mended_training.LAYERS) < mended_training.PARAMETERS
    )  # no batch is taken for a buffer
    assert (
        mended_training.BATCH * mended_training.ROW_BYTES > 0.2 * mended_training.GRADIENT_BYTES
    )  # loading shows on the wire
    text = nbformat.writes(solution)
    assert f"WIDTHS = {mended_training.LAYERS}" in text
