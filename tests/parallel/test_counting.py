"""Counts of what training does are those that can be read off the script."""

import numpy as np
import pytest
import torch
import torch.distributed as dist

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.counted_training import count_training
from amdahl_lab.parallel.counting import Counting
from amdahl_lab.parallel.sample_store import stored

BIG = 1000


def counted(body):
    with Counting(buffer_bytes=8 * BIG) as counting:
        body()
    return {name: value for name, value in vars(counting.counts).items() if value}


def one_number():
    return torch.ones(1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda: one_number().item(), {"numbers": 1}),
        (lambda: float(one_number()) + int(one_number()), {"numbers": 2}),
        (lambda: f"{one_number()[0]:.2f}", {"numbers": 1}),
        (lambda: bool(one_number() > 0), {"numbers": 1}),
        (lambda: torch.ones(3).tolist(), {"arrays": 1}),
        (lambda: np.asarray(torch.ones(3)), {"arrays": 1}),
        (lambda: [float(value) for value in torch.ones(3)], {"numbers": 3}),
        (lambda: (torch.ones(3) * 2).sum(), {}),
    ],
)
def test_what_is_taken_out_of_torch_is_counted(body, expected):
    assert counted(body) == expected


def test_new_large_tensors_are_counted_and_views_and_results_in_place_are_not():
    double = torch.float64
    buffer = torch.zeros(BIG, dtype=double)
    half = torch.ones(BIG // 2, dtype=double)

    def reused():
        buffer.zero_()
        buffer[: BIG // 2].copy_(half)
        torch.cat([half, half], out=buffer)
        buffer.div_(2)
        buffer.view(2, -1).sum(0)

    def made_anew():
        torch.cat([half, half])
        torch.zeros(BIG, dtype=double)
        torch.tensor([0.0] * BIG, dtype=double)
        torch.from_numpy(np.ones(BIG))
        buffer / 2

    assert counted(reused) == {}
    assert counted(made_anew) == {"buffers": 5}


def collective_counts():
    big, small = torch.ones(BIG, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    with Counting(buffer_bytes=10**9) as counting:
        dist.all_reduce(big)
        dist.all_reduce(big, async_op=True).wait()
        dist.all_reduce(small)
        dist.broadcast(big, 0)
        dist.barrier()
        dist.send(big, 1) if dist.get_rank() == 0 else dist.recv(big, 0)
    return vars(counting.counts)


def test_collectives_are_counted_by_size_and_kind():
    first, second = run_ranks(collective_counts, 2)
    expected = {"collectives": 3, "small_collectives": 1, "broadcasts": 1, "barriers": 1}
    assert {name: first[name] for name in expected} == expected
    assert second["collectives"] == 2  # the receiver of a message sends nothing
    assert first["sent_bytes"] == 4 * 8 * BIG + 16
    assert second["sent_bytes"] == 2 * 8 * BIG + 16  # nor does who listens to a broadcast


def read_rows(loader):
    first, last = (0, 2) if dist.get_rank() == 0 else (2, 5)
    x, y = loader(first, last)
    loader.close()
    return x.tolist(), y.tolist(), loader.loaded


def test_a_store_gives_the_rows_asked_for_and_counts_them():
    inputs, targets = np.arange(15.0).reshape(5, 3), np.arange(5.0)[:, None]
    with stored(inputs, targets) as loader:
        first, second = run_ranks(read_rows, 2, loader)
        with pytest.raises(ValueError, match="last <= 5"):
            loader(3, 6)
    assert first == (inputs[:2].tolist(), targets[:2].tolist(), 2)
    assert second == (inputs[2:].tolist(), targets[2:].tolist(), 3)
    with pytest.raises(ValueError, match="targets must be 5"), stored(inputs, targets[:4]):
        pass


def descend(model, load, batch, steps, rate):
    losses = []
    for step in range(steps):
        x, y = load(step * batch, (step + 1) * batch)
        loss = torch.nn.functional.mse_loss(model(x), y)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter -= rate * gradient
        losses.append(loss.item())
    torch.cat([p.flatten() for p in model.parameters()]).tolist()
    return losses


def test_training_ends_where_a_line_can_be_worked_out_by_hand():
    """One weight, one bias, one sample a step: y = w x + b, loss (y - t)^2."""
    x, t, w, b, rate = [1.0, -2.0, 0.5], [0.3, 0.1, -0.2], 0.4, 0.1, 0.1
    weights, biases = [np.array([[w]])], [np.array([b])]
    losses = []
    for one, target in zip(x, t, strict=True):
        missed = w * one + b - target
        losses.append(missed**2)
        w, b = w - rate * 2 * missed * one, b - rate * 2 * missed
    (rank,) = count_training(
        descend, weights, biases, np.c_[x], np.c_[t], batch=1, rate=rate, workers=1
    )
    np.testing.assert_allclose(rank["parameters"], [w, b], rtol=1e-12)
    np.testing.assert_allclose(rank["losses"], losses, rtol=1e-12)
    counts = rank["counts"]
    assert (counts["samples"], counts["loads"]) == (3, 3)
    # The loss of the last step and what follows it hold no step up.
    assert (counts["numbers"], counts["arrays"]) == (2, 0)
