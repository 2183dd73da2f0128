"""Time to train split, its ceilings and its guesses, on series whose truth was put in."""

import csv
import itertools
import re

import numpy as np
import pytest

from amdahl_lab import laws
from amdahl_lab.fitting import NotIdentifiedError
from amdahl_lab.recorded.published import FOLDER, MLPERF_NOTICE, published_table
from amdahl_lab.time_to_train import (
    LAWS,
    Guess,
    Series,
    fit_half_efficiency_batch,
    fit_samples_to_target,
    held_out_guesses,
    published_series,
    read_series,
    reference_points,
    split_of_loss,
    usl_ridge,
)


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def made(workers, batches, half=20.0, critical=1e4, fewest=1e6, each=1e-3):
    """Return a series in which step and samples follow their laws exactly."""
    N, B = np.array(workers, dtype=float), np.array(batches, dtype=float)
    rates = N / (each * (1 + half * N / B))
    samples = fewest * (1 + B / critical)
    return Series("made", "made", tuple(workers), tuple(samples / rates), tuple(rates), tuple(B))


# ---- the laws -----------------------------------------------------------------------------------


def test_the_best_batch_beats_all_others_and_splits_the_loss_in_half():
    for N, h, B_c in itertools.product((1, 16, 4096), (0.5, 30.0), (1e3, 1e5)):
        best = laws.best_batch(N, h, B_c)
        grid = best * np.geomspace(1e-2, 1e2, 2001)
        times = laws.training_time(N, grid, h, B_c)
        assert grid[times.argmin()] == pytest.approx(best, rel=0.01)
        assert times.min() == pytest.approx(laws.best_training_time(N, h, B_c), rel=1e-6)
        machine = laws.machine_efficiency(best / N, h)
        assert machine == pytest.approx(laws.optimiser_efficiency(best, B_c))


def test_half_of_a_step_is_lost_at_the_half_efficiency_batch_and_samples_double_at_the_critical():
    assert laws.machine_efficiency(36, 36) == 0.5
    assert laws.optimiser_efficiency(47_000, 47_000) == 0.5
    assert laws.optimiser_efficiency(47_000, np.inf) == 1.0


def test_with_a_fixed_batch_the_step_is_amdahls_law_and_with_a_growing_one_it_never_slows():
    # One worker spends a = 3 and 12 x b = 12 of 15 seconds: s = 0.2.
    one = laws.training_time(1, 12, 3, np.inf)
    for N in (2, 7, 100):
        assert one / laws.training_time(N, 12, 3, np.inf) == pytest.approx(
            laws.amdahl_speedup(N, 0.2)
        )
        assert one / laws.training_time(N, 12 * N, 3, np.inf) == pytest.approx(N)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: laws.machine_efficiency(0, 1), "batch_per_worker must be finite and above 0"),
        (lambda: laws.optimiser_efficiency(1, -1), "critical_batch must be finite and above 0"),
        (lambda: laws.best_batch(0.5, 1, 1), "workers must be finite and at least 1"),
        (lambda: laws.training_time([1, 2], [1, 2, 3], 1, 1), "shapes do not match"),
    ],
)
def test_what_no_training_can_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- the split ----------------------------------------------------------------------------------


def test_a_known_split_is_found(rng):
    # Twice the workers, 0.8 of twice the rate and 1.25 times the samples: half and half.
    series = Series("toy", "toy", (4, 8), (100.0, 100 * 1.25 / 1.6), (50.0, 80.0))
    (split,) = split_of_loss(series, rng=rng)
    assert split.machine.estimate == pytest.approx(0.8)
    assert split.optimiser.estimate == pytest.approx(0.8)
    assert split.efficiency.estimate == pytest.approx(0.64)
    assert split.machine_share.estimate == pytest.approx(0.5)
    assert split.speedup.width == 0  # nothing tells how far the times stray


def test_all_of_a_loss_can_be_one_sides(rng):
    fixed_batch = made((1, 4, 16), (64, 64, 64))
    assert split_of_loss(fixed_batch, rng=rng)[-1].machine_share.estimate == pytest.approx(1)
    fixed_share = made((1, 4, 16), (64, 256, 1024))
    assert split_of_loss(fixed_share, rng=rng)[-1].machine_share.estimate == pytest.approx(0)


