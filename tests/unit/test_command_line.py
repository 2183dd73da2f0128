"""The command line: clear answers and clear refusals."""

import pytest

from amdahl_lab import storage
from amdahl_lab.__main__ import main
from amdahl_lab.records import Machine, ScalingRun, Timing

MACHINE = Machine("test", "Linux x86_64", "made up", 2, 2, 2**33)


@pytest.fixture
def run_file(tmp_path):
    """Write a run whose serial fraction is 0.2 and that has one oversubscribed N."""
    timings = (
        Timing(1, "step", (1.0, 1.01, 0.99)),
        Timing(2, "step", (0.6, 0.606, 0.594)),
        Timing(4, "step", (9.0, 9.0, 9.1)),
    )
    run = ScalingRun("example", MACHINE, timings, {}, "2026-01-01T00:00:00Z", 0, 0, 3)
    return str(storage.save_run(run, tmp_path / "run.json"))


def test_fit_leaves_oversubscribed_workers_out(run_file, capsys):
    assert main(["fit", run_file]) == 0
    out = capsys.readouterr().out
    assert "N = (1, 2)" in out
    assert "serial_fraction: 0.2 (95% interval" in out


def test_predict_names_each_number_of_workers(run_file, capsys):
    assert main(["predict", run_file, "16", "64"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("N = 16: speedup 4 (95% interval")
    assert lines[1].startswith("N = 64: speedup 4.71 (95% interval")


def test_bad_input_gets_one_line(run_file, tmp_path, capsys):
    (tmp_path / "broken.json").write_text("{")
    assert main(["fit", str(tmp_path / "broken.json")]) == 2
    assert capsys.readouterr().err.startswith("amdahl_lab: broken.json is not JSON")
    assert main(["fit", str(tmp_path / "missing.json")]) == 2
    assert "missing.json" in capsys.readouterr().err
    assert main(["predict", run_file, "0.5"]) == 2
    assert "workers must be finite and at least 1, got 0.5" in capsys.readouterr().err
    assert main(["record", "no such experiment"]) == 2
    assert "names must be of digits" in capsys.readouterr().err
