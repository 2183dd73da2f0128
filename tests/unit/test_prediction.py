"""Predict, then run: counts against torch's own, known machines recovered, honest intervals."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from amdahl_lab.prediction import (
    Job,
    Measured,
    ObservedJob,
    Predicted,
    as_it_was,
    at_usual_speed,
    fit,
    fit_rivals,
    freeze,
    score,
    thaw,
    usual_looks,
)
from amdahl_lab.prediction.campaign import Series, outcomes
from amdahl_lab.prediction.design import GRIDS, calibration_jobs, drawn_jobs
from amdahl_lab.prediction.model import COSTS, NAMES, USUAL
from amdahl_lab.prediction.operations import PHASES, step_of
from amdahl_lab.prediction.rivals import flops
from amdahl_lab.recorded.campaign import FOLDER

OWN = 0.04  # spread of what the form leaves out, in the test of coverage
PEER = {"workers": 2, "transport": "gloo"}


def truth(**costs: float) -> dict[str, float]:
    """A machine unlike the usual one: every cost off by a factor of its own."""
    rng = np.random.default_rng(11)
    usual = {name: USUAL.get(name, 0.05) * np.exp(rng.uniform(-0.7, 0.7)) for name in NAMES}
    return usual | costs


def phases_on(machine: dict[str, float], job: Job) -> dict[str, float]:
    """The seconds of a job's phases on a known machine, added up term by term."""
    seconds = {}
    for phase, units in step_of(job).phases.items():
        seconds[phase] = 0.0
        for name, number in units.items():
            word = name.rsplit("_", 1)[1]
            kind = {"calls": "calls", "moved": "memory"}.get(word, "arithmetic")
            slowed = 1 + machine[f"contention_{kind}"] * (job.workers - 1)
            seconds[phase] += number * machine[name] * (1.0 if phase == "exchange" else slowed)
    busy = sum(value for phase, value in seconds.items() if phase != "exchange")
    largest_of_two = 1 / np.sqrt(np.pi) if job.workers == 2 else 0.0
    seconds["step"] = sum(seconds.values()) + machine["jitter"] * largest_of_two * busy
    return {name: value for name, value in seconds.items() if value > 0}


def observed_on(machine, job, rng=None, noise=0.0) -> ObservedJob:
    seconds = phases_on(machine, job)
    if rng is not None:
        seconds = {name: value * np.exp(noise * rng.normal()) for name, value in seconds.items()}
    if job.arrangement == "tensor":
        seconds = {"step": seconds["step"]}
    return ObservedJob(job, seconds, dict.fromkeys(seconds, max(noise, 1e-3)))


def test_a_dense_layer_is_counted_as_torch_counts_it():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    from amdahl_lab.parallel.workloads.shaped import shaped

    for family, width, depth, batch in (
        ("perceptron", 48, 3, 16),
        ("convolution", 16, 2, 8),
        ("transformer", 32, 2, 4),
    ):
        workload = shaped(family, width, depth, batch)
        model, counter = workload.model(), FlopCounterMode(display=False)
        with counter:
            workload.loss(model, workload.load(0)).backward()
        job = Job(family, width, depth, batch)
        assert flops(job) == counter.get_total_flops(), family
        trained = [each for each in model.parameters() if each.requires_grad]
        step = step_of(job)
        assert step.parameters == sum(each.numel() for each in trained), family
        assert step.tensors == len(trained), family
    assert torch.is_grad_enabled()


