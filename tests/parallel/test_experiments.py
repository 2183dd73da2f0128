"""Experiments: what they record, that they really gain and lose time, and their interruption."""

import signal
import threading
import time

import numpy as np
import pytest
import torch.distributed as dist

from amdahl_lab.parallel import blocks, experiments
from amdahl_lab.parallel.experiments import communication_share, control_scaling, digits_scaling
from amdahl_lab.storage import load_run, save_run

PHASES = {"step", "compute", "serial", "communication"}


def test_a_run_records_what_was_done(tmp_path):
    run = digits_scaling((1, 2, 3), 2, size="small", batch=64, steps=2, seed=5, progress=False)
    assert run.experiment == "digits_data_parallel"
    assert run.workers == (1, 2, 3)
    assert run.rounds == run.rounds_planned == 2
    assert dict(run.parameters) == {
        "size": "small",
        "batch": 64,
        "steps": 2,
        "threads": 1,
        "seed": 5,
    }
    assert {timing.phase for timing in run.timings if timing.workers == 1} == PHASES - {
        "communication"
    }
    for workers in (2, 3):
        assert {timing.phase for timing in run.timings if timing.workers == workers} == PHASES
    assert all(len(timing.warmups) == 1 for timing in run.timings)
    assert run.machine.cores_usable > 0
    save_run(run, tmp_path / "run.json")
    assert load_run(tmp_path / "run.json") == run


def test_the_parts_of_a_step_are_smaller_than_the_step():
    run = digits_scaling((2,), 4, size="wide", batch=256, steps=3, progress=False)
    step, compute, serial, bare = (
        float(np.median(run.seconds(2, phase)))
        for phase in ("step", "compute", "serial", "communication")
    )
    assert serial < compute
    assert max(compute, bare) < 1.5 * step  # on a noisy machine
    assert bare > 1e-4  # 4 MB through a socket twice cannot take less


def test_the_serial_part_is_between_one_and_thirty_percent_of_a_step():
    run = digits_scaling((1,), 4, progress=False)
    share = np.median(run.seconds(1, "serial") / run.seconds(1))
    assert 0.01 < share < 0.3


def test_the_slowest_rank_decides():
    def block(delay: float) -> dict[str, float]:
        import torch.distributed as dist

        return {"step": 1.0 + delay * dist.get_rank()}

    assert experiments._slowest(3, 1, block, 0.5) == {"step": 2.0}


def test_the_control_counts_its_units(monkeypatch):
    """Every unit is worked off once, the serial ones by rank 0 alone."""

    def counted(workers: int, serial: int, parallel: int) -> int:
        done = []
        blocks._work = lambda matrix, products: done.append(products)
        blocks._wait_busily = lambda matrix: None
        blocks.control_block(workers, serial, parallel)
        return sum(done[1:]) // blocks.UNIT_PRODUCTS  # the first is the warm-up

    first, second, third = experiments.run_ranks(counted, 3, 3, 10, 21)
    assert first >= 10
    assert first + second + third == 31
    first, second, idle = experiments.run_ranks(counted, 3, 2, 10, 21)
    assert (first + second, idle) == (31, 0)
    assert experiments.run_ranks(counted, 2, 1, 10, 21) == [31, 0]


def test_nobody_waits_for_a_slow_worker_of_the_control():
    """A worker that is three times as slow takes about a quarter of the units."""

    def lopsided(units: int) -> int:
        done = []
        slow = 3 if dist.get_rank() == 1 else 1

        def work(matrix, products):
            done.append(products)
            time.sleep(0.005 * slow)

        blocks._work = work
        blocks._wait_busily = lambda matrix: dist.barrier()
        blocks.control_block(2, 0, units)
        return sum(done[1:]) // blocks.UNIT_PRODUCTS

    fast, slow = experiments.run_ranks(lopsided, 2, 240)
    assert fast + slow == 240
    assert slow < 0.4 * 240


def test_the_control_tells_its_true_serial_fraction():
    run = control_scaling(0.126, (1, 2), 2, units=20, progress=False)
    assert run.parameters["serial_fraction"] == 0.15  # three units of twenty
    assert run.phases == ("step",)


def test_more_workers_on_a_tiny_batch_are_slower():
    """Thirty-two small images do not pay for four processes that wait for each other."""
    run = digits_scaling((1, 4), 5, size="small", batch=32, steps=10, progress=False)
    assert np.median(run.seconds(4) / run.seconds(1)) > 1


def test_the_share_of_communication_falls_with_the_batch():
    """One all-reduce of the same bytes beside 256 times the arithmetic: noise can't hide that."""
    runs = communication_share(("small", "wide"), (4, 1024), rounds=3, progress=False)

    def share(batch: int) -> float:
        run = runs["wide", batch]
        return float(np.median(run.seconds(2, "communication") / run.seconds(2, "compute")))

    assert set(runs) == {(size, batch) for size in ("small", "wide") for batch in (4, 1024)}
    assert runs["wide", 4].parameters["batch"] == 8
    assert runs["wide", 1024].parameters["size"] == "wide"
    assert share(4) > 2 * share(1024)


def test_transports_are_timed_side_by_side():
    runs = experiments.transport_steps(("0.3 MB",), rounds=2, turns=2, progress=False)
    assert set(runs) == {("0.3 MB", name) for name in ("gloo", "shared", "DDP")}
    for (size, name), run in runs.items():
        assert run.parameters["size"] == size
        assert run.parameters["transport"] == name
        assert (run.workers, run.phases, run.rounds) == ((2,), ("step",), 2)
    times = [tuple(run.seconds(2, "step")) for run in runs.values()]
    assert len(set(times)) == 3  # each has times of its own


def test_an_interrupt_keeps_the_whole_rounds(monkeypatch):
    """Ctrl-C in the third round that counts: two are kept, and no rank is left."""
    main_thread = threading.get_ident()
    calls = []
    real = experiments._slowest

    def slowest(*args):
        calls.append(time.monotonic())
        if len(calls) == 8:  # rounds: warm-up, 1, 2, and the second block of 3
            threading.Timer(0.05, signal.pthread_kill, (main_thread, signal.SIGINT)).start()
            time.sleep(0.2)
        return real(*args)

    monkeypatch.setattr(experiments, "_slowest", slowest)
    run = digits_scaling((1, 2), 5, size="small", batch=64, steps=1, progress=False)
    assert (run.rounds, run.rounds_planned) == (2, 5)


def test_a_progress_bar_is_shown_where_asked_for(capsys):
    control_scaling(0.5, (1,), 2, units=4)
    assert "rounds" in capsys.readouterr().err
    control_scaling(0.5, (1,), 2, units=4, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: digits_scaling(()), "workers must be different whole numbers, at least one"),
        (lambda: digits_scaling((2, 2)), "workers must be different whole numbers, at least one"),
        (lambda: digits_scaling((0,), 2, progress=False), "workers must be a whole number"),
        (lambda: digits_scaling((1,), 1, progress=False), "rounds must be at least 2, got 1"),
        (lambda: digits_scaling((1,), steps=0), "steps must be at least 1, got 0"),
        (lambda: control_scaling(1.5), "serial_fraction must be between 0 and 1, got 1.5"),
        (lambda: control_scaling(0.1, units=0), "units must be at least 1, got 0"),
        (lambda: communication_share(workers=1), "workers must be at least 2"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