def test_a_series_without_rates_cannot_be_split(rng):
    with pytest.raises(ValueError, match="'toy' must have both times and rates"):
        split_of_loss(Series("toy", "toy", (1, 2), (2.0, 1.0)), rng=rng)


@pytest.mark.parametrize(("runs", "dropped"), [(5, 2), (10, 2), (3, 2), (4, 0)])
def test_intervals_of_speedups_hold_the_truth_as_often_as_they_say(runs, dropped):
    rng, trials, held = np.random.default_rng(runs), 1500, 0
    cut = dropped // 2
    normal = np.sort(rng.standard_normal((trials, 2, runs)), axis=2)
    spread = np.array([0.02, 0.05])
    means = np.log(100) + spread * normal[:, :, cut : runs - cut].mean(axis=2)
    sds = spread * normal.std(axis=2, ddof=1)
    base = Series("a", "a", (1, 2), (1.0, 1.0), (1.0, 1.0), (), (1.0, 1.0), (runs,) * 2, dropped)
    pivots = base.log_time_draws(4000, rng)
    for mean, sd in zip(means, sds, strict=True):
        low, high = np.quantile((pivots * sd) @ [1, -1], [0.025, 0.975])
        held += low <= -(mean[0] - mean[1]) <= high
    share = held / trials
    assert 0.93 < share < 0.995  # of two spreads that differ the interval is a little too wide


def test_a_spread_widens_all_and_either_side_may_have_strayed(rng):
    series = Series("toy", "toy", (4, 8), (100.0, 78.0), (50.0, 80.0), (), (0.02, 0.03), (5, 5), 2)
    (split,) = split_of_loss(series, rng=rng)
    relative = [
        interval.high / interval.low
        for interval in (split.speedup, split.efficiency, split.machine, split.optimiser)
    ]
    assert relative == pytest.approx([relative[0]] * 4)
    assert relative[0] > 1.05
    assert split.machine_share.low < split.machine_share.estimate < split.machine_share.high


def test_what_looks_like_one_sides_loss_may_have_been_the_others(rng):
    """The machine kept its efficiency; what strayed may still have been its time."""
    series = Series("toy", "toy", (4, 8), (100.0, 90.0), (50.0, 100.0), (), (0.02, 0.03), (5, 5), 2)
    (split,) = split_of_loss(series, rng=rng)
    assert split.machine.estimate == 1
    assert split.machine_share.low < 0 < split.machine_share.high


def test_of_three_runs_of_which_two_are_dropped_the_middle_one_counts():
    rng = np.random.default_rng(3)
    series = Series("a", "a", (1, 2), (1.0, 1.0), (1.0, 1.0), (), (1.0, 1.0), (3, 3), 2)
    drawn = np.abs(series.log_time_draws(40_000, rng)[:, 0])
    runs = rng.standard_normal((40_000, 3))
    middle = np.abs(np.median(runs, axis=1) / runs.std(axis=1, ddof=1))
    assert np.quantile(drawn, [0.5, 0.9]) == pytest.approx(
        np.quantile(middle, [0.5, 0.9]), rel=0.03
    )


def test_runs_that_were_dropped_count_for_the_spread(tmp_path):
    path = tmp_path / "logged.csv"
    path.write_text("workers,minutes,minutes_sd,runs_used\n8,30,0.3,3\n64,5,0.1,8\n")
    (series,) = read_series(path).values()
    assert series.seconds == pytest.approx((1800, 300))
    assert (series.runs, series.dropped) == ((5, 10), 2)
    assert series.spreads == pytest.approx((0.01, 0.02))


# ---- the ceilings -------------------------------------------------------------------------------


def test_the_ceilings_that_were_put_in_are_found(rng):
    series = made((8, 64, 512, 4096), (4096, 4096, 32768, 65536), half=24, critical=5e4)
    step = fit_half_efficiency_batch(series, rng=rng)
    assert step.half_efficiency_batch.estimate == pytest.approx(24, rel=1e-4)
    assert step.seconds_per_step.estimate == pytest.approx(0.024, rel=1e-4)
    batch = fit_samples_to_target(series.batches, series.samples, rng=rng)
    assert batch.critical_batch.estimate == pytest.approx(5e4, rel=1e-4)
    assert batch.fewest_steps.estimate == pytest.approx(1e6 / 5e4, rel=1e-4)
    assert max(map(abs, (*step.residuals, *batch.residuals))) < 1e-5


