"""Tables of users: what is read, and what is refused by its line instead of guessed."""

import json

import numpy as np
import pytest

from amdahl_lab import fitting
from amdahl_lab.tables import read_table

GOOD = """workers,round,step_ms
1,a,100
2,a,60
1,b,102
2,b,61
"""


@pytest.fixture
def table(tmp_path):
    """Write a file and read it as a table."""

    def read(content, name="own.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, **options)

    return read


def test_times_are_read_in_seconds_and_paired_by_round(table):
    read = table(GOOD)
    assert read.paired
    assert read.workers == (1, 2)
    assert read.times[2, "step"] == (pytest.approx(0.060), pytest.approx(0.061))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("seconds", 90.0),
        ("step_s", 90.0),
        ("Time (ms)", 0.09),
        ("time_to_train_min", 5400.0),
        ("hours", 324_000.0),
        ("throughput", 1 / 90),
        ("samples_per_second", 1 / 90),
        ("samples per min", 60 / 90),
        ("tokens/s", 1 / 90),
        ("seconds_per_step", 90.0),
        ("ms/step", 0.09),
    ],
)
def test_the_header_says_the_unit(table, header, seconds):
    content = f"n,{header}\n1,90\n2,91\n"
    read = table(content, trust_units=True)
    assert read.times[1, "step"] == (pytest.approx(seconds),)
    assert not read.paired


