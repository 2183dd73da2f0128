"""Timelines against closed forms, bounds, other simulators and published figures."""

import heapq
import math

import numpy as np
import pytest

from amdahl_lab import schedule
from amdahl_lab.schedule.tasks import TaskGraph

PIPELINES = [(1, 1), (2, 1), (2, 8), (4, 4), (4, 3), (8, 32)]


# ---- pipelines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("S", "M"), PIPELINES)
@pytest.mark.parametrize("make", [schedule.gpipe, schedule.one_forward_one_backward])
def test_the_bubble_of_equal_stages_is_exact(make, S, M):
    line = make(S, M).timeline(1.0, 2.0)
    assert line.bubble_share == pytest.approx((S - 1) / (M + S - 1), abs=1e-12)
    assert line.seconds == 3 * (M + S - 1)


@pytest.mark.parametrize(("S", "M", "v"), [(2, 4, 2), (4, 8, 2), (4, 16, 3), (8, 64, 3)])
def test_chunks_divide_the_bubble(S, M, v):
    # Narayanan et al., arXiv:2104.04473, section 2.2.2: (S - 1) / v micro-batches of a stage.
    line = schedule.interleaved(S, M, v).timeline(1.0, 2.0)
    assert line.seconds == pytest.approx(3 * (M * v + S - 1), rel=1e-12)


@pytest.mark.parametrize(("S", "M"), PIPELINES)
def test_live_micro_batches_keep_to_the_known_bounds(S, M):
    gpipe, f1b1 = schedule.gpipe(S, M), schedule.one_forward_one_backward(S, M)
    assert gpipe.peak_live().tolist() == [M] * S
    assert f1b1.peak_live().tolist() == [min(S - stage, M) for stage in range(S)]


@pytest.mark.parametrize(("S", "M", "v"), [(2, 4, 2), (4, 8, 2), (8, 64, 3)])
def test_interleaving_holds_the_published_factor_more(S, M, v):
    # Korthikanti et al., arXiv:2205.05198, section 4.2.3: 1 + (S - 1) / (S v) of 1F1B's.
    live = schedule.interleaved(S, M, v).peak_live().max()
    assert live / (S * v) == pytest.approx(1 + (S - 1) / (S * v))


def test_no_pass_starts_before_what_it_needs():
    rng = np.random.default_rng(0)
    pipeline = schedule.interleaved(4, 8, 2)
    line = pipeline.timeline(rng.uniform(0.5, 2, (8, 8)), rng.uniform(1, 4, (8, 8)), send=0.25)
    ends = {}
    for key in zip(
        pipeline.is_backward,
        pipeline.part,
        pipeline.micro_batch,
        line.ends,
        line.starts,
        strict=True,
    ):
        ends[key[:3]] = key[3:]
    for (back, part, m), (_, start) in ends.items():
        needed = (False, part - 1, m) if not back else (True, part + 1, m)
        if back and part == 7:
            assert start >= ends[False, 7, m][0] - 1e-12
        elif needed in ends:
            assert start >= ends[needed][0] + 0.25 - 1e-12
    for worker in range(4):
        own = pipeline.stage == worker
        order = np.argsort(line.starts[own])
        assert np.all(line.starts[own][order][1:] >= line.ends[own][order][:-1] - 1e-12)


def test_an_uneven_pipeline_runs_at_the_pace_of_its_slowest_stage():
    # A flow shop with constant times: the sum of the stages once, the slowest M - 1 times more.
    times = np.array([1.0, 4.0, 2.0])
    line = schedule.gpipe(3, 10).timeline(times, 2 * times)
    assert line.seconds == pytest.approx(3 * (times.sum() + 9 * 4))


