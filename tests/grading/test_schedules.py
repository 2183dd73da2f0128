"""What the exercise on pipeline schedules says in numbers, found by trying every schedule."""

import contextlib
import io
import itertools

import pytest

from amdahl_lab.grading.marking import grade_id

STAGES, MICRO_BATCHES, MOST_LIVE = 3, 4, 2


def orders(forwards=0, backwards=0):
    """Every order of one stage's passes within the bound; micro-batches in turn."""
    if backwards == MICRO_BATCHES:
        yield []
    if forwards < MICRO_BATCHES and forwards - backwards < MOST_LIVE:
        for rest in orders(forwards + 1, backwards):
            yield [("F", forwards), *rest]
    if backwards < forwards:
        for rest in orders(forwards, backwards + 1):
            yield [("B", backwards), *rest]


@pytest.mark.parametrize("chapter", ["04_parallel_strategies"], indirect=True, scope="session")
def test_1f1b_within_a_bound_takes_24_seconds_and_the_best_schedule_21(solution):
    cells = {grade_id(cell): cell.source for cell in solution.cells}
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec("import numpy as np\n" + cells["timeline"] + "\n" + cells["answer_3_schedule"], names)
    all_schedules = itertools.product(list(orders()), repeat=STAGES)
    done = [ends for each in all_schedules if (ends := names["ends"](each)) is not None]
    assert min(max(ends.values()) for ends in done) == 21
    plain = names["ends"](names["schedule"](STAGES, MICRO_BATCHES, MOST_LIVE))
    assert max(plain.values()) == 24
    text = "".join(cell.source for cell in solution.cells if cell.id == "exercise-3-task")
    assert "24 seconds and the best schedule 21" in text
