"""A scaling report: what a run tells, what its author must, and what lacks."""

import numpy as np
import pytest

from amdahl_lab import reporting
from amdahl_lab.recorded import reference_run
from amdahl_lab.records import Machine, ScalingRun, Timing


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def run_on(cores, workers=(1, 2, 4)):
    machine = Machine("bench", "Linux", "cpu", cores, 8, 0, {"torch": "2"})
    noise = (1.0, 1.02, 0.99)
    timings = [
        Timing(N, "step", tuple((0.2 + 0.8 / N) * each for each in noise), (1.0,)) for N in workers
    ]
    return ScalingRun("toy", machine, tuple(timings), {"batch": 8}, "2026-01-01", 0.1, 0.2, 3)


def test_a_run_with_three_numbers_of_workers_holds_one_out(rng):
    report = reporting.from_run(run_on(8.0), rng=rng)
    assert "Amdahl: serial fraction 0.2 (" in report["law"]
    assert report["held out"].startswith("at N = 4: Amdahl")
    assert "N = 2: 1.67" in report["speedups"]  # 1 / (0.2 + 0.4)
    assert "stays the same" in report["workload"]
    assert set(reporting.missing(report)) == {
        "question",
        "baseline",
        "equality",
        "left over",
        "target",
        "limits",
    }


def test_two_numbers_within_the_cores_test_no_law(rng):
    report = reporting.from_run(run_on(2.0), rng=rng)
    assert "assumed, not tested" in report["held out"]
    assert "(oversubscribed)" in report["speedups"]


def test_the_reference_run_tells_its_phases(rng):
    report = reporting.from_run(reference_run("digits_scaling"), rng=rng)
    assert "shares of the step at N = 2: compute" in report["left over"]
    assert "communication" in report["left over"]


def test_what_lacks_stands_in_the_text_as_a_question():
    full = dict.fromkeys(reporting.ITEMS, "said")
    assert reporting.missing(full) == []
    assert "Missing" not in reporting.text(full)
    text = reporting.text({**full, "baseline": "  "})
    assert text.count("Missing") == 1
    assert reporting.ITEMS["baseline"] in text
    with pytest.raises(ValueError, match="items must be of question, .* got basline"):
        reporting.missing({"basline": "one worker"})