def test_a_known_machine_is_recovered():
    """From exact times the model predicts every other job of that machine."""
    machine = truth()
    found = fit([observed_on(machine, job) for job in calibration_jobs()])
    rng = np.random.default_rng(3)
    jobs = drawn_jobs(100, rng)
    seconds, _ = found.predict(jobs)
    true = np.array([phases_on(machine, job)["step"] for job in jobs])
    assert np.abs(seconds / true - 1).max() < 0.05
    assert found.costs()["gloo_messages"] == pytest.approx(machine["gloo_messages"], rel=0.1)
    assert found.costs()["product_flops"] == pytest.approx(machine["product_flops"], rel=0.1)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Machines drawn at random whose jobs depart from the form, each in its own way."""
    inside = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        machine = {name: value * np.exp(0.5 * rng.normal()) for name, value in truth().items()}

        def run(job, machine=machine, rng=rng):
            seen = observed_on(machine, job, rng, 0.03)
            factor = np.exp(OWN * rng.normal())
            return replace(seen, seconds={k: v * factor for k, v in seen.seconds.items()})

        found = fit([run(job) for job in calibration_jobs()])
        jobs = drawn_jobs(40, rng)
        seconds, half = found.predict(jobs, noise=0.03)
        true = np.array([run(job).seconds["step"] for job in jobs])
        inside.append(np.mean(np.abs(np.log(true / seconds)) <= half))
    assert 0.90 <= np.mean(inside) <= 0.995


def test_what_was_not_calibrated_is_predicted_with_a_wide_interval():
    jobs = [job for job in calibration_jobs() if job.family == "perceptron" and job.workers == 1]
    jobs += [Job("perceptron", 96, 2, 48), Job("perceptron", 320, 5, 200)]
    found = fit([observed_on(truth(), job) for job in jobs])
    _, known = found.predict([Job("perceptron", 256, 3, 96)])
    _, unknown = found.predict([Job("convolution", 32, 3, 96)])
    assert unknown > 5 * known


def test_the_mood_of_the_machine_cancels():
    """A machine twice as slow in every other round: the ratio to the reference does not see it."""
    job, mood = Job("perceptron", 128, 2, 32), np.array([1.0, 2.0, 1.0, 2.0])
    run = Measured(job, {"step": 0.01 * mood}, 0.002 * mood)
    (still,) = at_usual_speed([run], {1: 0.002})
    assert still.seconds["step"] == pytest.approx(0.01)
    assert still.spread["step"] == pytest.approx(0, abs=1e-12)
    assert as_it_was(run).seconds["step"] == pytest.approx(0.01 * np.sqrt(2))
    assert as_it_was(run).spread["step"] == pytest.approx(np.log(2) / np.sqrt(3) / 2)
    assert usual_looks([run]) == {1: pytest.approx(0.002 * np.sqrt(2))}


def test_amdahls_machine_is_predicted_by_amdahl_and_a_slow_one_only_by_usl():
    """Times that obey a law are predicted by it to rounding; no law predicts what it forbids."""

    def run(job: Job, two: float) -> ObservedJob:
        times = two if job.workers == 2 else 1
        return ObservedJob(job, {"step": 1e-9 * flops(job) ** 0.9 * times}, {"step": 0.01})

    new = [Job("perceptron", 300, 5, 100, "data", **PEER), Job("transformer", 80, 2, 20)]
    for two, right, wrong in (
        (0.6, ("constant efficiency", "Amdahl", "USL"), ()),
        (1.4, ("constant efficiency", "USL"), ("Amdahl",)),
    ):
        rivals = fit_rivals([run(job, two) for job in calibration_jobs()])
        true = [run(job, two).seconds["step"] for job in new]
        for law in right:
            assert rivals[law].predict(new)[0] == pytest.approx(true, rel=1e-6), (two, law)
        for law in wrong:
            assert rivals[law].predict(new)[0][0] < 0.8 * true[0], (two, law)


def test_calibration_and_test_do_not_share_a_job():
    jobs = calibration_jobs()
    assert len(jobs) == len(set(jobs)) <= 12
    drawn = drawn_jobs(64, np.random.default_rng(0))
    assert len(drawn) == len(set(drawn)) == 64
    assert not set(drawn) & set(jobs)
    assert {job.family for job in drawn} == set(GRIDS)
    assert {job.workers for job in drawn} == {1, 2}


def test_what_is_frozen_stays(tmp_path):
    jobs = (Job("perceptron", 128, 2, 32), Job("transformer", 64, 1, 8, "data", **PEER))
    predicted = Predicted(jobs, {1: 0.002, 2: 0.003}, {"model": (0.1, 0.2)}, {"model": (0.1, 0.1)})
    path = tmp_path / "frozen.json"
    digest = freeze(predicted, path)
    again, moment, same = thaw(path)
    assert (again, same) == (predicted, digest)
    assert moment.endswith("+00:00")
    with pytest.raises(ValueError, match="path must be a new file, got frozen.json"):
        freeze(predicted, path)
    content = json.loads(path.read_text())
    content["predictions"]["seconds"]["model"][0] = 0.11
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="frozen.json was changed after it was frozen"):
        thaw(path)


def test_the_recorded_campaign_is_whole():
    """What the book shows: twelve runs or fewer, none predicted, all predicted before they ran."""
    calibration, ran = (Series.load(FOLDER / f"{name}.json") for name in ("calibration", "run"))
    drawn, moment, _ = thaw(FOLDER / "predicted.json")
    crowded, _, _ = thaw(FOLDER / "oversubscribed.json")
    assert len(calibration.runs) <= 12
    assert calibration.seconds < 300
    assert len(drawn.jobs) >= 60
    assert {run.job for run in ran.runs} == {*drawn.jobs, *crowded.jobs}
    assert not {run.job for run in calibration.runs} & set(drawn.jobs)
    assert calibration.started < moment <= ran.started
    assert calibration.machine == ran.machine


def test_a_series_comes_back_from_its_file(tmp_path):
    series = Series.load(FOLDER / "calibration.json")
    series.save(tmp_path / "again.json")
    assert Series.load(tmp_path / "again.json") == series


def test_what_was_predicted_must_have_been_run():
    runs = [Measured(Job("perceptron", 8, 2, batch), {"step": (1, 1)}, (1, 1)) for batch in (4, 8)]
    predicted = Predicted(tuple(run.job for run in runs), {1: 1.0}, {}, {})
    assert outcomes(predicted, runs[::-1]).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="got none of perceptron 8x2, batch 8"):
        outcomes(predicted, runs[:1])


def test_a_score_counts_errors_and_hits():
    found = score([1.0, 1.0, 1.0, 1.0], [0.1, 0.1, 0.1, 0.3], [1.0, 1.25, 0.8, 1.25])
    assert found.median == pytest.approx(0.2)
    assert found.coverage == 0.5
    assert found.worst_of_twenty == pytest.approx(0.2 + 0.85 * 0.05)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Job("tree", 8, 2, 8), "family must be one of perceptron, convolution"),
        (lambda: Job("perceptron", 0, 2, 8), "width must be a whole number, at least 1, got 0"),
        (lambda: Job("perceptron", 8, 2, 8, "data"), "arrangement must be serial on one worker"),
        (
            lambda: Job("perceptron", 8, 2, 8, "data", 2),
            "transport must be none on one worker only",
        ),
        (
            lambda: Job("convolution", 8, 2, 8, "tensor", **PEER),
            "arrangement must be serial or data for convolution",
        ),
        (lambda: fit([]), "observed must hold at least 4 runs, got 0"),
        (
            lambda: Measured(Job("perceptron", 8, 2, 8), {"step": (1.0, 0.0)}, (1.0, 1.0)),
            "step must hold 2 finite times above 0",
        ),
        (
            lambda: as_it_was(Measured(Job("perceptron", 8, 2, 8), {"step": (1.0,)}, (1.0,))),
            "run must have at least 2 rounds, got 1",
        ),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_every_cost_is_seen_by_the_calibration():
    """A cost that no calibration run pays could only be guessed."""
    paid = set(
        itertools.chain(*(step_of(job).phases[p] for job in calibration_jobs() for p in PHASES))
    )
    assert paid == set(COSTS)