def test_samples_that_do_not_grow_have_no_critical_batch(rng):
    fit = fit_samples_to_target([100, 200, 400, 800], [1e6, 1e6, 1e6, 1e6], rng=rng)
    assert fit.critical_batch.estimate == np.inf
    assert fit.fewest_steps.estimate == 0


def test_the_interval_of_the_critical_batch_holds_it():
    rng, held = np.random.default_rng(3), 0
    B = np.geomspace(1e3, 1e5, 6)
    for _ in range(200):
        D = 1e6 * (1 + B / 3e4) * np.exp(0.04 * rng.standard_normal(6))
        held += 3e4 in fit_samples_to_target(B, D, rng=rng).critical_batch
    assert 180 <= held <= 199


def test_two_points_are_refused(rng):
    with pytest.raises(NotIdentifiedError, match="at least 3 values, got 2"):
        fit_samples_to_target([1, 2], [3, 4], rng=rng)
    with pytest.raises(NotIdentifiedError, match="must have rates and batches"):
        fit_half_efficiency_batch(Series("t", "t", (1, 2, 4), (3.0, 2.0, 1.0)), rng=rng)


# ---- guesses ------------------------------------------------------------------------------------

TRUE = {
    "Amdahl": lambda N: laws.amdahl_speedup(N, 0.02),
    "USL": lambda N: laws.usl_speedup(N, 0.02, 0.0001),
    "Gustafson": lambda N: laws.gustafson_speedup(N, 0.3),
    "constant efficiency": lambda N: np.where(N[0] < N, 0.7 * N, N),
    "Amdahl with communication": lambda N: 1 / (1 / N + 0.02 * (1 - 1 / N) + 0.01 * np.log2(N)),
    "last efficiency": lambda N: N,
    "straight line": lambda N: N**0.8,
}


@pytest.mark.parametrize("law", TRUE)
def test_a_law_guesses_the_point_of_its_own_series(law):
    N = np.array([1, 2, 8, 16, 64])
    series = Series("made", "made", tuple(N.tolist()), rates=tuple(1e3 * TRUE[law](N)))
    guesses = held_out_guesses(series)
    assert guesses[law].error == pytest.approx(0, abs=1e-4)
    assert isinstance(guesses["Amdahl per step"], NotIdentifiedError)


def test_the_law_of_the_step_knows_when_the_batch_changes_and_amdahls_does_not():
    # The batch for each worker shrinks and then stays, as in the published BERT series.
    series = made((8, 64, 1024, 4096), (512, 3072, 4096, 16384), half=9)
    guesses = held_out_guesses(series)
    assert guesses["Amdahl per step"].error == pytest.approx(0, abs=1e-5)
    assert guesses["Amdahl"].error > 1
    assert held_out_guesses(series, "time")["Amdahl"].error != guesses["Amdahl"].error


def test_a_batch_that_grows_with_the_workers_hides_what_a_step_takes_at_least(rng):
    series = made((1, 2, 4, 8), (64, 128, 256, 512))
    with pytest.raises(NotIdentifiedError, match="batch per worker must change with N, got 64"):
        fit_half_efficiency_batch(series, rng=rng)
    assert "got 64 at every N" in str(held_out_guesses(series)["Amdahl per step"])
    assert held_out_guesses(series)["last efficiency"].error == pytest.approx(0, abs=1e-9)


def test_what_is_held_out_does_not_reach_the_guess():
    series = published_series()["V4"]
    changed = Series("V4", "", series.workers, rates=(*series.rates[:-1], 1.0))
    for law in ("Amdahl", "USL", "Gustafson", "straight line"):
        assert held_out_guesses(changed)[law].predicted == pytest.approx(
            held_out_guesses(series)[law].predicted
        )


def test_a_law_with_more_unknowns_than_points_is_refused_with_a_sentence():
    guesses = held_out_guesses(Series("t", "t", (1, 2, 4), (4.0, 2.5, 1.7)))
    assert "3 unknowns must see at least 3 numbers of workers, got 2" in str(guesses["USL"])
    assert isinstance(guesses["Amdahl"], Guess)


# ---- the ridge ----------------------------------------------------------------------------------


