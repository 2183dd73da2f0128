"""The command line: clear answers and clear refusals."""

import re

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
        Timing(2, "step", (0.6, 0.594, 0.606)),
        Timing(4, "step", (9.0, 9.0, 9.1)),
    )
    run = ScalingRun("example", MACHINE, timings, {}, "2026-01-01T00:00:00Z", 0, 0, 3)
    return str(storage.save_run(run, tmp_path / "run.json"))


def test_fit_leaves_oversubscribed_workers_out(run_file, capsys):
    assert main(["fit", run_file]) == 0
    out = capsys.readouterr().out
    assert "\nN = 1, 2\n" in out
    assert "Left out, more workers than cores: N = 4" in out
    assert re.search(r"^Amdahl +serial_fraction +0\.2 +0\.\d+ to 0\.\d+ ", out, re.MULTILINE)
    assert re.search(r"^ +USL: workers must hold at least 4 numbers", out, re.MULTILINE)


def test_fit_takes_the_workers_that_it_is_told(run_file, capsys):
    assert main(["fit", run_file, "--fit-workers", "1,2,4"]) == 0
    out = capsys.readouterr().out
    # T(1), T(2) = 1, 0.6 make s = 0.2 and T(4) = 0.4, where 9 was measured: 96% too little.
    assert re.search(r"^Amdahl +serial_fraction .* -95\.6%$", out, re.MULTILINE)
    assert main(["fit", run_file, "--fit-workers", "1,3"]) == 2
    assert "workers must be among those measured (1, 2, 4), got 3" in capsys.readouterr().err
    assert main(["fit", run_file, "--fit-workers", "all"]) == 2
    assert "--fit-workers must be whole numbers such as 1,2,4" in capsys.readouterr().err


def test_predict_gives_the_law_and_a_new_round_for_each_number_of_workers(run_file, capsys):
    assert main(["predict", run_file, "16", "2"]) == 0
    out = capsys.readouterr().out
    row = re.search(
        r"^16 \*  Amdahl +4 +([\d.]+) to ([\d.]+) +([\d.]+) to ([\d.]+) +0\.25$", out, re.M
    )
    law_low, law_high, new_low, new_high = map(float, row.groups())
    assert new_low < law_low < 4 < law_high < new_high
    assert re.search(r"^2 +Amdahl +1\.67 ", out, re.M)  # no star: it was measured
    assert "Speedups over one worker" in out


