"""Reference measurements: refused on a busy machine, before and in the middle; nothing is lost."""

import numpy as np
import pytest

from amdahl_lab import doctor, recording, storage
from amdahl_lab.__main__ import main
from amdahl_lab.machine import CpuUse
from amdahl_lab.parallel import experiments
from amdahl_lab.parallel.references import REFERENCES


class Neighbour:
    """Others keep so many cores busy from some moment on; we keep two busy all the time."""

    def __init__(self, cores: float, after: float = 0.0) -> None:
        self.cores, self.after, self.moment = cores, after, 0.0

    def __call__(self) -> CpuUse:
        self.moment += 6.0
        others = self.cores * max(0.0, self.moment - self.after)
        return CpuUse(self.moment, 2.0 * self.moment + others, 2.0 * self.moment)


@pytest.fixture
def quiet(monkeypatch, tmp_path):
    """A quiet machine with two cores, and blocks that take no time."""
    monkeypatch.setattr(doctor, "load_average", lambda: 0.0)
    monkeypatch.setattr(doctor, "GLANCE", 0.0)
    for module in (doctor, recording):
        monkeypatch.setattr(module, "usable_cores", lambda: 2.0)
        monkeypatch.setattr(module, "cpu_use", Neighbour(0.05))
    monkeypatch.setattr(experiments, "_slowest", lambda *_: {"step": 0.5})
    return monkeypatch


def test_a_measurement_is_written_with_its_machine(quiet, tmp_path, capsys):
    assert main(["record", "control", "--folder", str(tmp_path), "--name", "here"]) == 0
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["control_05.json", "control_10.json", "control_30.json"]
    run = storage.load_run(tmp_path / files[0])
    assert run.machine.name == "here"
    assert run.machine.versions["numpy"] == np.__version__
    assert run.rounds == run.rounds_planned == 20
    shown = capsys.readouterr()
    assert "control_10.json: 20 rounds in" in shown.out
    assert "21/21" in shown.err  # the progress bar


def test_a_busy_machine_is_not_measured(quiet, tmp_path, capsys):
    quiet.setattr(doctor, "load_average", lambda: 5.0)
    assert main(["record", "--folder", str(tmp_path)]) == 1
    assert "digits: nothing measured: the load average is 5.00" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_becomes_busy_in_the_middle_ends_the_measurement(quiet, tmp_path, capsys):
    quiet.setattr(recording, "cpu_use", Neighbour(0.8, after=54.0))
    assert main(["record", "digits_small_batch", "--folder", str(tmp_path)]) == 1
    words = capsys.readouterr().err
    assert "digits_small_batch: not written: other programs kept 0.8 of 2 cores busy" in words
    assert "in round 9:" in words
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_before_a_disturbance_stays(quiet, tmp_path):
    quiet.setattr(recording, "cpu_use", Neighbour(0.8, after=200.0))
    assert main(["record", "digits_small_batch", "control", "--folder", str(tmp_path)]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["digits_small_batch.json"]


def test_the_load_that_the_first_measurement_leaves_is_not_held_against_the_next(quiet, tmp_path):
    loads = iter([0.1, 2.0, 2.0, 2.0])
    quiet.setattr(doctor, "load_average", lambda: next(loads))
    assert main(["record", "digits_small_batch", "control", "--folder", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == 4


def test_a_neighbour_who_comes_between_two_measurements_is_seen(quiet, tmp_path, capsys):
    quiet.setattr(doctor, "cpu_use", Neighbour(1.0, after=12.0))  # two looks before the first
    assert main(["record", "digits_small_batch", "control", "--folder", str(tmp_path)]) == 1
    assert "control: nothing measured: other programs keep 1.0 of 2" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["digits_small_batch.json"]


def test_own_work_is_not_a_disturbance_and_a_hiccup_neither(quiet):
    assert list(recording.undisturbed(range(30))) == list(range(30))
    hiccup = iter([CpuUse(0, 0, 0), CpuUse(1, 3, 1), CpuUse(12, 14.5, 12), CpuUse(30, 33, 30)])
    quiet.setattr(recording, "cpu_use", lambda: next(hiccup))
    assert list(recording.undisturbed(range(3))) == [0, 1, 2]


def test_where_nobody_counts_the_processors_time_it_measures_all_the_same(quiet):
    quiet.setattr(recording, "cpu_use", lambda: None)
    assert list(recording.undisturbed(range(3))) == [0, 1, 2]


def test_a_busy_machine_may_be_accepted(quiet, tmp_path):
    quiet.setattr(recording, "cpu_use", Neighbour(2.0))
    quiet.setattr(doctor, "load_average", lambda: 5.0)
    command = ["record", "digits_small_batch", "--busy-is-fine", "--folder", str(tmp_path)]
    assert main(command) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["digits_small_batch.json"]


def interrupted_after(blocks: int):
    calls = iter(range(blocks))

    def block(*_):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return {"step": 0.5}

    return block


def test_an_interrupt_keeps_the_rounds_apart_from_whole_measurements(quiet, tmp_path, capsys):
    assert main(["record", "digits_small_batch", "--folder", str(tmp_path)]) == 0
    whole = (tmp_path / "digits_small_batch.json").read_text()
    quiet.setattr(experiments, "_slowest", interrupted_after(3 * 8 + 1))  # 8 rounds on 3 N
    assert main(["record", "digits_small_batch", "control", "--folder", str(tmp_path)]) == 0
    assert (tmp_path / "digits_small_batch.json").read_text() == whole
    kept = storage.load_run(tmp_path / recording.APART / "digits_small_batch.json")
    assert (kept.rounds, kept.rounds_planned) == (7, 20)  # one was to warm up
    assert "7 rounds" in capsys.readouterr().out
    assert not (tmp_path / "control_05.json").exists()


def test_an_interrupt_keeps_every_run_that_it_cuts_short_and_every_whole_one(quiet, tmp_path):
    quiet.setattr(experiments, "_slowest", interrupted_after(4 * 9))  # 4 rounds on 9 pairs
    assert main(["record", "communication", "--folder", str(tmp_path)]) == 0
    assert len(list((tmp_path / recording.APART).iterdir())) == 9

    quiet.setattr(experiments, "_slowest", interrupted_after(21 * 2 + 5 * 2))  # in the second
    assert main(["record", "control", "--folder", str(tmp_path)]) == 0
    assert (tmp_path / "control_05.json").exists()
    assert (tmp_path / recording.APART / "control_10.json").exists()
    assert not list(tmp_path.rglob("control_30.json"))


def test_an_interrupt_with_nothing_to_keep_is_said(quiet, tmp_path, capsys):
    quiet.setattr(experiments, "_slowest", interrupted_after(2))
    assert main(["record", "control", "--folder", str(tmp_path)]) == 1
    assert "Interrupted before two rounds were done" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_reference_has_a_name_that_the_command_accepts(capsys):
    assert main(["record", "no such"]) == 2
    assert f"names must be of {', '.join(REFERENCES)}" in capsys.readouterr().err
