"""The harness adds nothing to what it times; the benchmark says so to a tenth of a percent."""

import pytest

from amdahl_lab.parallel import overhead, run_ranks
from amdahl_lab.parallel.blocks import seconds_per_turn
from amdahl_lab.parallel.overhead import harness_seconds

STEP = 2.5e-3  # seconds
MOST = 1e-3  # of a step


def test_an_empty_turn_costs_less_than_a_thousandth_of_a_step():
    def cheapest() -> float:
        return min(seconds_per_turn(lambda number: None, 2000) for _ in range(20))

    assert run_ranks(cheapest, 1)[0] < MOST * STEP


def test_a_step_takes_as_long_in_the_harness_as_in_a_bare_loop():
    added, step = harness_seconds(300)
    assert 1e-4 < step < 1.0
    assert -0.1 < added.low / step <= added.high / step < 0.1  # on a busy machine


def test_the_interval_is_that_of_a_median(monkeypatch):
    """By hand for ten pairs: from the 2nd to the 9th value it holds the median 97.9% of the time.

    One value further in on both sides it would be 89.1%.
    """
    import numpy as np

    times = np.stack([np.arange(10, 0, -1.0), np.ones(10)], axis=1)
    monkeypatch.setattr(overhead, "run_ranks", lambda *_, **__: [times])
    added, step = harness_seconds(10)
    assert (added.low, added.estimate, added.high) == (1.0, 4.5, 8.0)
    assert step == 1.0


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="pairs must be at least 6 for a 95% interval, got 5"):
        harness_seconds(5)
