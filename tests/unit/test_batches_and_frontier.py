"""The critical batch, planned studies and the frontier, against truths of their own."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from amdahl_lab import fitting, laws
from amdahl_lab.cluster import cheapest, frontier


def test_steps_and_samples_lie_on_the_published_hyperbola():
    B = np.array([1.0, 7.0, 100.0, 5000.0])
    S = laws.steps_to_target(B, 250, 90)
    E = laws.samples_to_target(B, 250, 90)
    np.testing.assert_allclose(E, B * S)
    np.testing.assert_allclose((S / 250 - 1) * (E / (250 * 90) - 1), 1)


def test_at_the_critical_batch_both_are_twice_their_least():
    assert laws.steps_to_target(64, 10, 64) == 20
    assert laws.samples_to_target(64, 10, 64) == 2 * 10 * 64


def test_a_larger_batch_saves_steps_as_amdahls_law_says():
    k = np.array([1.0, 2.0, 50.0])
    saved = laws.steps_to_target(20, 5, 60) / laws.steps_to_target(20 * k, 5, 60)
    np.testing.assert_allclose(laws.batch_speedup(k, 20, 60), saved)
    np.testing.assert_allclose(saved, laws.amdahl_speedup(k, 20 / 80))


def test_the_fit_finds_the_law_that_was_put_in():
    rng = np.random.default_rng(1)
    steps = {B: np.full(4, laws.steps_to_target(B, 80, 200)) for B in (16, 64, 256, 1024)}
    fit = fitting.fit_critical_batch(steps, rng=rng)
    assert fit.critical_batch.estimate == pytest.approx(200, rel=1e-5)
    assert fit.fewest_steps.estimate == pytest.approx(80, rel=1e-5)
    assert fit.fewest_samples.estimate == pytest.approx(16_000, rel=1e-5)
    assert fit.misfit < 1e-5


def test_the_fit_is_that_of_least_squares_in_logarithms():
    rng = np.random.default_rng(7)
    steps = {B: 40 * (1 + 90 / B) * np.exp(0.2 * rng.standard_normal(5)) for B in (4, 32, 128, 999)}
    fit = fitting.fit_critical_batch(steps, rng=rng, draws=20)
    B = np.array(list(steps), dtype=float)
    logs = np.log(list(steps.values())).mean(axis=1)
    found = least_squares(lambda p: np.log(p[0] + p[1] / B) - logs, [30.0, 3000.0], x_scale=[1, 99])
    assert fit.fewest_steps.estimate == pytest.approx(found.x[0], rel=1e-4)
    assert fit.fewest_samples.estimate == pytest.approx(found.x[1], rel=1e-4)


def test_its_intervals_hold_the_truth_about_as_often_as_they_say():
    held, between, trials = 0, 0, 150
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        steps = {
            B: laws.steps_to_target(B, 80, 200) * np.exp(0.15 * rng.standard_normal(8))
            for B in (16, 64, 256, 1024)
        }
        fit = fitting.fit_critical_batch(steps, rng=rng, draws=200)
        held += 200 in fit.critical_batch
        ((low,), (high,)) = fit.band(128)
        between += low <= laws.steps_to_target(128, 80, 200) <= high
    for count in (held, between):
        assert 0.88 * trials <= count < trials  # 95% +- 3 standard deviations of 150 trials


def test_the_misfit_is_that_of_the_worst_batch():
    rng = np.random.default_rng(3)
    steps = {B: np.full(3, laws.steps_to_target(B, 80, 200)) for B in (16, 64, 256, 1024)}
    steps[64] = 1.3 * steps[64]
    fit = fitting.fit_critical_batch(steps, rng=rng, draws=20)
    law = laws.steps_to_target(64, fit.fewest_steps.estimate, fit.critical_batch.estimate)
    assert fit.misfit == pytest.approx(steps[64][0] / law - 1, rel=1e-6)
    assert 0.1 < fit.misfit < 0.3


def test_the_fit_refuses_what_cannot_tell():
    rng = np.random.default_rng(0)
    with pytest.raises(fitting.NotIdentifiedError, match="at least 3 batches, got 2"):
        fitting.fit_critical_batch({8: [3, 4], 16: [2, 3]}, rng=rng)
    with pytest.raises(ValueError, match="same number of seeds"):
        fitting.fit_critical_batch({8: [3, 4], 16: [2, 3], 32: [1]}, rng=rng)
    with pytest.raises(ValueError, match="finite and above 0"):
        fitting.fit_critical_batch({8: [3, np.inf], 16: [2, 3], 32: [1, 2]}, rng=rng)


def test_a_planned_study_without_deviations_gives_its_serial_fraction_back():
    rng = np.random.default_rng(0)
    study = fitting.planned_study(0.07, (1, 4, 16), 3, 0.0, rng)
    fit = fitting.fit_amdahl(study, rng=rng, draws=50)
    assert fit.parameters["serial_fraction"].estimate == pytest.approx(0.07)
    with pytest.raises(ValueError, match="rounds must be at least 2, got 1"):
        fitting.planned_study(0.07, (1, 2), 1, 0.1, rng)


def test_the_times_of_a_planned_study_stray_as_far_as_asked():
    study = fitting.planned_study(0.07, (1, 4), 4000, 0.03, np.random.default_rng(4))
    for N, mean in ((1, 1.0), (4, 0.07 + 0.93 / 4)):
        logs = np.log(study.seconds(N))
        assert logs.std() == pytest.approx(0.03, rel=0.06)
        assert logs.mean() == pytest.approx(np.log(mean), abs=0.002)


def test_larger_n_narrow_the_future_faster_than_more_rounds():
    def spread(workers, rounds):
        found = []
        for seed in range(15):
            rng = np.random.default_rng(seed)
            study = fitting.planned_study(0.05, workers, rounds, 0.03, rng)
            (future,) = fitting.fit_amdahl(study, rng=rng, draws=300).predict(64)
            found.append(future.high / future.low)
        return np.median(found)

    assert spread((1, 4, 16), 10) < spread((1, 2, 4), 30)


def test_the_frontier_is_what_no_plan_beats():
    rng = np.random.default_rng(2)
    time, cost = rng.integers(1, 12, 40), rng.integers(1, 12, 40)
    edge = frontier(time, cost)
    pairs = list(zip(time, cost, strict=True))
    best = {
        (t, c)
        for t, c in pairs
        if not any(u <= t and d <= c and (u, d) != (t, c) for u, d in pairs)
    }
    assert {pairs[k] for k in edge} == best
    assert list(time[edge]) == sorted(time[edge])
    for deadline in (3, 6, 20):
        chosen = cheapest(time, cost, deadline)
        assert cost[chosen] == min(c for t, c in pairs if t <= deadline)
    assert cheapest(time, cost, 0.5) is None
    assert cheapest([3, 2, 4], [1, 1, 1], 5) == 1  # of equally cheap ones the fastest
    with pytest.raises(ValueError, match="seconds and cost must be of the same plans"):
        frontier([1, 2], [1])
