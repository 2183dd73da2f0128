"""Fits against runs whose serial fraction is known, and the refusals."""

import dataclasses

import numpy as np
import pytest

from amdahl_lab import fitting, statistics
from amdahl_lab.records import Machine, ScalingRun, Timing

MACHINE = Machine("test", "Linux x86_64", "made up", 8, 8, 2**33)


def synthetic_run(s, workers, rounds, spread, rng, *, machine=MACHINE, experiment="synthetic"):
    """Make a run with a known s: times by the definition, errors log-normal, growing with N."""
    timings = []
    for number, n in enumerate(workers):
        truth = 0.1 * (s + (1 - s) / n)
        errors = spread * (1 + number) * rng.standard_normal(rounds)
        timings.append(Timing(n, "step", tuple(truth * np.exp(errors))))
    return ScalingRun(experiment, machine, timings, {}, "2026-01-01T00:00:00Z", 0, 0, rounds)


@pytest.mark.parametrize("s", [0.0, 0.03, 0.25, 1.0])
def test_exact_times_give_the_serial_fraction_exactly(s):
    rng = np.random.default_rng(0)
    fit = fitting.fit_amdahl(synthetic_run(s, (1, 2, 4), 3, 0.0, rng), rng=rng)
    interval = fit.parameters["serial_fraction"]
    assert interval.estimate == pytest.approx(s, abs=1e-9)
    assert interval.width == pytest.approx(0, abs=1e-9)
    assert fit.predict(4)[0].estimate == pytest.approx(1 / (s + (1 - s) / 4))


@pytest.mark.parametrize(
    ("workers", "rounds", "s"), [((1, 2), 5, 0.1), ((1, 2, 4), 5, 0.3), ((1, 2, 4, 8), 10, 0.02)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(workers, rounds, s):
    def trial(rng):
        run = synthetic_run(s, workers, rounds, 0.02, rng)
        fit = fitting.fit_amdahl(run, rng=rng, draws=1000)
        return s in fit.parameters["serial_fraction"]

    share = statistics.coverage(trial, 1500, seed=1)
    # 95% asked; the trials' own noise is 0.6 points, so these bounds are 3 and more of it away.
    assert 0.93 <= share.estimate <= 0.98, f"coverage {share:.3f}"


def test_prediction_intervals_hold_the_truth_too():
    def trial(rng):
        fit = fitting.fit_amdahl(synthetic_run(0.1, (1, 2, 4), 5, 0.02, rng), rng=rng, draws=1000)
        return 1 / (0.1 + 0.9 / 64) in fit.predict(64)[0]

    assert 0.93 <= statistics.coverage(trial, 1500, seed=2).estimate <= 0.98


def test_more_rounds_narrow_the_interval():
    rng = np.random.default_rng(3)
    widths = []
    for rounds in (5, 20, 80):
        few = [
            fitting.fit_amdahl(synthetic_run(0.1, (1, 2, 4), rounds, 0.03, rng), rng=rng)
            for _ in range(20)
        ]
        widths.append(np.median([fit.parameters["serial_fraction"].width for fit in few]))
    assert widths[0] > 1.8 * widths[1] > 1.8 * 1.7 * widths[2]


def test_a_slowdown_is_read_as_all_serial_and_never_outside_the_range():
    rng = np.random.default_rng(0)
    run = synthetic_run(0.0, (1, 2), 5, 0.0, rng)
    slow = [Timing(1, "step", (0.1,) * 5), Timing(2, "step", (0.15,) * 5)]
    interval = fitting.fit_amdahl(dataclasses.replace(run, timings=slow), rng=rng)
    assert interval.parameters["serial_fraction"].estimate == 1


def test_speedups_pair_the_rounds():
    # Every round of the machine is differently slow, and both configurations alike: the ratio of
    # the same round is exactly 2, so its interval is a point.
    slowness = np.array([1.0, 1.7, 0.6, 2.4])
    timings = [Timing(1, "step", tuple(2 * slowness)), Timing(2, "step", tuple(slowness))]
    run = ScalingRun("x", MACHINE, timings, {}, "2026-01-01T00:00:00Z", 0, 0, 4)
    interval = fitting.speedups(run)[2]
    assert (interval.low, interval.high) == (pytest.approx(2), pytest.approx(2))


def test_speedup_intervals_hold_the_truth_as_often_as_they_say():
    def trial(rng):
        run = synthetic_run(0.1, (1, 2), 6, 0.03, rng)
        return 1 / (0.1 + 0.45) in fitting.speedups(run)[2]

    assert 0.93 <= statistics.coverage(trial, 3000, seed=4).estimate <= 0.97


def test_what_the_data_cannot_identify_is_refused():
    rng = np.random.default_rng(0)
    run = synthetic_run(0.1, (1, 2), 5, 0.01, rng)
    with pytest.raises(ValueError, match="workers must hold at least two numbers, got \\[2\\]"):
        fitting.fit_amdahl(run, rng=rng, workers=[2])
    other = dataclasses.replace(MACHINE, processor="another")
    mixed = [run, synthetic_run(0.1, (1, 2), 5, 0.01, rng, machine=other)]
    with pytest.raises(ValueError, match="runs must share one machine, got 2"):
        fitting.fit_amdahl(mixed, rng=rng)
    mixed = [run, synthetic_run(0.1, (1, 2), 5, 0.01, rng, experiment="another")]
    with pytest.raises(ValueError, match="runs must share one experiment, got 2"):
        fitting.fit_amdahl(mixed, rng=rng)
    with pytest.raises(ValueError, match="runs must hold at least one run"):
        fitting.fit_amdahl([], rng=rng)
    with pytest.raises(ValueError, match="at least 2 rounds"):
        fitting.fit_amdahl(synthetic_run(0.1, (1, 2), 1, 0.01, rng), rng=rng)
    with pytest.raises(ValueError, match="level must be inside 0 to 1, got 95"):
        fitting.fit_amdahl(run, rng=rng, level=95)