def test_jitter_only_ever_adds():
    rng = np.random.default_rng(1)
    pipeline = schedule.one_forward_one_backward(4, 16)
    even = pipeline.durations(1.0, 2.0)
    draws = even[:, None] * rng.uniform(0.8, 1.2, (len(even), 64))
    draws *= even.sum() / draws.sum(axis=0)
    ends = pipeline.graph.run_many(draws)
    assert ends.max(axis=0).mean() > pipeline.graph.run(even).max()
    longest = draws[:, 0].copy()
    longest[5] *= 2
    assert np.all(pipeline.graph.run(longest) >= ends[:, 0] - 1e-12)


def test_durations_of_the_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="forward must have shape"):
        schedule.gpipe(4, 8).timeline([1.0, 2.0], 1.0)
    with pytest.raises(ValueError, match="multiple of stages"):
        schedule.interleaved(4, 6, 2)
    with pytest.raises(ValueError, match="stages must be a whole number"):
        schedule.gpipe(0, 6)


# ---- the event engine --------------------------------------------------------------------------


def queue_simulation(before, source, durations, lags):
    """Play tasks with a queue of pending events, the way a general simulator does."""
    n = len(before)
    ends = np.full(n, np.nan)
    events = []
    for task in range(n):
        if before[task] < 0 and source[task] < 0:
            heapq.heappush(events, (durations[task], task))
    while events:
        time, task = heapq.heappop(events)
        ends[task] = time
        for other in np.flatnonzero((before == task) | (source == task)):
            needs = []
            if before[other] >= 0:
                needs.append(ends[before[other]])
            if source[other] >= 0:
                needs.append(ends[source[other]] + lags[other])
            if not np.isnan(needs).any():
                heapq.heappush(events, (max(max(needs), 0.0) + durations[other], other))
    return ends


def random_graph(rng, n):
    before, source = np.full(n, -1), np.full(n, -1)
    shuffled = rng.permutation(n)
    for place, task in enumerate(shuffled):
        if place and rng.uniform() < 0.8:
            before[task] = shuffled[rng.integers(place)]
        if place and rng.uniform() < 0.6:
            source[task] = shuffled[rng.integers(place)]
    return before, source


def test_the_engine_agrees_with_a_queue_of_events():
    rng = np.random.default_rng(2)
    for _ in range(20):
        before, source = random_graph(rng, 60)
        durations, lags = rng.uniform(0.1, 1, 60), rng.uniform(0, 0.5, 60)
        same = before == source  # the queue would free such a task twice
        source[same] = -1
        expected = queue_simulation(before, source, durations, lags)
        graph = TaskGraph(before, source)
        np.testing.assert_allclose(graph.run(durations, lags), expected, rtol=1e-12)
        many = graph.run_many(np.stack([durations, 2 * durations], axis=1), lags)
        np.testing.assert_allclose(many[:, 0], expected, rtol=1e-12)
        np.testing.assert_allclose(many[:, 1], graph.run(2 * durations, lags), rtol=1e-12)


def test_circles_and_wrong_indices_are_refused():
    with pytest.raises(ValueError, match="in a circle, task 0"):
        TaskGraph(np.array([1, 0]), np.array([-1, -1]))
    with pytest.raises(ValueError, match="source must hold 2 indices"):
        TaskGraph(np.array([-1, 0]), np.array([-1, 2]))
    graph = TaskGraph(np.array([-1, 0]), np.array([-1, -1]))
    with pytest.raises(ValueError, match="durations must be finite"):
        graph.run([1.0, -1.0])
    with pytest.raises(ValueError, match="durations must have shape"):
        graph.run_many([1.0, 1.0])


# ---- stragglers --------------------------------------------------------------------------------


def test_the_expected_maximum_of_few_normals_is_known():
    # David and Nagaraja, Order Statistics, section 3.2, for two, three and four values.
    root = np.sqrt(np.pi)
    four = 6 / root * (0.25 + np.arcsin(1 / 3) / (2 * np.pi))
    expected = [0, 1 / root, 3 / (2 * root), four]
    np.testing.assert_allclose(schedule.expected_maximum([1, 2, 3, 4]), expected, atol=1e-6)


