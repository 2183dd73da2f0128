"""Processes that mark, and turns between them; plain functions stand in for marking."""

import contextlib
import multiprocessing
import os
import signal
import time

import pytest

from amdahl_lab.grading import workers
from amdahl_lab.grading.turns import Turns


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    """Nothing here runs a notebook."""


def task(thing):
    if thing == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if thing == "raise":
        raise RuntimeError("so it goes")
    if thing == "hang":
        time.sleep(600)
    return thing, os.getpid()


def outcomes(things, processes, seconds=60.0):
    found = {}
    for thing, result in workers.each(task, things, processes, seconds):
        assert thing not in found
        found[thing] = result
    return found


def test_every_thing_gets_its_result_whatever_happens_to_others():
    things = ["a", "die", "b", "raise", "c", "d"]
    found = outcomes(things, 2)
    assert set(found) == set(things)
    assert {found[name][0] for name in "abcd"} == set("abcd")
    assert found["raise"] == workers.Failure("RuntimeError: so it goes")
    assert "ended (-9)" in found["die"].reason
    assert not multiprocessing.active_children()


def test_processes_are_used_again_and_not_more_than_asked_for():
    found = outcomes(list(range(6)), 2)
    assert {result[0] for result in found.values()} == set(range(6))
    assert len({result[1] for result in found.values()}) <= 2


def test_what_hangs_is_given_up():
    found = outcomes(["hang"], 1, seconds=4.0)
    assert found["hang"] == workers.Failure("it took longer than 4 s")
    assert not multiprocessing.active_children()


def test_a_caller_who_stops_leaves_no_process_behind():
    with contextlib.closing(workers.each(task, ["a", "hang", "hang2"], 2, 60.0)) as given:
        assert next(given)[0] == "a"
        assert multiprocessing.active_children()
    assert not multiprocessing.active_children()


def work(folder, alone, counts, wrong):
    """Take twenty turns; say so if somebody who must not be there is there."""
    turns = Turns(folder)
    mine = int(alone)
    for _ in range(20):
        with turns.alone() if alone else turns.together():
            with counts.get_lock():
                counts[mine] += 1
                wrong.value += counts[1] > 0 and sum(counts) > 1
            time.sleep(0.005)
            with counts.get_lock():
                counts[mine] -= 1


def test_who_measures_is_alone(tmp_path):
    context = multiprocessing.get_context("spawn")
    counts, wrong = context.Array("i", 2), context.Value("i", 0)
    crew = [
        context.Process(target=work, args=(tmp_path, alone, counts, wrong))
        for alone in (False, False, True)
    ]
    for process in crew:
        process.start()
    for process in crew:
        process.join(60)
        assert process.exitcode == 0  # also: the one who measures was not kept waiting for ever
    assert wrong.value == 0


def test_others_work_together_and_a_dead_process_gives_its_turn_back(tmp_path):
    turns = Turns(tmp_path)
    with turns.together(), turns.together():
        pass  # would hang if one kept the other out
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=hold, args=(tmp_path, held))
    process.start()
    assert held.wait(60)
    process.kill()
    process.join(30)
    with turns.alone():
        pass


def hold(folder, held):
    with Turns(folder).alone():
        held.set()
        time.sleep(600)
