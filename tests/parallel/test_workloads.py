"""What holds for every workload: repeatable, cut as one likes, the same on many workers, learnt."""

import hashlib
import math
from collections import Counter

import numpy as np
import pytest
import torch

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.equality import largest_difference, quality_after
from amdahl_lab.parallel.experiments import training_scaling
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import ShardedLoading, Text, Workload, clicks, digits, text
from amdahl_lab.storage import load_run, save_run

BATCH = 11  # 2 and 3 workers do not divide it
MAKERS = {"digits": digits, "text": text, "clicks": clicks}
every_workload = pytest.mark.parametrize("name", MAKERS)


def fingerprint(workload: Workload) -> str:
    """Hash a model's parameters, two batches, the loss on one and the quality."""
    model = workload.model()
    tensors = [*model.parameters(), *workload.load(0), *workload.load(7)]
    tensors += [workload.loss(model, workload.load(0)), torch.tensor(workload.quality(model))]
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().contiguous().numpy().tobytes())
    return found.hexdigest()


@every_workload
def test_every_process_holds_the_same(name):
    def there(sent: Workload) -> list[str]:
        return [fingerprint(each) for each in (sent, MAKERS[name]("small", BATCH, 1))]

    torch.manual_seed(0)
    np.random.seed(0)
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    workload = MAKERS[name]("small", BATCH, 1)
    here = fingerprint(workload)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert run_ranks(there, 1, workload, seed=5) == [[here, here]]
    assert here != fingerprint(MAKERS[name]("small", BATCH, 2))


@every_workload
def test_a_share_is_cut_from_the_same_batch(name):
    workload = MAKERS[name]("small", BATCH, 3)
    whole = workload.load(5)
    assert all(len(tensor) == BATCH for tensor in whole)
    assert not torch.equal(whole[0], workload.load(6)[0])
    for rows in (slice(0, 4), slice(4, 8), slice(8, BATCH), slice(2, 2), np.array([9, 0, 9])):
        for tensor, share in zip(whole, workload.load(5, rows), strict=True):
            assert share.dtype == tensor.dtype
            assert torch.equal(share, tensor[rows])


def test_with_sharded_loading_a_rank_loads_its_share_and_no_more():
    def loaded(plain: Text) -> list[int]:
        asked = []

        class Watched(Text):
            def load(self, step, rows=slice(None)):
                batch = super().load(step, rows)
                asked.append(len(batch[0]))
                return batch

        workload = ShardedLoading(Watched(**vars(plain)))
        model = workload.model()
        training = DataParallel(model, workload.optimizer(model), workload.loss)
        for step in range(2):
            training.step(workload.load(step))
        return asked

    assert run_ranks(loaded, 3, text("small", BATCH)) == [[4, 4], [4, 4], [3, 3]]


# A step in another order of summation differs in the last bits of a float32. One sample in eleven
# weighed wrongly would show from 1e-3 on (`test_a_wrong_weight_would_show`).
TOLERANCE = 5e-5
CASES = {
    "digits": lambda: digits("small", BATCH),
    "text": lambda: text("small", BATCH),
    "text tied": lambda: text("small", BATCH, tied=True),
    "clicks, sharded loading": lambda: ShardedLoading(clicks("small", BATCH)),
}


@pytest.mark.parametrize("case", CASES)
def test_on_one_two_and_three_workers_it_equals_the_serial_run(case):
    difference = largest_difference(CASES[case](), (1, 2, 3), steps=5)
    assert set(difference) == {1, 2, 3}
    assert max(difference.values()) < TOLERANCE


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_weight_would_show(case):
    """Leave the last of eleven samples out: the parameters move off by far more than rounding."""
    workload = CASES[case]()

    def moved(rows: slice) -> torch.Tensor:
        model = workload.model()
        optimizer = workload.optimizer(model)
        for step in range(5):
            optimizer.zero_grad()
            batch = tuple(tensor[rows] for tensor in workload.load(step))
            workload.loss(model, batch).backward()
            optimizer.step()
        return torch.cat([each.detach().flatten() for each in model.parameters()])

    difference = (moved(slice(BATCH)) - moved(slice(BATCH - 1))).abs().max()
    assert difference > 20 * TOLERANCE


def test_sharded_loading_computes_what_careless_loading_does():
    plain = clicks("small", BATCH)
    careful = ShardedLoading(plain)
    assert careful.configuration == plain.configuration
    assert (careful.name, careful.seed) == ("clicks_sharded_loading", plain.seed)
    assert quality_after(3, 1, careful) == quality_after(3, 1, plain)


def trained(workload: Workload, steps: int) -> tuple[list[float], float]:
    model = workload.model()
    optimizer = workload.optimizer(model)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = workload.loss(model, workload.load(step))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, workload.quality(model)


def test_training_reads_nine_of_ten_unseen_digits():
    ((losses, accuracy),) = run_ranks(trained, 1, digits("small", batch=256), 250)
    assert np.mean(losses[:10]) > 2.2  # ln 10 = 2.3 is knowing nothing
    assert np.mean(losses[-10:]) < 0.25
    assert accuracy > 0.9


def test_training_predicts_unseen_text_better_than_any_odds_without_context():
    workload = text("small", batch=16)
    ((losses, bits),) = run_ranks(trained, 1, workload, 250)
    shares = np.array(list(Counter(workload.held_out).values())) / len(workload.held_out)
    without_context = -(shares * np.log2(shares)).sum()  # the best that fixed odds could do
    assert abs(losses[0] - math.log(96)) < 0.1  # at the start it knows nothing
    assert np.mean(losses[-20:]) < 4.0 * math.log(2)
    assert bits < 4.0 < without_context


def test_training_learns_two_fifths_of_what_can_be_known_about_clicks():
    workload = clicks("small", batch=1024)
    ((losses, share),) = run_ranks(trained, 1, workload, 200)
    mean, best = workload.log_loss_bounds
    assert losses[0] > mean  # at the start it does not even know how many click
    assert best < np.mean(losses[-20:]) < 0.42 < mean
    assert 0.4 < share < 1


@pytest.mark.parametrize("workload", [text("small", 4), ShardedLoading(clicks("small", 40))])
def test_the_scaling_experiment_takes_any_workload(workload, tmp_path):
    run = training_scaling(workload, (1, 2), 2, steps=1, progress=False)
    assert run.experiment == f"{workload.name}_data_parallel"
    assert run.workers == (1, 2)
    assert run.phases == ("step", "compute", "serial", "communication")
    assert run.parameters["size"] == "small"
    assert run.parameters["batch"] == workload.batch
    save_run(run, tmp_path / "run.json")
    assert load_run(tmp_path / "run.json") == run


def test_the_experiment_refuses_no_step():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        training_scaling(text("small"), steps=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: text("huge"), "size must be one of small, medium, wide, deep, got 'huge'"),
        (lambda: clicks("deep"), "size must be one of small, medium, wide, got 'deep'"),
        (lambda: text(batch=0), "batch must be at least 1, got 0"),
        (lambda: clicks(batch=-1), "batch must be at least 1, got -1"),
    ],
)
def test_what_does_not_exist_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
