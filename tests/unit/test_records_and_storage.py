"""Records refuse what cannot be; files are whole or not there."""

import dataclasses
import json

import pytest

from amdahl_lab import recorded, storage
from amdahl_lab.records import Interval, Machine, ScalingRun, Timing

MACHINE = Machine("test", "Linux x86_64", "made up", 2, 4, 2**33, {"python": "3.12"})
RUN = ScalingRun(
    experiment="example",
    machine=MACHINE,
    timings=(
        Timing(1, "step", (0.2, 0.21), (0.3,)),
        Timing(2, "step", (0.11, 0.12), (0.2,)),
        Timing(2, "communication", (0.01, 0.02), (0.05,)),
    ),
    parameters={"batch": 512, "seed": 1},
    started="2026-01-01T00:00:00Z",
    load_before=0.1,
    load_after=1.2,
    rounds_planned=2,
)


def test_a_run_tells_what_it_holds():
    assert RUN.workers == (1, 2)
    assert RUN.phases == ("step", "communication")
    assert RUN.rounds == 2
    assert RUN.seconds(2, "communication").tolist() == [0.01, 0.02]
    assert not RUN.oversubscribed(2)


def test_more_threads_than_usable_cores_is_oversubscribed():
    narrow = dataclasses.replace(RUN, machine=dataclasses.replace(MACHINE, cores_usable=1.5))
    assert narrow.oversubscribed(2)
    assert not narrow.oversubscribed(1)


def test_a_run_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RUN.experiment = "other"
    with pytest.raises(TypeError):
        RUN.parameters["batch"] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timings": ()}, "at least one Timing"),
        ({"timings": (RUN.timings[0], RUN.timings[0])}, "(1, 'step') twice"),
        ({"timings": (RUN.timings[0], Timing(2, "step", (0.1,)))}, "same number of rounds"),
    ],
)
def test_impossible_runs_are_refused(change, message):
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(RUN, **change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, "step", (1.0,)), "workers must be a whole number, at least 1, got 0"),
        ((1.5, "step", (1.0,)), "got 1.5"),
        ((True, "step", (1.0,)), "got True"),
        ((1, "", (1.0,)), "phase must be a name"),
        ((1, "step", ()), "at least one round"),
        ((1, "step", (0.0,)), "seconds must be finite and above 0, got 0.0"),
        ((1, "step", (float("nan"),)), "got nan"),
        ((1, "step", (1.0,), (float("inf"),)), "warmups must be finite and above 0, got inf"),
    ],
)
def test_impossible_timings_are_refused(values, message):
    with pytest.raises(ValueError) as caught:
        Timing(*values)
    assert message in str(caught.value)


def test_a_phase_that_was_not_measured_is_named():
    with pytest.raises(
        ValueError, match="workers 4, phase 'step': not measured; there is 1 'step'"
    ):
        RUN.seconds(4)


def test_intervals_print_themselves_and_refuse_disorder():
    assert f"{Interval(1.834, 1.79, 1.871):.2f}" == "1.83 (95% interval 1.79 to 1.87)"
    assert 1.8 in Interval(1.834, 1.79, 1.871)
    assert 1.7 not in Interval(1.834, 1.79, 1.871)
    with pytest.raises(ValueError, match="low must be at most high"):
        Interval(1, 2, 0)
    with pytest.raises(ValueError, match="low must be at most high"):
        Interval(1, float("nan"), 2)
    with pytest.raises(ValueError, match="level"):
        Interval(1, 0, 2, level=95)


def test_a_run_comes_back_as_it_was(tmp_path):
    path = storage.save_run(RUN, tmp_path / "new folder" / "run.json")
    assert storage.load_run(path) == RUN
    assert [file.name for file in path.parent.iterdir()] == ["run.json"]
    longer = dataclasses.replace(RUN, rounds_planned=10)
    storage.save_run(longer, path)  # a run may replace a run
    assert storage.load_run(path) == longer


def test_foreign_and_damaged_files_get_one_error_and_stay_as_they_are(tmp_path):
    whole = storage.save_run(RUN, tmp_path / "run.json").read_text()
    contents = {
        "cut short": whole[: len(whole) // 2],
        "not a file of format": json.dumps({"a": 1}),
        "version 99": whole.replace('"version": 1', '"version": 99'),
        "not a valid run": whole.replace('"seconds": [', '"seconds": [-1.0,'),
        "is not JSON": "hello",
    }
    for message, content in contents.items():
        path = tmp_path / "other.json"
        path.write_text(content)
        with pytest.raises(ValueError, match=message):
            storage.load_run(path)
        with pytest.raises(ValueError, match=message):
            storage.save_run(RUN, path)
        assert path.read_text() == content


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = storage.save_run(RUN, tmp_path / "run.json")
    before = path.read_text()
    with pytest.raises(ValueError, match="JSON"):
        storage.save_run(dataclasses.replace(RUN, load_after=float("nan")), path)
    assert path.read_text() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_every_reference_run_loads_and_names_its_machine():
    for name in recorded.reference_runs():
        run = recorded.reference_run(name)
        assert run.machine.processor
        assert run.rounds == run.rounds_planned


def test_an_unknown_reference_run_is_refused():
    with pytest.raises(ValueError, match="name must be a reference run"):
        recorded.reference_run("no such run")
