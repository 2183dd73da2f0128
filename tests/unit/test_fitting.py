"""Fits against runs whose parameters are known, and the refusals."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import least_squares

from amdahl_lab import fitting, statistics
from amdahl_lab.fitting import rivals
from amdahl_lab.fitting.curves import fit_terms, working_weights
from amdahl_lab.records import Machine, ScalingRun, Timing
from amdahl_lab.statistics import round_draws
from amdahl_lab.tables import Table, read_table

MACHINE = Machine("test", "Linux x86_64", "made up", 8, 8, 2**33)


def run_of(times, *, machine=MACHINE, experiment="synthetic", parameters=None):
    """Make a run of times by N, or by N and phase, one value for each round."""
    timings = [
        Timing(*(key if isinstance(key, tuple) else (key, "step")), tuple(seconds))
        for key, seconds in times.items()
    ]
    rounds = len(timings[0].seconds)
    return ScalingRun(
        experiment, machine, timings, parameters or {}, "2026-01-01T00:00:00Z", 0, 0, rounds
    )


def synthetic_run(s, workers, rounds, spread, rng, **about):
    """Make a run with a known s: times by the definition, errors log-normal, growing with N."""
    times = {}
    for number, n in enumerate(workers):
        errors = spread * (1 + number) * rng.standard_normal(rounds)
        times[n] = 0.1 * (s + (1 - s) / n) * np.exp(errors)
    return run_of(times, **about)


def many_logs(s, workers, rounds, spread, trials, rng, *, shared=0.0):
    """The log times of many such runs at once, shape (trials, R, K); `shared` hits whole rounds."""
    N = np.array(workers, dtype=float)
    spreads = spread * (1 + np.arange(len(N)))
    logs = np.log(s + (1 - s) / N) + spreads * rng.standard_normal((trials, rounds, len(N)))
    return logs + shared * rng.standard_normal((trials, rounds, 1))


def many_intervals(logs, workers, rng, curve=rivals.AMDAHL, draws=1000):
    """What `fit_amdahl` does, for all runs at once; return lower and upper ends."""
    N = np.array(workers, dtype=float)
    ends = []
    for some in np.array_split(logs, max(1, len(logs) // 50)):  # small enough for the cache
        parameters, _ = curve.refit(round_draws(some, draws, rng), N, working_weights(N))
        s = parameters["serial_fraction"]
        ends.append(np.quantile(s, [0.025, 0.975], axis=-1, method="weibull"))
    return np.concatenate(ends, axis=-1)


def share_holding(ends, truth):
    return np.mean((ends[0] <= truth) & (truth <= ends[1]))


# estimates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("s", [0.0, 0.03, 0.25, 1.0])
def test_exact_times_give_the_serial_fraction_exactly(s):
    rng = np.random.default_rng(0)
    fit = fitting.fit_amdahl(synthetic_run(s, (1, 2, 4), 3, 0.0, rng), rng=rng)
    interval = fit.parameters["serial_fraction"]
    assert interval.estimate == pytest.approx(s, abs=1e-9)
    assert interval.width == pytest.approx(0, abs=1e-9)
    assert fit.predict(4)[0].estimate == pytest.approx(1 / (s + (1 - s) / 4))
    assert fit.predict_seconds(4)[0].estimate == pytest.approx(0.1 * (s + (1 - s) / 4))


def test_exact_times_give_the_parameters_of_the_other_laws_exactly():
    rng = np.random.default_rng(0)
    # By hand, sigma = 0.1 and kappa = 0.01: (1 + 0.1 (N - 1) + 0.01 N (N - 1)) / N.
    usl = {1: 1.0, 2: 0.56, 4: 0.355, 8: 0.2825}
    fit = fitting.fit_usl(run_of({N: [T] * 3 for N, T in usl.items()}), rng=rng)
    assert fit.estimates["contention"] == pytest.approx(0.1, abs=1e-6)
    assert fit.estimates["coherency"] == pytest.approx(0.01, abs=1e-7)
    # By hand, s' = 0.2: speedups 1, 1.8, 3.4, times N / S.
    weak = run_of(
        {1: [9.0] * 2, 2: [10.0] * 2, 4: [9 * 4 / 3.4] * 2}, parameters={"batch_per_worker": 8}
    )
    fit = fitting.fit_gustafson(weak, rng=rng)
    assert fit.estimates["scaled_serial_fraction"] == pytest.approx(0.2, abs=1e-9)
    assert fit.predict(2)[0].estimate == pytest.approx(1.8)
    assert fit.predict_seconds([1, 2])[1].estimate == pytest.approx(10.0)
    # Three quarters of perfect at each N.
    flat = run_of({1: [3.0] * 2, 2: [2.0] * 2, 4: [1.0] * 2})
    fit = fitting.fit_constant_efficiency(flat, rng=rng)
    assert fit.estimates["efficiency"] == pytest.approx(0.75)
    assert fit.predict(1)[0].estimate == 1
    # s = 0.2 of the step without communication, and 1% of T(1) for each further worker.
    step = {1: 1.0, 2: 0.61, 4: 0.43}
    compute = {1: 1.0, 2: 0.60, 4: 0.40}
    times = {(N, "step"): [T] * 2 for N, T in step.items()}
    times |= {(N, "compute"): [T] * 2 for N, T in compute.items()}
    fit = fitting.fit_amdahl_with_communication(run_of(times), rng=rng)
    assert fit.estimates["serial_fraction"] == pytest.approx(0.2)
    assert fit.estimates["communication_per_worker"] == pytest.approx(0.01)
    assert fit.predict(4)[0].estimate == pytest.approx(1 / 0.43)


def test_least_squares_finds_what_scipy_finds():
    rng = np.random.default_rng(3)
    for workers in ([1, 2, 4, 8], [16, 64, 128, 1024]):
        N = np.array(workers, dtype=float)
        weights, terms = working_weights(N), np.stack([1 - 1 / N, N - 1])
        h = (
            1 / N
            + rng.uniform(0, 0.5, (20, 1)) * terms[0]
            + rng.uniform(0, 0.01, (20, 1)) * terms[1]
        )
        logs = np.log(h) + 0.2 * rng.standard_normal(h.shape)
        theta, constant = fit_terms(logs, 1 / N, terms, weights)

        def residuals(x, y, N=N, terms=terms, weights=weights):
            return np.sqrt(weights) * (y - x[2] - np.log(1 / N + x[:2] @ terms))

        for row, y in enumerate(logs):
            ours = (residuals([*theta[row], constant[row]], y) ** 2).sum()
            theirs = min(
                2
                * least_squares(
                    residuals,
                    [s, k, y.mean()],
                    args=(y,),
                    bounds=([0, 0, -np.inf], [1, 1, np.inf]),
                    x_scale=[0.1, 0.001, 1],
                ).cost
                for s, k in ((0.1, 1e-4), (0.5, 1e-3))
            )
            assert ours <= theirs * (1 + 1e-6)


def test_a_slowdown_is_read_as_all_serial_and_never_outside_the_range():
    rng = np.random.default_rng(0)
    fit = fitting.fit_amdahl(run_of({1: [0.1] * 5, 2: [0.15] * 5}), rng=rng)
    assert fit.parameters["serial_fraction"].estimate == 1
    assert "more workers are slower" in fit.notes[0]


def test_a_speedup_above_n_is_said_and_not_hidden():
    rng = np.random.default_rng(0)
    fit = fitting.fit_amdahl(run_of({1: [1.0, 1.01, 0.99], 2: [0.4, 0.41, 0.4]}), rng=rng)
    assert fit.parameters["serial_fraction"].high == 0
    assert "a speedup above N" in fit.notes[0]
    efficiency = fitting.fit_constant_efficiency(run_of({1: [1.0] * 2, 2: [0.4] * 2}), rng=rng)
    assert efficiency.estimates["efficiency"] == pytest.approx(1.25)


# coverage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "rounds", "s", "shared"),
    [((1, 2), 5, 0.1, 0.0), ((1, 2, 4), 5, 0.3, 0.1), ((1, 2, 4, 8), 10, 0.02, 0.0)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(workers, rounds, s, shared):
    rng = np.random.default_rng(1)
    logs = many_logs(s, workers, rounds, 0.02, 1000, rng, shared=shared)
    # 95% asked; the trials' own noise is 0.7 points, so these bounds are 3 of it away.
    assert 0.93 <= share_holding(many_intervals(logs, workers, rng), s) <= 0.97


def test_the_fit_gives_the_interval_whose_coverage_is_counted():
    logs = many_logs(0.1, (1, 2, 4), 6, 0.02, 1, np.random.default_rng(5))
    low, high = many_intervals(logs, (1, 2, 4), np.random.default_rng(6))
    run = run_of({N: np.exp(logs[0, :, k]) for k, N in enumerate((1, 2, 4))})
    fit = fitting.fit_amdahl(run, rng=np.random.default_rng(6), draws=1000)
    interval = fit.parameters["serial_fraction"]
    assert (interval.low, interval.high) == (pytest.approx(low[0]), pytest.approx(high[0]))


def test_what_a_whole_round_suffers_does_not_widen_the_interval():
    widths = []
    for shared in (0.0, 0.3):
        rng = np.random.default_rng(2)
        logs = many_logs(0.1, (1, 2, 4), 8, 0.02, 300, rng) + (
            shared * np.random.default_rng(3).standard_normal((300, 8, 1))
        )
        low, high = many_intervals(logs, (1, 2, 4), rng)
        widths.append(np.median(high - low))
    assert widths[1] == pytest.approx(widths[0], rel=1e-6)


def test_draws_of_rounds_reproduce_the_paired_t_interval():
    # The truth is Student's own interval for a mean of differences, from scipy.
    rng = np.random.default_rng(4)
    logs = rng.standard_normal((7, 2)) @ np.array([[1.0, 0.8], [0.0, 0.3]])
    drawn = round_draws(logs, 400_000, rng)
    ends = np.quantile(drawn[:, 0] - drawn[:, 1], [0.025, 0.975])
    expected = stats.ttest_rel(logs[:, 0], logs[:, 1]).confidence_interval()
    assert ends == pytest.approx([expected.low, expected.high], abs=0.02 * np.ptp(expected))


def test_communication_left_out_ruins_the_fit_and_measured_phases_mend_it():
    workers, s, c = (1, 2, 4, 8), 0.1, 0.005
    N = np.array(workers, dtype=float)
    rng = np.random.default_rng(7)
    spreads = 0.02 * (1 + np.arange(4))
    clean = many_logs(s, workers, 10, 0.02, 500, rng)
    step = np.log(s + (1 - s) / N + c * (N - 1)) + spreads * rng.standard_normal(clean.shape)
    plain = many_intervals(step, workers, rng)
    both = np.concatenate([step, clean], axis=-1)
    phases = many_intervals(both, workers, rng, rivals.WITH_COMMUNICATION)
    assert share_holding(plain, s) < 0.3
    assert 0.92 <= share_holding(phases, s) <= 0.98
    assert np.median(phases[1] - phases[0]) < 0.030


@pytest.mark.parametrize("kappa", [0.0, 0.003])
def test_usl_intervals_hold_both_parameters_also_at_the_bound(kappa):
    # At kappa = 0 fits that are held at the bound pull the contention down: 85% at 5 rounds.
    workers, sigma, rng = (1, 2, 4, 8), 0.05, np.random.default_rng(12)
    N = np.array(workers, dtype=float)
    spreads = 0.02 * (1 + np.arange(4))
    held = np.zeros(2)
    for errors in spreads * rng.standard_normal((400, 5, 4)):
        seconds = (1 / N + sigma * (1 - 1 / N) + kappa * (N - 1)) * np.exp(errors)
        run = run_of({n: seconds[:, k] for k, n in enumerate(workers)})
        fit = fitting.fit_usl(run, rng=rng, draws=400)
        held += [sigma in fit.parameters["contention"], kappa in fit.parameters["coherency"]]
        for interval in fit.parameters.values():
            assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert (held / 400 >= 0.92).all()


def test_predictions_hold_the_law_and_new_rounds_as_often_as_they_say():
    rng = np.random.default_rng(8)
    truth, workers, trials = 1 / (0.1 + 0.9 / 4), (1, 2, 4), 600
    law = new = naive = 0
    for logs in many_logs(0.1, workers, 6, 0.03, trials, rng):
        run = run_of({N: np.exp(logs[:, k]) for k, N in enumerate(workers)})
        fit = fitting.fit_amdahl(run, rng=rng, draws=500)
        # One more round: T(1) over T(4), each with the spread that `many_logs` gives it.
        another = truth * np.exp(0.03 * rng.standard_normal() - 0.09 * rng.standard_normal())
        mean = fit.predict(4)[0]
        law += truth in mean
        naive += another in mean
        new += another in fit.predict(4, new_rounds=1)[0]
    assert 0.92 <= law / trials <= 0.98
    assert 0.92 <= new / trials <= 0.98
    assert naive / trials < 0.8  # the law's interval is not one for measurements


def test_single_values_give_an_interval_from_their_scatter():
    rng = np.random.default_rng(9)
    workers, trials, held = (1, 2, 4, 8, 16, 32), 600, 0
    for errors in 0.05 * rng.standard_normal((trials, 6)):
        times = {
            (N, "step"): ((0.1 + 0.9 / N) * np.exp(e),)
            for N, e in zip(workers, errors, strict=True)
        }
        fit = fitting.fit_amdahl(Table("x", times, paired=False), rng=rng, draws=500)
        held += 0.1 in fit.parameters["serial_fraction"]
    assert 0.92 <= held / trials <= 0.98
    assert "4 degrees of freedom" in fit.basis
    assert "misfit for noise" in fit.notes[0]


def test_a_published_series_has_no_more_than_its_scatter_to_go_by(tmp_path):
    # MLPerf Training v1.1, closed, Intel-HabanaLabs, ResNet-50 on Gaudi; times to train.
    series = (
        "series,accelerator,n_accelerators,time_to_train_min,time_to_train_sd_min\n"
        "V2,Gaudi,8,56.1297,0.0305\nV2,Gaudi,16,33.2557,0.164\nV2,Gaudi,32,17.3816,0.133\n"
        "V2,Gaudi,64,9.47855,0.166\nV2,Gaudi,128,5.4088,0.0539\nV2,Gaudi,256,3.38648,0.0704\n"
    )
    path = tmp_path / "series.csv"
    path.write_text(series)
    table = read_table(path, where={"series": "V2"})
    assert table.seconds(8).tolist() == [60 * 56.1297]  # and not the spread, which has a unit too
    fit = fitting.fit_amdahl(table, rng=np.random.default_rng(0))
    assert "4 degrees of freedom" in fit.basis
    # The serial fraction of the two ends alone, by hand: T(256) / T(8) = 0.06033.
    between = (0.06033 / 8 - 1 / 256) / (1 - 1 / 256 - 0.06033 * (1 - 1 / 8))
    assert between in fit.parameters["serial_fraction"]
    # Over 8 workers the largest was 16.57 times as fast.
    assert 16.57 in fit.predict(256, over=8, new_rounds=1)[0]


def test_repeats_without_rounds_are_not_paired():
    rng = np.random.default_rng(10)
    seconds = np.exp(0.05 * rng.standard_normal(6))
    times = {(1, "step"): seconds, (2, "step"): 0.6 * seconds}
    paired = fitting.fit_amdahl(Table("x", times, paired=True), rng=rng)
    apart = fitting.fit_amdahl(Table("x", times, paired=False), rng=rng)
    assert paired.parameters["serial_fraction"].width < 1e-9
    assert apart.parameters["serial_fraction"].width > 0.05
    assert "not paired" in apart.basis


def test_more_rounds_narrow_the_interval():
    rng = np.random.default_rng(3)
    widths = []
    for rounds in (5, 20, 80):
        low, high = many_intervals(
            many_logs(0.1, (1, 2, 4), rounds, 0.03, 100, rng), (1, 2, 4), rng
        )
        widths.append(np.median(high - low))
    # Twice the rounds twice over: half as wide, less where Student's t has few rounds.
    assert widths[0] > 1.8 * widths[1] > 1.8 * 1.7 * widths[2]


# speedups -----------------------------------------------------------------------------------------


def test_speedups_pair_the_rounds():
    # Every round of the machine is differently slow, and both configurations alike: the ratio of
    # the same round is exactly 2, so its interval is a point.
    slowness = np.array([1.0, 1.7, 0.6, 2.4])
    interval = fitting.speedups(run_of({1: 2 * slowness, 2: slowness}))[2]
    assert (interval.low, interval.high) == (pytest.approx(2), pytest.approx(2))


def test_speedup_intervals_hold_the_truth_as_often_as_they_say():
    def trial(rng):
        run = synthetic_run(0.1, (1, 2), 6, 0.03, rng)
        return 1 / (0.1 + 0.45) in fitting.speedups(run)[2]

    assert 0.93 <= statistics.coverage(trial, 2000, seed=4).estimate <= 0.97


def test_repeats_have_the_interval_of_welch():
    rng = np.random.default_rng(11)
    one, two = np.exp(0.1 * rng.standard_normal(5)), np.exp(0.3 * rng.standard_normal(9))
    table = Table("x", {(1, "step"): one, (2, "step"): two}, paired=False)
    interval = fitting.speedups(table)[2]
    expected = stats.ttest_ind(np.log(one), np.log(two), equal_var=False).confidence_interval()
    assert np.log([interval.low, interval.high]) == pytest.approx(list(expected))


# comparison ---------------------------------------------------------------------------------------


def test_the_largest_n_is_guessed_from_the_others():
    rng = np.random.default_rng(0)
    run = synthetic_run(0.1, (1, 2, 4), 3, 0.0, rng)
    errors = fitting.held_out_errors(run, rng=rng)
    assert errors["Amdahl"].error == pytest.approx(0, abs=1e-9)
    # T(1), T(2) = 1, 0.55 make the efficiency 1 / 1.1 and T(4) = 0.275, where 0.325 was measured.
    assert errors["constant efficiency"].error == pytest.approx(0.275 / 0.325 - 1)
    assert errors["USL"].args[0].startswith("workers must hold at least 4 numbers, got [1, 2]")


def test_the_guess_at_a_grown_problem_counts_its_work():
    times = {1: [9.0] * 2, 2: [10.0] * 2, 4: [9 * 4 / 3.4] * 2}
    run = run_of(times, parameters={"batch_per_worker": 8})
    errors = fitting.held_out_errors(run, rng=np.random.default_rng(0))
    assert errors["Gustafson"].measured == pytest.approx(9 * 4 / 3.4)
    assert errors["Gustafson"].error == pytest.approx(0)
    assert "work that grew" in str(errors["Amdahl"])


# refusals -----------------------------------------------------------------------------------------


def test_what_the_data_cannot_identify_is_refused():
    rng = np.random.default_rng(0)
    run = synthetic_run(0.1, (1, 2), 5, 0.01, rng)
    with pytest.raises(fitting.NotIdentifiedError, match="at least two numbers, got \\[2\\]"):
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
    with pytest.raises(fitting.NotIdentifiedError, match="at least 2 rounds"):
        fitting.fit_amdahl(synthetic_run(0.1, (1, 2), 1, 0.01, rng), rng=rng)
    with pytest.raises(ValueError, match="level must be inside 0 to 1, got 95"):
        fitting.fit_amdahl(run, rng=rng, level=95)


def test_each_law_says_in_one_sentence_why_it_is_not_fitted():
    rng = np.random.default_rng(0)
    found = fitting.fit_all(synthetic_run(0.1, (1, 2, 4), 5, 0.01, rng), rng=rng)
    refused = {law: str(why) for law, why in found.items() if isinstance(why, ValueError)}
    assert set(refused) == {"Amdahl with measured communication", "USL", "Gustafson"}
    assert "three unknowns" in refused["USL"]
    assert "'compute'" in refused["Amdahl with measured communication"]
    assert "the same work at every N" in refused["Gustafson"]
    assert all("\n" not in why and not why.endswith(".") for why in refused.values())
    weak = synthetic_run(0.1, (1, 2), 5, 0.01, rng, parameters={"batch_per_worker": 4})
    assert "work that grew" in str(fitting.fit_all(weak, rng=rng)["Amdahl"])
    two = Table("x", {(1, "step"): (1.0,), (2, "step"): (0.6,)}, paired=False)
    assert "no scatter is left" in str(fitting.fit_all(two, rng=rng)["Amdahl"])


def test_new_rounds_must_be_a_number_of_rounds():
    rng = np.random.default_rng(0)
    fit = fitting.fit_amdahl(synthetic_run(0.1, (1, 2), 5, 0.01, rng), rng=rng)
    for wrong in (0, 1.5, True):
        with pytest.raises(ValueError, match="new_rounds must be a whole number"):
            fit.predict(4, new_rounds=wrong)