def test_the_larger_of_two_is_known_at_both_ends_and_agrees_with_draws():
    """Nothing varies: the extra work. Equal work: 1 / sqrt(pi) deviations of either."""
    assert schedule.larger_of_two([0.0, 3.0], 0.0).tolist() == [0.0, 3.0]
    assert schedule.larger_of_two(0.0, math.sqrt(2)) == pytest.approx(1 / math.sqrt(math.pi))
    rng = np.random.default_rng(5)
    shared, own = rng.normal(size=400_000), rng.normal(size=(2, 400_000))
    for more in (0.3, 1.0, 4.0):
        slow, plain = 10 + shared + own[0] + more, 10 + shared + own[1]
        drawn = np.maximum(slow, plain).mean() - plain.mean()
        found = schedule.larger_of_two(more, np.std(own[0] - own[1]))
        assert found == pytest.approx(drawn, abs=0.006)
    with pytest.raises(ValueError, match="apart must"):
        schedule.larger_of_two(1.0, -1.0)


def test_the_expected_maximum_agrees_with_draws():
    rng = np.random.default_rng(3)
    for workers in (10, 100, 1000):
        drawn = rng.standard_normal((20000, workers), dtype=np.float32).max(axis=1)
        error = 4 * drawn.std() / np.sqrt(len(drawn))
        assert schedule.expected_maximum(workers) == pytest.approx(drawn.mean(), abs=error + 1e-3)


def test_synchronous_steps_wait_as_long_as_expected():
    rng = np.random.default_rng(4)
    run = schedule.synchronous_steps(64, 20000, jitter=0.02, rng=rng, seconds=3.0)
    predicted = 1 + 0.02 * schedule.expected_maximum(64)
    assert run.slowdown == pytest.approx(predicted, abs=0.002)
    assert run.seconds.mean() == pytest.approx(3 * predicted, rel=0.002)


def test_a_worker_alone_takes_its_mean_time_however_much_it_varies():
    run = schedule.synchronous_steps(
        1, 400_000, jitter=0.5, rng=np.random.default_rng(10), seconds=2.0
    )
    assert run.seconds.mean() == pytest.approx(2.0, rel=0.005)


def test_one_slow_worker_sets_the_pace():
    factors = np.ones(32)
    factors[7] = 2.0
    run = schedule.synchronous_steps(
        32, 500, jitter=0.01, rng=np.random.default_rng(5), slow_factor=factors
    )
    assert run.seconds.mean() == pytest.approx(2.0, rel=0.003)
    without = schedule.synchronous_steps(8, 10, jitter=0.0, rng=np.random.default_rng(5))
    assert without.slowdown == pytest.approx(1.0)


# ---- failures ----------------------------------------------------------------------------------


def played_job(interval, checkpoint, restart, mean, segments, rng):
    """Play a job segment by segment: try, fail, restart, try again. Return goodput."""
    clock = 0.0
    next_failure = rng.exponential(mean)
    for _ in range(segments):
        needed = interval + checkpoint
        while clock + needed > next_failure:
            clock = next_failure
            next_failure = clock + rng.exponential(mean)
            needed = restart + interval + checkpoint
        clock += needed
    return segments * interval / clock


@pytest.mark.parametrize(("interval", "restart"), [(20.0, 5.0), (60.0, 0.0), (90.0, 20.0)])
def test_goodput_is_that_of_a_job_played_out(interval, restart):
    played = played_job(interval, 2.0, restart, 100.0, 150_000, np.random.default_rng(6))
    assert schedule.goodput(interval, 2.0, restart, 100.0) == pytest.approx(played, rel=0.005)


@pytest.mark.parametrize("mean", [15.0, 60.0, 1440.0])
def test_simulated_failures_give_the_exact_goodput(mean):
    rng = np.random.default_rng(7)
    tau = schedule.best_interval(1.0, mean)
    run = schedule.simulate_failures(tau, 1.0, 3.0, rng.exponential(mean, 2_000_000))
    assert run.goodput == pytest.approx(schedule.goodput(tau, 1.0, 3.0, mean), rel=0.005)