def test_the_ridge_is_zero_at_the_truth_and_steep_across_it():
    N, sigma, kappa = np.array([8, 64, 512]), np.array([0.0, 0.01, 0.1]), np.array([0.0, 1e-5])
    surface = usl_ridge(N, 1 / laws.usl_speedup(N, 0.01, 1e-5), 0.02, sigma, kappa)
    assert surface[1, 1] == surface.min() == 0
    assert surface[2, 0] > 100
    doubled = usl_ridge(N, 1 / laws.usl_speedup(N, 0.01, 1e-5), 0.04, sigma, kappa)
    assert doubled == pytest.approx(surface / 4)


def test_a_ridge_does_not_depend_on_the_unit_of_time():
    N, seconds = np.array([4, 16, 64]), np.array([10.0, 3.0, 1.1])
    grid = np.linspace(0, 0.1, 5), np.linspace(0, 1e-3, 5)
    minutes = usl_ridge(N, seconds / 60, 0.03, *grid)
    np.testing.assert_allclose(usl_ridge(N, seconds, 0.03, *grid), minutes, rtol=1e-9, atol=1e-9)


# ---- the published series ------------------------------------------------------------------------


def test_eleven_series_are_there_and_name_whose_they_are():
    series = published_series()
    assert list(series) == ["V1", "V2", "V4", "V6", "N2", "N3", "N4", "R2", "R3", "P2", "P4"]
    assert sum(len(each.workers) for each in series.values()) == 53
    for each in series.values():
        assert each.mlperf == (each.name not in ("P2", "P4"))
        assert ("MLPerf® Training v" in each.title) == each.mlperf
    assert series["V4"].title == "ResNet-50, A100, NVIDIA, MLPerf® Training v2.0"
    assert "Result not verified by MLCommons Association" in MLPERF_NOTICE


def test_the_a100_series_gained_90_from_527_and_lost_as_much_to_the_optimiser_as_to_the_machine(
    rng,
):
    split = split_of_loss(published_series()["V4"], rng=rng)[-1]
    assert split.workers / split.over == 527
    assert split.speedup.estimate == pytest.approx(28.6854 / 0.319472)  # minutes of the table
    assert split.machine.estimate == pytest.approx(5.74804e6 / 26053.3 / 527)
    assert split.optimiser.estimate == pytest.approx(4.484084e7 / 1.101804e8, rel=1e-3)
    assert split.machine_share.low < 0.5 < split.machine_share.high + 0.01


def test_the_samples_that_were_logged_are_time_times_rate():
    for row in published_table("scaling_series"):
        if row["samples_to_converge"]:
            seconds = 60 * float(row["time_to_train_min"])
            implied = seconds * float(row["throughput_samples_per_s"])
            assert implied == pytest.approx(float(row["samples_to_converge"]), rel=0.025)


def test_reference_points_agree_with_what_the_runs_of_the_series_needed():
    # ResNet-50 on 35 epochs of 1,281,167 images; BERT in samples; GPT-3 in 2,048-token sequences.
    near = {
        ("resnet", "V4", 3264): 0.02,
        ("bert", "N2", 16384): 0.02,
        ("gpt3", "N4", 2048): 0.03,
        ("dlrm_dcnv2", "R3", 135168): 0.01,
    }
    for (benchmark, name, batch), tolerance in near.items():
        points, series = reference_points(benchmark), published_series()[name]
        at = points.samples[points.batches == batch].item()
        logged = next(
            float(row["samples_to_converge"])
            for row in published_table("scaling_series")
            if row["series"] == name and row["global_batch_size"] == str(batch)
        )
        assert at == pytest.approx(logged, rel=tolerance)
        assert batch in series.batches


@pytest.mark.parametrize("benchmark", ["dlrm_dcnv2", "gpt3", "resnet"])
def test_a_benchmark_has_its_own_points_and_no_others(benchmark):
    rows = published_table("convergence_points")
    own = [float(row["global_batch_size"]) for row in rows if row["benchmark"] == benchmark]
    points = reference_points(benchmark)
    assert sorted([*points.batches, *points.left_out]) == sorted(own)


def test_the_old_dlrm_points_count_one_epoch_more_than_their_runs_did():
    points = {
        row["global_batch_size"]: float(row["mean_to_converge"])
        for row in published_table("convergence_points")
        if row["benchmark"] == "dlrm"
    }
    for row in published_table("scaling_series"):
        if row["series"] == "R2":
            epochs = float(row["samples_to_converge"]) / 4_195_197_692
            assert points[row["global_batch_size"]] - epochs == pytest.approx(1, abs=0.01)
    with pytest.raises(ValueError, match="benchmark must be one of bert, .* got 'dlrm'"):
        reference_points("dlrm")