def test_a_byte_order_mark_blank_lines_and_windows_ends_are_fine(table):
    assert (
        table(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n\r\n").encode()).times == table(GOOD).times
    )


def test_json_rows_are_read_like_csv(table):
    rows = [
        {"workers": N, "round": r, "step_ms": ms}
        for r, N, ms in (("a", 1, 100), ("a", 2, 60), ("b", 1, 102), ("b", 2, 61))
    ]
    assert table(json.dumps(rows, indent=1), "own.json").times == table(GOOD).times


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("workers,seconds\n1,fast\n2,0.6\n", "line 2: seconds must be a number, got 'fast'"),
        ("workers,seconds\n1,1\n2,nan\n", "line 3: seconds must be a number, got 'nan'"),
        ("workers,seconds\n1,1\n2,1e999\n", "line 3: seconds must be finite and above 0"),
        (
            "workers,seconds\n1,-1\n2,0\n",
            "line 2: seconds must be finite and above 0, got -1; line 3",
        ),
        (
            "workers,seconds\n0,1\n1.5,2\n",
            "line 2: workers must be a whole number, at least 1, got 0",
        ),
        ("workers,seconds\n1,\n2,1\n", "line 2: seconds is empty"),
        ('workers,seconds\n1,"0,9"\n2,1\n', "line 2: seconds '0,9' has a comma; write a decimal"),
        ("workers,seconds\n1,0,9\n2,1\n", "line 2 has 3 cells where the header has 2 (a decimal"),
        ("workers;seconds\n1;0,9\n", "line 1: columns are separated by semicolons"),
        ("workers\tseconds\n1\t0.9\n", "line 1: columns are separated by tabs"),
        ("workers,seconds,Seconds\n1,1,1\n", "line 1: the header 'seconds' is there twice"),
        ("workers,,seconds\n1,1,1\n", "line 1: column 2 has no header"),
        ("cores,seconds\n1,1\n", "line 1: no column of workers"),
        ("workers,speed\n1,1\n", "line 1: no column of time"),
        ("workers,step_ms,wait_ms\n1,1,1\n", "step_ms and wait_ms could each be the time"),
        ("workers,seconds\n", "a header and no row"),
        ("", "empty"),
        ('workers,seconds\n1,"1\n', "line 2: unexpected end of data"),
        ("workers,seconds,phase\n1,1,compute\n", "no row has the phase 'step'"),
        ("workers,seconds,phase\n1,1,\n", "line 2: phase is empty"),
        (
            GOOD + "2,b,61\n",
            "line 6: round b of workers 2, phase 'step' is there already, in line 5",
        ),
        ("workers,seconds,work\n1,1,8\n1,1,9\n", "line 3: work 9 at workers 1, but 8 in line 2"),
        (b"workers,seconds\n1,\xff\n", "line 2: not UTF-8"),
        ("workers,seconds\n1,1\n".encode("utf-16"), "line 1: the file is UTF-16"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_line(table, content, message):
    with pytest.raises(ValueError) as caught:
        table(content)
    assert message in str(caught.value)
    assert str(caught.value).startswith("own.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[\n{"workers": 1, "seconds": NaN}\n]', "line 2: seconds must be a number, got 'nan'"),
        ('[\n{"workers": 1, "workers": 2}\n]', "line 2: the name 'workers' is there twice"),
        ('[\n{"workers": 1},\n{"n": 1}\n]', "line 3: not the same names as the first row"),
        ('[\n{"workers": 1, "seconds": 1}', "line 2: the list is cut short"),
        ('[\n{"workers": 1, "seconds": true}\n]', "line 2: seconds must be a number, got 'true'"),
        ("[1]", "line 1: not an object"),
        ("3", "neither a run of this package nor a list of objects"),
        ("[]", "a header and no row"),
    ],
)
def test_json_that_cannot_be_used_is_named_by_its_line(table, content, message):
    with pytest.raises(ValueError) as caught:
        table(content, "own.json")
    assert message in str(caught.value)


def test_incomplete_rounds_are_left_out_and_said(table):
    read = table(GOOD + "1,c,103\n")
    assert len(read.times[1, "step"]) == 2
    assert read.notes == ("rounds that lack a number of workers or a phase are left out: line 6",)


def test_roles_and_rows_can_be_named(table):
    content = "series,cores,a_min,b_min\nX,1,1,9\nX,2,0.6,9\nY,1,7,9\n"
    named = {"workers": "cores", "time": "a_min"}
    assert table(content, columns=named, where={"series": "X"}).times == {
        (1, "step"): (60.0,),
        (2, "step"): (36.0,),
    }
    for options, message in (
        ({"columns": {"hue": "x"}}, "columns must name a role"),
        ({"columns": {"time": "x"}}, "no column 'x'; there is series, cores"),
        ({"columns": named, "where": {"series": "Z"}}, "no row has series 'Z'; there is X, Y"),
        ({"columns": named, "where": {"color": "Z"}}, "no column 'color'"),
        ({"columns": named | {"time": "series"}}, "the unit of time column 'series' is not in its"),
        ({"columns": named, "use": "throughput"}, "no column of throughput"),
    ):
        with pytest.raises(ValueError, match=message):
            table(content, **options)


SAME_N = "workers,seconds\n1,1\n1,1.02\n1,1010\n2,0.6\n"
JUMP = "workers,seconds\n1,1\n2,600\n4,0.4\n"
PART = "workers,phase,seconds\n1,step,1\n1,compute,950\n2,step,0.6\n2,compute,0.5\n"
CROSS = "workers,seconds,samples_per_s,work\n1,100,10240,1024\n2,60,17067,1024\n"
BITS = "workers,seconds,bytes_per_s,work\n1,1,8000,1000\n2,0.6,1667,1000\n"
IMPLIED = "workers,seconds,samples_per_s\n1,0.0001,100\n2,0.00006,160\n"
NOT_A_RATE = "workers,samples_per_s\n1,1\n2,0.52\n4,0.28\n"
NOT_A_TIME = "workers,seconds\n1,100\n2,190\n4,350\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (SAME_N, "line 4: step at N = 1 is 990 times the middle of its N (milliseconds for sec"),
        (JUMP, "from N = 1 (line 2) to N = 2 (line 3), which no number of workers explains"),
        (PART, "compute at N = 1 (line 3) takes 950 times the step that it is a part of (line 2)"),
        (
            CROSS,
            "lines 2, 3: time x throughput is 1e+03 times the work (milliseconds for seconds?)",
        ),
        (BITS, "line 2: time x throughput is 8 times the work (bits for bytes?)"),
        (IMPLIED, "line 2: time x throughput at N = 1 leaves 0.01 units of work for one timing"),
        (NOT_A_RATE, "the throughput falls with N as a time does; is it a time? (lines 2, 3, 4)"),
        (NOT_A_TIME, "the time grows with N as a throughput does; is it a throughput?"),
    ],
)
def test_slips_of_units_are_told_with_their_lines(table, content, told):
    with pytest.raises(ValueError) as caught:
        table(content)
    assert told in str(caught.value)
    assert "--trust-units" in str(caught.value)
    assert any(told in note for note in table(content, trust_units=True).notes)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        "workers,seconds\n1,100\n4096,0.1\n",  # steep, but no steeper than perfect
        "workers,samples_per_s\n8,854\n256,21298\n",
        "workers,seconds\n1,1\n1,5\n1,0.9\n2,1.4\n",  # a hiccup and a slowdown are no slips
        "workers,seconds,work\n1,1,8\n2,1.9,16\n4,3.9,32\n",  # bad weak scaling
        "workers,seconds,samples_per_s,work\n1,0.1,10240,1024\n2,0.06,17067,1024\n",
        "workers,phase,seconds\n1,step,1\n2,step,0.6\n2,communication,0.001\n4,step,0.4\n"
        "4,communication,0.09\n",
    ],
)
def test_honest_tables_pass(table, content):
    assert table(content).notes == ()


def test_a_table_with_work_is_a_weak_scaling_run(table):
    # s' = 0.2 by hand: speedups 1, 1.8, 3.4 of N times the work.
    content = "workers,round,seconds,work\n" + "".join(
        f"{N},{r},{(9 * N / S)!r},{8 * N}\n" for N, S in ((1, 1), (2, 1.8), (4, 3.4)) for r in "ab"
    )
    rng = np.random.default_rng(0)
    fit = fitting.fit_gustafson(table(content), rng=rng)
    assert fit.estimates["scaled_serial_fraction"] == pytest.approx(0.2)
    assert fit.predict_seconds(2)[0].estimate == pytest.approx(10)
    # The same as rates: 8 N samples in each of the times.
    rates = "workers,round,samples_per_s,work\n" + "".join(
        f"{N},{r},{8 * S / 9!r},{8 * N}\n" for N, S in ((1, 1), (2, 1.8), (4, 3.4)) for r in "ab"
    )
    fit = fitting.fit_gustafson(table(rates), rng=rng)
    assert fit.estimates["scaled_serial_fraction"] == pytest.approx(0.2)