def test_a_users_table_is_fitted_and_drawn(tmp_path, capsys):
    table = tmp_path / "own.csv"
    table.write_text("workers,step_ms\n1,100\n2,60\n4,40.3\n8,29.8\n16,25.1\n")
    plot = tmp_path / "own.svg"
    assert main(["fit", str(table), "--plot", str(plot)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^Amdahl +serial_fraction +0\.(2|199|201)\b", out, re.M)
    assert re.search(r"^USL +contention ", out, re.M)
    assert "Note on Amdahl, USL, constant efficiency: one value at each N" in out
    assert "Fitted laws, dashed beyond the largest measured number of workers, 16." in out
    assert "Fitted laws, dashed beyond" in plot.read_text()
    before = plot.read_bytes()
    assert main(["fit", str(table), "--plot", str(plot)]) == 2
    assert "--plot must name a new file" in capsys.readouterr().err
    assert plot.read_bytes() == before
    assert main(["fit", str(table), "--plot", str(tmp_path / "own.pdf")]) == 2
    assert "path must end in .png or .svg" in capsys.readouterr().err


def test_rates_without_one_worker_are_compared_with_the_fewest(tmp_path, capsys):
    table = tmp_path / "own.csv"
    table.write_text("kind,n_gpus,images/s\nx,8,800\nx,16,1500\nx,32,2700\ny,8,1\n")
    command = ["predict", str(table), "64", "--where", "kind=x", "--plot", str(tmp_path / "p.png")]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "Speedups over 8 workers, the fewest measured" in out
    assert "per second" in out
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_slip_of_units_stops_until_it_is_trusted(tmp_path, capsys):
    table = tmp_path / "own.csv"
    table.write_text("workers,samples_per_s\n1,1\n2,0.55\n4,0.33\n")
    assert main(["fit", str(table)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "is it a time? (lines 2, 3, 4)" in captured.err
    assert main(["fit", str(table), "--trust-units"]) == 0
    assert "Note: the throughput falls with N" in capsys.readouterr().out


def test_help_tells_the_format_of_a_table(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    out = capsys.readouterr().out
    assert "samples_per_second" in out
    assert "names\nits line" in out


def test_bad_input_gets_one_line(run_file, tmp_path, capsys):
    (tmp_path / "broken.json").write_text("{")
    assert main(["fit", str(tmp_path / "broken.json")]) == 2
    assert capsys.readouterr().err.startswith("amdahl_lab: broken.json is not JSON")
    assert main(["predict", run_file, "0.5"]) == 2
    assert "workers must be finite and at least 1, got 0.5" in capsys.readouterr().err
    assert main(["fit", run_file, "--column", "time"]) == 2
    assert "--column must be NAME=TEXT, got 'time'" in capsys.readouterr().err
    assert main(["record", "no such experiment"]) == 2
    assert "names must be of digits" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["fit", "predict", "split"])
def test_a_file_that_is_not_there_is_said_in_words(command, tmp_path, capsys):
    more = ["4"] if command == "predict" else []
    for name in ("missing.csv", "missing.json"):
        assert main([command, str(tmp_path / name), *more]) == 2
        said = f"amdahl_lab: there is no file or folder {tmp_path / name}\n"
        assert capsys.readouterr().err == said
    assert main([command, str(tmp_path), *more]) == 2
    said = f"amdahl_lab: {tmp_path} is a folder, and a file is needed\n"
    assert capsys.readouterr().err == said


def test_split_tells_whose_a_loss_is_for_every_series_of_a_file(tmp_path, capsys):
    path = tmp_path / "mine.csv"
    # Doubling gives 1.6 of the rate (0.8) and needs 1.25 times the samples (0.8): half and half.
    rows = ["series,workers,minutes,samples_to_converge"]
    rows += [f"a,{N},{t},{D}" for N, t, D in ((1, 100, 4000), (2, 78.125, 5000), (4, 61.035, 6250))]
    rows += ["b,1,10,100", "b,2,6,100"]
    path.write_text("\n".join(rows) + "\n")
    assert main(["split", str(path)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^2 +1\.28 +0\.640 +0\.800 +0\.800 +0\.50$", out, re.MULTILINE)
    assert "no intervals: nothing tells how far times stray" in out
    assert re.search(r"^straight line +[+-]0\.0% +[+-]0\.0% +0$", out, re.MULTILINE)
    assert "Nothing held out: fewer than three numbers of workers" in out
    assert "MLCommons" not in out
    assert main(["split", str(path), "--where", "series=c"]) == 2
    assert "no row has series 'c'; there is a, b" in capsys.readouterr().err


def test_fit_takes_one_series_of_a_file_that_has_more(tmp_path, capsys):
    table = tmp_path / "two series.csv"
    table.write_text("series,N,time_s\nx,1,100\nx,2,60\nx,4,40\ny,1,10\ny,2,7\ny,4,5\n")
    assert main(["fit", str(table)]) == 2
    told = capsys.readouterr().err
    assert told.strip().count("\n") == 0
    assert "2 series (x, y)" in told
    assert "--where series=x" in told
    assert main(["fit", str(table), "--where", "series=y"]) == 0
    # 10 = a + b and 5 = a + b / 4 make a third of the time on one worker serial; 7 is near it.
    fitted = re.search(r"serial_fraction +([\d.]+)", capsys.readouterr().out)[1]
    assert float(fitted) == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("command", ["fit", "split"])
def test_a_level_that_is_none_is_refused_even_where_nothing_can_be_fitted(
    tmp_path, capsys, command
):
    table = tmp_path / "one.csv"
    table.write_text("N,time_s,throughput\n4,100,1\n8,60,2\n")
    chosen = ["--use", "time"] if command == "fit" else []
    assert main([command, str(table), "--level", "2", *chosen]) == 2
    assert "level must be inside 0 to 1" in capsys.readouterr().err


def test_split_gives_published_series_with_their_notice(capsys):
    from amdahl_lab.recorded.published import FOLDER

    assert main(["split", str(FOLDER / "scaling_series.csv"), "--where", "series=V4"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^4216 +89\.8 \(88\.\d to 90\.\d\) +0\.170", out, re.MULTILINE)
    assert "Result not verified by MLCommons Association" in out
    assert main(["split", str(FOLDER / "scaling_series.csv"), "--where", "series=P4"]) == 0
    assert "Not split: series 'P4' must have both times and rates" in capsys.readouterr().out