def test_the_gpt3_point_that_is_left_out_is_one_run_unlike_the_other_six():
    (row,) = (
        row
        for row in published_table("convergence_points")
        if row["benchmark"] == "gpt3" and row["global_batch_size"] == "3072"
    )
    mean, sd = float(row["mean_to_converge"]), float(row["sd"])
    # Six values a and one b have mean a + (b - a) / 7 and standard deviation (b - a) / sqrt(7).
    six = mean - sd / 7**0.5
    others = reference_points("gpt3")
    below, above = (2048 * others.samples[others.batches == b].item() for b in (2048, 4096))
    assert below < six < above
    assert six + sd * 7**0.5 > 11 * six
    assert 3072 in others.left_out


# ---- other people's tables ----------------------------------------------------------------------


def test_a_table_of_the_same_form_is_read_whoever_it_is_from(tmp_path, rng):
    file = tmp_path / "ours.csv"
    file.write_text(
        "n_gpus,hours,samples_per_second,global_batch_size\n1,10,100,64\n2,5.5,190,128\n4,3.2,340,256\n"
    )
    (series,) = read_series(file).values()
    assert (series.name, series.workers) == ("ours", (1, 2, 4))
    assert series.seconds == pytest.approx((36_000, 19_800, 11_520))
    assert split_of_loss(series, rng=rng)[0].machine.estimate == pytest.approx(0.95)
    assert not series.mlperf


def test_repeats_give_spreads_and_samples_give_rates(tmp_path, rng):
    file = tmp_path / "ours.csv"
    rows = [
        "workers,seconds,samples_to_converge",
        *(
            f"{N},{t},{D}"
            for N, t, D in ((1, 100, 1000), (1, 104, 1000), (2, 60, 1100), (2, 57, 1100))
        ),
    ]
    file.write_text("\n".join(rows) + "\n")
    (series,) = read_series(file).values()
    assert series.rates == pytest.approx((1000 / (100 * 104) ** 0.5, 1100 / (60 * 57) ** 0.5))
    assert series.runs == (2, 2)
    (split,) = split_of_loss(series, rng=rng)
    assert split.speedup.low < split.speedup.estimate < split.speedup.high
    assert split.optimiser.estimate == pytest.approx(1000 / 1100)


def test_every_series_of_a_file_is_read_and_one_can_be_chosen():
    path = FOLDER / "scaling_series.csv"
    with path.open(encoding="utf-8") as file:
        names = {row["series"] for row in csv.DictReader(file)}
    assert set(read_series(path)) == names
    assert list(read_series(path, where={"series": "N3"})) == ["N3"]


def test_a_hole_in_a_table_is_named_by_its_line(tmp_path):
    file = tmp_path / "ours.csv"
    file.write_text("workers,seconds\n1,10\n2,\n4,3\n")
    with pytest.raises(ValueError, match="line 3: seconds is empty"):
        read_series(file)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("global_batch_size", "big", "line 3: global_batch_size must be a number, got 'big'"),
        ("global_batch_size", "-256", "line 3: global_batch_size must be finite and above 0"),
        ("samples_to_converge", "many", "line 3: samples_to_converge must be a number"),
        ("samples_to_converge", "-5", "line 3: samples_to_converge must be finite and above 0"),
        ("seconds_sd", "1e999", "line 3: seconds_sd must be finite and above 0"),
        ("runs_used", "0", "line 3: runs_used must be finite and above 0"),
    ],
)
def test_a_number_that_cannot_be_is_named_by_its_line(tmp_path, column, value, said):
    path = tmp_path / "mine.csv"
    path.write_text(f"workers,seconds,{column}\n8,1000,5\n16,560,{value}\n64,200,5\n")
    with pytest.raises(ValueError, match=re.escape(said)):
        read_series(path)


def test_all_laws_have_a_guess_for_every_published_series_with_batches():
    for series in published_series().values():
        guesses = held_out_guesses(series)
        refused = {law for law, guess in guesses.items() if not isinstance(guess, Guess)}
        assert refused == (set() if series.batches else {"Amdahl per step"})
        assert set(LAWS) <= set(guesses)
