"""The protocol, the machine and the diary."""

import os
import subprocess
import sys

import numpy as np
import pytest

from amdahl_lab import diary, machine, timing


def test_rounds_interleave_all_configurations_in_changing_order():
    calls = []
    configurations = {key: lambda key=key: calls.append(key) or {"step": 1.0} for key in "abcd"}
    timing.measure(configurations, 20, warmups=1, rng=np.random.default_rng(0))
    rounds = ["".join(calls[i : i + 4]) for i in range(0, len(calls), 4)]
    assert len(rounds) == 21
    assert all(sorted(one) == list("abcd") for one in rounds)
    assert len(set(rounds)) > 10


def test_warmups_are_kept_apart_and_values_keep_their_order():
    clock = iter(range(1, 100))
    values = timing.measure(
        {"only": lambda: {"step": next(clock)}}, 3, warmups=2, rng=np.random.default_rng(0)
    )["only"]["step"]
    assert values.warmups == (1, 2)
    assert values.seconds == (3, 4, 5)


@pytest.mark.parametrize(("calls_until_interrupt", "rounds"), [(7, 2), (9, 3)])
def test_an_interrupt_keeps_the_whole_rounds(calls_until_interrupt, rounds):
    calls = iter(range(100))

    def block():
        if next(calls) == calls_until_interrupt:
            raise KeyboardInterrupt
        return {"step": 1.0}

    results = timing.measure({1: block, 2: block}, 10, rng=np.random.default_rng(0))
    assert [len(results[key]["step"].seconds) for key in (1, 2)] == [rounds, rounds]


def test_an_interrupt_with_too_little_to_keep_goes_on_to_the_caller():
    def block():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        timing.measure({1: block}, 10, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({}, 3, 1), "at least one, got none"),
        (({1: dict}, 1, 1), "rounds must be at least 2, got 1"),
        (({1: dict}, 3, -1), "warmups must be at least 0, got -1"),
    ],
)
def test_bad_measurements_are_refused(arguments, message):
    configurations, rounds, warmups = arguments
    with pytest.raises(ValueError, match=message):
        timing.measure(configurations, rounds, warmups=warmups, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000"}, 0.5),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_limits_the_usable_cores(tmp_path, files, cores):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    unlimited = machine.usable_cores(tmp_path / "nothing here")
    assert unlimited >= 1
    assert machine.usable_cores(tmp_path) == (cores if cores is not None else unlimited)


def test_this_machine_describes_itself():
    here = machine.this_machine("here")
    assert here.name == "here"
    assert here.versions["numpy"] == np.__version__
    assert 0 < here.cores_usable <= here.cores_present


def fake_proc(folder, *, busy, processes):
    """Write /proc: busy ticks of every core, and (parent, name, ticks) of some processes."""
    folder.mkdir(exist_ok=True)
    cores = os.cpu_count()
    lines = ["cpu  1 2 3"]
    # user nice system idle iowait irq softirq steal guest guest_nice
    lines += [f"cpu{core} {busy} 0 0 999 999 0 0 0 0 0" for core in range(cores)]
    (folder / "stat").write_text("\n".join([*lines, "intr 12 3"]))
    for process, (parent, name, ticks) in processes.items():
        (folder / str(process)).mkdir(exist_ok=True)
        fields = ["S", parent, *[0] * 9, ticks, 0, 0, 0, 20, 0, 1]
        text = f"{process} ({name}) " + " ".join(map(str, fields))
        (folder / str(process) / "stat").write_text(text)
    return machine.cpu_use(folder)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the files are those of Linux")
def test_others_are_everyone_less_this_process_and_all_that_it_has_started(tmp_path):
    here, cores, tick = os.getpid(), len(os.sched_getaffinity(0)), os.sysconf("SC_CLK_TCK")
    tree = {1: (0, "init", 7), here: (1, "python", 0), here + 1: (here, "a) b (c", 0)}
    tree |= {here + 2: (here + 1, "rank", 0), here + 3: (1, "stranger", 0)}
    first = fake_proc(tmp_path, busy=100, processes=tree)
    tree |= {here + 2: (here + 1, "rank", 30), here + 3: (1, "stranger", 500)}
    second = fake_proc(tmp_path, busy=200, processes=tree)
    assert second.everyone - first.everyone == pytest.approx(100 * cores / tick)
    assert second.own - first.own == pytest.approx(30 / tick)
    later = machine.CpuUse(first.moment + 10.0, second.everyone, second.own)
    assert later.others_since(first) == pytest.approx((100 * cores - 30) / tick / 10)
    assert first.others_since(first) == 0


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the files are those of Linux")
def test_own_work_is_told_from_that_of_others():
    """A child that computes counts as ours, also after it has ended."""
    before = machine.cpu_use()
    code = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)
    after = machine.cpu_use()
    assert 0.45 < after.own - before.own < 1.5
    assert after.everyone - before.everyone > 0.4


def test_where_the_system_keeps_no_such_files_nothing_is_made_up(tmp_path):
    assert machine.cpu_use(tmp_path) is None
    assert machine.free_memory(tmp_path) == 0


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AMDAHL_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_prediction_can_be_changed_until_the_outcome_is_known(home):
    diary.predict("ch01.x", 1, 2)
    diary.predict("ch01.x", 1.5, 2)
    assert diary.predictions()["ch01.x"].low == 1.5
    assert diary.record_outcome("ch01.x", 1.8).hit
    assert diary.predict("ch01.x", 5, 6).low == 1.5
    assert diary.record_outcome("ch01.x", 9.0).outcome == 1.8
    assert "it came out at 1.8, inside" in str(diary.predictions()["ch01.x"])


def test_dots_in_place_of_a_range_write_nothing(home):
    assert diary.predict("ch01.x", low=..., high=...) is None
    assert diary.predict("ch01.x", low=1.5, high=...) is None
    assert not diary.path().exists()
    diary.predict("ch01.x", 1, 2)
    assert diary.predict("ch01.x").high == 2


def test_an_outcome_without_a_prediction_is_not_kept(home):
    assert diary.record_outcome("ch01.x", 1.8) is None
    assert diary.predictions() == {}


def test_a_damaged_diary_is_never_overwritten(home):
    home.mkdir()
    diary.path().write_text('{"format": "amdahl_lab.diary", "ver')
    with pytest.raises(ValueError, match="diary.json is not JSON, or is cut short"):
        diary.predict("ch01.x", 1, 2)
    assert diary.path().read_text().endswith('"ver')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", 2, 1), "low and high must be finite and in this order"),
        (("x", float("nan"), 1), "low and high"),
        (("", 1, 2), "question must be a name"),
        (("x", 1, 2, 80), "confidence must be inside 0 to 1, got 80"),
    ],
)
def test_impossible_predictions_are_refused(home, arguments, message):
    with pytest.raises(ValueError, match=message):
        diary.predict(*arguments)