def test_daly_interval_gives_his_published_figures():
    # Daly 2006, figures 3 to 5: 117, 57 and 9.1 minutes for M of 24 h, 6 h and 15 min.
    minutes = schedule.daly_interval(5, [24 * 60, 6 * 60, 15])
    np.testing.assert_allclose(minutes, [117, 57, 9.1], atol=0.5)
    assert minutes[2] == pytest.approx(9.1, abs=0.05)


def test_the_best_interval_is_best():
    taus = np.linspace(0.5, 100, 200_000)
    for mean in (15.0, 100.0, 1000.0):
        searched = taus[schedule.goodput(taus, 2.0, 1.0, mean).argmax()]
        assert schedule.best_interval(2.0, mean) == pytest.approx(searched, abs=1e-3)


def test_young_and_daly_approximate_it_where_failures_are_rare():
    exact = schedule.best_interval(1.0, [50, 1e6])
    young, daly = (f(1.0, [50, 1e6]) for f in (schedule.young_interval, schedule.daly_interval))
    np.testing.assert_allclose(young[1], exact[1], rtol=1e-3)
    np.testing.assert_allclose(daly, exact, rtol=1e-3)
    assert abs(young[0] - exact[0]) > 10 * abs(daly[0] - exact[0])
    rare = schedule.first_order_goodput(100.0, 1.0, 5.0, 1e6)
    assert rare == pytest.approx(schedule.goodput(100.0, 1.0, 5.0, 1e6), rel=1e-6)
    assert schedule.first_order_goodput(15, 5, 10, 15) > 1.2 * schedule.goodput(15, 5, 10, 15)


def test_llama_3_stays_above_nine_tenths_with_plausible_checkpoints():
    # arXiv:2407.21783, section 3.3.4: 54 days, 419 unexpected interruptions, over 90% effective.
    mean = 54 * 24 * 60 / 419
    assert mean == pytest.approx(185.6, abs=0.1)
    quarter = 0.25
    tau = schedule.best_interval(quarter, mean)
    assert schedule.goodput(tau, quarter, 6.0, mean) > 0.90
    # The longer a checkpoint stops the job, the less is left for a restart; a minute is too long.
    deltas = [0.1, 0.25, 0.5]
    restarts = schedule.most_restart(0.9, deltas, mean)
    assert np.all(np.diff(restarts) < 0)
    at = schedule.goodput(schedule.best_interval(deltas, mean), deltas, restarts, mean)
    np.testing.assert_allclose(at, 0.9, rtol=1e-9)
    assert np.isnan(schedule.most_restart(0.9, 1.0, mean))


# ---- uneven pieces -----------------------------------------------------------------------------


def test_handing_out_keeps_grahams_bound_and_the_work():
    rng = np.random.default_rng(8)
    for workers in (2, 5):
        pieces = rng.exponential(1, 300)
        dynamic = schedule.dynamic_finish(pieces, workers)
        static = schedule.static_finish(pieces, workers)
        assert dynamic.sum() >= pieces.sum() - 1e-9
        assert static.sum() == pytest.approx(pieces.sum())
        least = max(pieces.sum() / workers, pieces.max())
        assert dynamic.max() <= (2 - 1 / workers) * least
        assert dynamic.max() < static.max()


def test_wrong_numbers_are_named():
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="workers must be"):
        schedule.expected_maximum(0.5)
    with pytest.raises(ValueError, match=r"slow_factor must have shape \(4,\)"):
        schedule.synchronous_steps(4, 1, jitter=0.1, rng=rng, slow_factor=[1, 2])
    with pytest.raises(ValueError, match="interval must be"):
        schedule.goodput(0, 1, 1, 1)
    with pytest.raises(ValueError, match="target must be"):
        schedule.most_restart(0, 1, 1)
    with pytest.raises(ValueError, match="pieces must have shape"):
        schedule.dynamic_finish([[1.0]], 2)
