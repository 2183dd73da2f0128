"""Growing resources: work is shared, kills spoil nothing, batches and bits do what is said."""

import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.failures import RankError
from amdahl_lab.parallel.growing import batches, checkpoints, killed, precision, studies, uneven
from amdahl_lab.parallel.growing.killed import Kill, train_on
from amdahl_lab.parallel.workloads import digits
from amdahl_lab.parallel.workloads.shaped import shaped


def test_a_killed_and_resumed_run_equals_an_unbroken_one_bit_for_bit(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken one"
    whole.mkdir()
    broken.mkdir()
    unbroken = train_on(2, whole, 12, 5)
    lost = train_on(2, broken, 12, 5, Kill(rank=1, step=8))
    assert isinstance(lost, RankError)
    assert lost.rank == 1
    resumed = train_on(2, broken, 12, 5)
    assert resumed.first == 5
    assert resumed.fingerprint == unbroken.fingerprint
    assert [resumed.losses[k] for k in range(5, 12)] == [unbroken.losses[k] for k in range(5, 12)]
    first, second = checkpoints.latest_checkpoint(whole)["random"]
    assert not torch.equal(first, second)  # each rank drops neurons of its own


def test_killed_between_the_bytes_and_the_name_the_last_checkpoint_stands(tmp_path):
    lost = train_on(1, tmp_path, 12, 4, Kill(rank=0, step=8, place="checkpoint"))
    assert isinstance(lost, RankError)
    assert checkpoints.latest_checkpoint(tmp_path)["step"] == 4
    assert [path.name for path in tmp_path.glob("*.unfinished")] == ["00000008.unfinished"]
    assert train_on(1, tmp_path, 12, 4).first == 4


def test_an_unbroken_run_is_repeatable_and_dropping_depends_on_the_random_numbers(tmp_path):
    folders = [tmp_path / name for name in ("first", "second", "other")]
    for folder in folders:
        folder.mkdir()
    prints = [
        train_on(1, folder, 3, 9, seed=k // 2).fingerprint for k, folder in enumerate(folders)
    ]
    assert prints[0] == prints[1] != prints[2]


def test_a_checkpoint_holds_data_and_cannot_bring_code(tmp_path):
    assert checkpoints.latest_checkpoint(tmp_path) is None
    path = checkpoints.write_checkpoint(tmp_path, 3, {"a": torch.arange(3), "b": [1, "x"]})
    read = checkpoints.latest_checkpoint(tmp_path)
    assert path.name == "00000003.checkpoint"
    assert read["b"] == [1, "x"]
    assert read["a"].tolist() == [0, 1, 2]
    torch.save({"step": 9, "code": subprocess.Popen}, tmp_path / "00000009.checkpoint")
    with pytest.raises(Exception, match="weights_only|Unsupported"):
        checkpoints.latest_checkpoint(tmp_path)


def test_a_checkpoint_gets_its_name_after_its_bytes_are_on_the_disk(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, name=name, real=real: (done.append(name), real(*args))[1]
        )
    checkpoints.write_checkpoint(tmp_path, 1, {"a": 1}, lambda: done.append("between"))
    assert done[:3] == ["fsync", "between", "replace"]
    assert done[3:] == (["fsync"] if hasattr(os, "O_DIRECTORY") else [])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_process_killed_while_it_writes_leaves_the_old_file_whole(tmp_path):
    checkpoints.write_checkpoint(tmp_path, 1, {"value": 1})
    before = hashlib.sha256((tmp_path / "00000001.checkpoint").read_bytes()).hexdigest()
    code = (
        "import os, signal, sys\n"
        "from amdahl_lab.parallel.growing.checkpoints import write_checkpoint\n"
        "write_checkpoint(sys.argv[1], 2, {'value': 2}, lambda: os.kill(os.getpid(), 9))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert checkpoints.latest_checkpoint(tmp_path)["value"] == 1
    assert hashlib.sha256((tmp_path / "00000001.checkpoint").read_bytes()).hexdigest() == before


def test_the_fingerprint_tells_one_bit_and_one_name_apart():
    state = {"a": torch.zeros(3), "b": {"c": 1}}
    other = {"a": torch.tensor([0.0, 0.0, -0.0]), "b": {"c": 1}}  # equal as numbers
    renamed = {"a": torch.zeros(3), "b": {"d": 1}}
    assert len({killed.fingerprint(each) for each in (state, other, renamed)}) == 3
    assert killed.fingerprint(state) == killed.fingerprint(dict(reversed(state.items())))


def test_shuffled_batches_go_through_all_samples_once_and_can_be_continued():
    order = killed.Shuffled(10, 3, seed=1)
    epoch = torch.cat([order.draw() for _ in range(3)])
    assert len(set(epoch.tolist())) == 9
    state = {k: v.clone() if hasattr(v, "clone") else v for k, v in order.state().items()}
    after = [order.draw().tolist() for _ in range(5)]
    other = killed.Shuffled(10, 3, seed=2)
    other.restore(state)
    assert [other.draw().tolist() for _ in range(5)] == after


def test_ranks_work_off_every_piece_once():
    def taken():
        return list(uneven._taken("all", np.arange(30)[::-1]))

    ranks = run_ranks(taken, 3)
    assert sorted(piece for rank in ranks for piece in rank) == list(range(30))


def test_every_way_works_off_every_piece_once_between_the_ranks():
    drawn = [50, 80, 40, 70, 60]

    def worked():
        order = []
        uneven.attend = order.append  # in this rank's process only
        uneven.uneven_block(drawn, uneven.WAYS)
        return order

    together = sum((Counter(order) for order in run_ranks(worked, 2)), Counter())
    # Each rank warms up and times every piece by itself; then each way, together, takes it once.
    assert together == dict.fromkeys(drawn, 2 * (1 + uneven.REPEATS) + 3 * uneven.REPEATS)
    (alone,) = run_ranks(worked, 1)
    assert alone[-5 * uneven.REPEATS :: uneven.REPEATS] == [80, 70, 60, 50, 40]


def test_no_schedule_is_predicted_to_beat_the_even_share():
    run = uneven.uneven_run(rounds=3, pieces=16, progress=False)
    share = run.seconds(2, "even share")
    for way in uneven.WAYS:
        predicted = run.seconds(2, f"{way}, predicted")
        assert (predicted >= share * (1 - 1e-12)).all()
        assert (run.seconds(2, way) > 0).all()
    with pytest.raises(ValueError, match="pieces must be at least 1, got 0"):
        uneven.uneven_run(rounds=2, pieces=0)


def test_lengths_are_within_bounds_and_refuse_what_is_none():
    drawn = uneven.lengths(500, 3.0)
    assert drawn.min() == uneven.SHORTEST
    assert drawn.max() == uneven.LONGEST
    assert len(set(uneven.lengths(20, 0.0))) == 1
    with pytest.raises(ValueError, match="pieces must be at least 1, got 0"):
        uneven.lengths(0, 1.0)
    with pytest.raises(ValueError, match="spread must be at least 0, got -1"):
        uneven.lengths(5, -1)


def test_each_worker_loads_its_own_share_and_together_they_load_the_batch():
    class Watched:
        def __init__(self):
            self.inner, self.seen = digits("small", 7, 0), set()

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def load(self, number, mine):
            self.seen.update(range(mine.start, mine.stop))
            return self.inner.load(number, mine)

    def loaded():
        workload = Watched()
        studies.share_block(workload, 1)
        return sorted(workload.seen)

    assert run_ranks(loaded, 2) == [[0, 1, 2, 3], [4, 5, 6]]


def test_the_studies_divide_the_work_or_let_it_grow():
    strong = studies.strong_study((1, 2), rounds=2, batch=64, steps=1, progress=False)
    weak = studies.weak_study((1, 2), rounds=2, batch_per_worker=32, steps=1, progress=False)
    assert strong.parameters["batch"] == 64
    assert weak.parameters["batch_per_worker"] == 32
    assert strong.phases == weak.phases == ("step", "compute", "serial")
    with pytest.raises(ValueError, match="batch must hold an image for each of 2 workers, got 1"):
        studies.strong_study((1, 2), rounds=2, batch=1)


def test_a_larger_batch_never_needs_many_more_steps_and_far_fewer_than_in_proportion():
    small = batches.steps_to_loss(16, [0.3], range(3), target=0.9)
    large = batches.steps_to_loss(256, [0.3], range(3), target=0.9)
    assert np.isfinite(small).all()
    assert large.mean() < small.mean() * 1.2
    assert 256 * large.mean() > 2 * 16 * small.mean()


def test_a_batch_gets_the_best_rate_of_the_list_on_seeds_that_are_not_counted(monkeypatch):
    asked = []

    def invented(batch, rates, seeds, target):
        asked.append(set(seeds))
        steps = {rate: 30.0 if rate == 0.45 else 40.0 for rate in batches.RATES}
        return np.array([[steps[rate]] * len(seeds) for rate in rates])

    monkeypatch.setattr(batches, "steps_to_loss", invented)
    assert batches._measured_batch(8, None, 3, 0.2) == (0.45, [30.0] * 3)
    trial, counted = asked
    assert counted == {0, 1, 2}
    assert not trial & counted


def test_steps_are_those_of_a_plain_loop():
    """One seed, against the same training written with torch's own modules."""
    images, labels = batches._training_images()
    first, bias, second, shift = batches._parameters(4)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, batches.HIDDEN), torch.nn.ReLU(), torch.nn.Linear(batches.HIDDEN, 10)
    )
    with torch.no_grad():
        net[0].weight.copy_(first.T)
        net[0].bias.copy_(bias[0])
        net[2].weight.copy_(second.T)
        net[2].bias.copy_(shift[0])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    generator = torch.Generator().manual_seed(1004)
    loss = torch.nn.CrossEntropyLoss()
    step, now = 0, np.inf
    while now > 0.9:
        step += 1
        chosen = torch.randint(len(images), (32,), generator=generator)
        optimizer.zero_grad()
        loss(net(images[chosen]), labels[chosen]).backward()
        optimizer.step()
        now = loss(net(images[:256]), labels[:256]).item()
    assert batches.steps_to_loss(32, [0.3], [4], target=0.9)[0, 0] == step


def test_sixteen_bits_halve_activations_and_keep_copies_of_the_weights():
    kept = precision._kept(shaped("perceptron", 64, 4, 4096))
    wide = precision._kept(shaped("perceptron", 256, 4, 64))
    ratio = {
        name: found["kept bytes, bfloat16"] / found["kept bytes, float32"]
        for name, found in (("many samples", kept), ("few samples", wide))
    }
    assert ratio["many samples"] < 0.75
    assert ratio["few samples"] > ratio["many samples"]
    with pytest.raises(ValueError, match="way must be one of float32, bfloat16, got 'int4'"):
        precision.context("int4")
