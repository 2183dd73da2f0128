"""Offloading, unequal workers and the best chip, each held to a truth of its own."""

import numpy as np
import pytest

from amdahl_lab import laws


def test_an_eighty_times_faster_chip_over_95_percent_is_sixteen_times():
    assert laws.offload_speedup(0.95, 80) == pytest.approx(16.16, abs=0.01)
    assert laws.offload_speedup(0.3, 7) == pytest.approx(laws.enhanced_speedup(0.3, 7))


@pytest.mark.parametrize("factor", [1.5, 20.0])
def test_at_the_break_even_transfer_nothing_is_gained(factor):
    c = laws.break_even_transfer(0.8, factor)
    assert laws.offload_speedup(0.8, factor, c) == pytest.approx(1)


@pytest.mark.parametrize(("factor", "latency"), [(2.0, 0.0), (20.0, 1e-4), (1e6, 1e-3)])
def test_the_break_even_side_is_where_both_take_as_long(factor, latency):
    rate, beta = 50e9, 2e-10
    side = laws.break_even_side(rate, factor, latency, beta)
    host = 2 * side**3 / rate
    assert host / factor + latency + 12 * side**2 * beta == pytest.approx(host)


def test_a_device_that_is_no_faster_never_pays():
    assert laws.break_even_side(1e9, 1.0, 0, 1e-9) == np.inf
    with pytest.raises(ValueError, match="rate must be finite and above 0"):
        laws.break_even_side(0, 2, 0, 1e-9)


def test_no_other_split_is_better_than_the_balanced_one():
    rng = np.random.default_rng(3)
    for _ in range(20):
        b, a = rng.uniform(0.2, 3, 3), rng.uniform(0, 2, 3)
        n = laws.balanced_split(10.0, b, a)
        assert n.sum() == pytest.approx(10)
        best = np.max(np.where(n > 0, a + b * n, 0))
        for other in rng.dirichlet(np.ones(3), 400) * 10:
            assert np.max(a + b * other) >= best - 1e-9


def test_a_worker_that_starts_too_late_gets_nothing():
    assert laws.balanced_split(2.0, [1.0, 1.0], [0.0, 5.0]).tolist() == [2.0, 0.0]


def test_speeds_add_up_at_the_best_split_and_an_even_one_loses():
    n = laws.balanced_split(90, [1.0, 2.0])
    assert n.tolist() == pytest.approx([60, 30])
    assert laws.even_split_loss([1.0, 2.0]) == pytest.approx(1.5)
    assert laws.even_split_loss([3.0, 3.0, 3.0]) == pytest.approx(1)


@pytest.mark.parametrize("s", [0.001, 0.025, 0.3, 0.9])
@pytest.mark.parametrize("chip", [16, 256, 1024])
def test_no_core_on_a_fine_grid_beats_the_best_one(s, chip):
    core = np.linspace(1, chip, 20_001)
    for best, law in (
        (laws.best_symmetric_core(s, chip), laws.hill_marty_symmetric),
        (laws.best_asymmetric_core(s, chip), laws.hill_marty_asymmetric),
    ):
        assert law(s, chip, best) >= law(s, chip, core).max() - 1e-9


def test_the_best_chips_are_those_of_the_paper():
    """Hill and Marty 2008, f = 0.975 on 256 units: 51.2 in equal cores, 125.0 with a large one."""
    symmetric = laws.hill_marty_symmetric(0.025, 256, laws.best_symmetric_core(0.025, 256))
    asymmetric = laws.hill_marty_asymmetric(0.025, 256, laws.best_asymmetric_core(0.025, 256))
    assert (round(symmetric, 1), round(asymmetric, 1)) == (51.2, 125.0)


def test_all_serial_work_wants_one_core_and_none_wants_the_smallest():
    assert laws.best_symmetric_core([0.0, 1.0], 64).tolist() == [1, 64]
    assert laws.best_asymmetric_core(1.0, 64) == pytest.approx(64)
    assert laws.best_asymmetric_core(0.0, 64) == pytest.approx(1)
