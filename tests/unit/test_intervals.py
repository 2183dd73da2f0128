"""Intervals of quantiles, shares and slopes hold the truth as often as they say."""

import numpy as np
import pytest
from scipy import stats

from amdahl_lab.intervals import quantile_interval, share_interval, slope_interval
from amdahl_lab.statistics import coverage


@pytest.mark.parametrize(("quantile", "n"), [(0.5, 15), (0.9, 60), (0.99, 400)])
def test_a_quantile_is_covered_whatever_the_distribution(quantile, n):
    # At least 95% by construction; the binomial is coarse, so often more. Lognormal: not normal.
    truth = stats.lognorm(1.5).ppf(quantile)
    held = coverage(
        lambda rng: truth in quantile_interval(rng.lognormal(0, 1.5, n), quantile), 2000, seed=1
    )
    assert 0.945 < held.high <= 1
    assert held.estimate > 0.94


def test_a_percentile_has_no_upper_bound_before_368_values():
    # 0.99^n must be at most 2.5%: n = ln 0.025 / ln 0.99 = 367.04.
    for n, bounded in ((50, False), (367, False), (368, True)):
        assert np.isfinite(quantile_interval(np.arange(n), 0.99).high) is np.bool_(bounded)


def test_the_bounds_of_a_median_are_the_tabled_order_statistics():
    # n = 20: the 6th and the 15th value, 95.9% (Conover, table of the sign test).
    found = quantile_interval(np.arange(1, 21), 0.5)
    assert (found.estimate, found.low, found.high) == (10.5, 6, 15)


def test_shares_have_wilsons_interval():
    # 10 of 10: 1 / (1 + z^2 / n) below, where z^2 = 3.8415.
    found = share_interval(10, 10)
    assert found.low == pytest.approx(1 / (1 + 3.8415 / 10), rel=1e-4)
    assert found.high == pytest.approx(1, abs=1e-12)
    assert found.estimate in found
    assert share_interval(0, 5).low == pytest.approx(0, abs=1e-12)


def test_a_slope_and_its_interval_are_those_of_the_textbook():
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 10, 12)
    y = 3 + 0.5 * x + rng.normal(0, 1, 12)
    known = stats.linregress(x, y)
    half = stats.t(10).ppf(0.975) * known.stderr
    found = slope_interval(x, y)
    assert found.estimate == pytest.approx(known.slope)
    assert (found.low, found.high) == pytest.approx((known.slope - half, known.slope + half))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quantile_interval([1.0], 0.5), "values must hold at least 2"),
        (lambda: quantile_interval([1.0, 2.0], 1.0), "quantile must be inside 0 to 1, got 1.0"),
        (lambda: quantile_interval([1.0, np.nan], 0.5), "values must be finite"),
        (lambda: share_interval(4, 3), "successes must be 0 to trials"),
        (lambda: slope_interval([1, 2], [1, 2]), "x and y must be rows of at least 3"),
        (lambda: slope_interval([1, 1, 1], [1, 2, 3]), "x must differ, got 1 everywhere"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
