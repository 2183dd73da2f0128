"""Laws against independent truths: definitions by simulation, published numbers, invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amdahl_lab import laws

fractions = st.floats(0, 1)
inner_fractions = st.floats(1e-6, 1 - 1e-6)
workers = st.floats(1, 1e6)


def simulated_time(workers, serial, parallel):
    """Add up the time that a run takes: serial seconds, then equal shares side by side."""
    shares = [parallel / workers] * workers
    return serial + max(shares)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("serial", [0.0, 0.5, 3.0])
def test_amdahl_is_the_ratio_of_two_added_up_times(n, serial):
    parallel = 5.0
    one = simulated_time(1, serial, parallel)
    ratio = one / simulated_time(n, serial, parallel)
    assert laws.amdahl_speedup(n, serial / one) == pytest.approx(ratio, rel=1e-12)


@given(fractions)
def test_one_worker_gives_speedup_one(s):
    assert laws.amdahl_speedup(1, s) == pytest.approx(1, rel=1e-12)
    assert laws.gustafson_speedup(1, s) == pytest.approx(1, rel=1e-12)
    assert laws.sun_ni_speedup(1, s, 1) == pytest.approx(1, rel=1e-12)
    assert laws.usl_speedup(1, s, 0.3) == pytest.approx(1, rel=1e-12)


@given(inner_fractions)
def test_amdahl_approaches_its_limit_from_below(s):
    assert laws.amdahl_speedup(1e15, s) == pytest.approx(1 / s, rel=1e-6)
    assert laws.amdahl_speedup(1e15, s) <= laws.amdahl_limit(s) * (1 + 1e-12)


@given(fractions, workers)
def test_amdahl_never_falls_and_never_exceeds_n(s, n):
    assert laws.amdahl_speedup(2 * n, s) >= laws.amdahl_speedup(n, s) * (1 - 1e-12)
    assert laws.amdahl_speedup(n, s) <= n * (1 + 1e-12)


def test_extreme_serial_fractions():
    assert laws.amdahl_speedup(1000, 0.0) == pytest.approx(1000)
    assert laws.amdahl_speedup(1000, 1.0) == 1
    assert laws.amdahl_limit(0.0) == np.inf
    assert laws.amdahl_limit(1.0) == 1
    assert laws.knee(0.0) == np.inf
    assert laws.knee(1.0) == 1
    assert laws.workers_for_speedup(1, 1.0) == 1
    assert laws.workers_for_speedup(7, 0.0) == 7
    assert laws.workers_for_efficiency(1, 0.0) == 1
    assert laws.workers_for_efficiency(0.9, 0.0) == np.inf
    assert laws.enhanced_limit(1.0) == np.inf
    assert laws.gustafson_workers(2, 1.0) == np.inf
    assert laws.usl_peak(1.0, 0.0) == 1


@given(inner_fractions, st.floats(1.001, 1e4))
def test_karp_flatt_reads_the_law_backwards(s, n):
    assert laws.karp_flatt(laws.amdahl_speedup(n, s), n) == pytest.approx(s, rel=1e-6, abs=1e-9)


def test_karp_flatt_leaves_the_range_where_the_law_does_not_hold():
    assert laws.karp_flatt(2.2, 2) < 0  # faster than two workers can be
    assert laws.karp_flatt(0.9, 2) > 1  # slower than one


@given(st.floats(1e-3, 0.999), st.floats(1, 1e3))
def test_workers_for_speedup_inverts_the_law(s, n):
    S = laws.amdahl_speedup(n, s)
    assert laws.workers_for_speedup(S, s) == pytest.approx(n, rel=1e-6)


def test_unreachable_speedup_takes_infinitely_many_workers():
    np.testing.assert_array_equal(laws.workers_for_speedup([10, 11], 0.1), [np.inf, np.inf])


@given(st.floats(1e-3, 0.999), st.floats(0.01, 1))
def test_workers_for_efficiency_inverts_efficiency(s, wanted):
    n = laws.workers_for_efficiency(wanted, s)
    assert laws.efficiency(laws.amdahl_speedup(n, s), n) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("s", [0.3, 0.1, 0.02])
def test_knee_is_where_a_search_finds_the_most_speedup_times_efficiency(s):
    n = np.linspace(1, 200, 1_000_001)
    S = laws.amdahl_speedup(n, s)
    assert laws.knee(s) == pytest.approx(n[np.argmax(S * laws.efficiency(S, n))], rel=1e-3)
    assert laws.amdahl_speedup(laws.knee(s), s) == pytest.approx(laws.amdahl_limit(s) / 2)


def test_enhanced_part_generalises_amdahl():
    n = np.array([1, 2, 16])
    np.testing.assert_allclose(laws.enhanced_speedup(0.9, n), laws.amdahl_speedup(n, 0.1))


@given(inner_fractions, st.floats(1.1, 100))
def test_enhanced_inverses(f, k):
    S = laws.enhanced_speedup(f, k)
    assert laws.fraction_for_speedup(S, k) == pytest.approx(f, rel=1e-6, abs=1e-6)
    if f > 0.01:
        assert laws.factor_for_speedup(S, f) == pytest.approx(k, rel=1e-4)


def test_no_factor_reaches_the_limit_of_an_enhanced_part():
    assert laws.factor_for_speedup(2.0, 0.5) == np.inf
    assert laws.factor_for_speedup(2.5, 0.5) == np.inf


def test_gustafson_matches_the_published_scaled_speedups():
    # Gustafson (1988) reports scaled speedups of 1,016 to 1,021 on 1,024 processors for serial
    # shares of 0.4 to 0.8 per cent.
    assert laws.gustafson_speedup(1024, 0.004) == pytest.approx(1020, abs=1)
    assert laws.gustafson_speedup(1024, 0.008) == pytest.approx(1016, abs=1)


@given(fractions, st.floats(1, 1e4))
def test_one_run_has_one_speedup_whichever_law_tells_it(s, n):
    scaled = laws.scaled_serial_fraction(s, n)
    assert laws.gustafson_speedup(n, scaled) == pytest.approx(laws.amdahl_speedup(n, s), rel=1e-9)
    assert laws.fixed_serial_fraction(scaled, n) == pytest.approx(s, rel=1e-6, abs=1e-9)


@given(st.floats(0.001, 0.99), st.floats(2, 1e3))
def test_gustafson_inverses(s, n):
    S = laws.gustafson_speedup(n, s)
    assert laws.gustafson_workers(S, s) == pytest.approx(n, rel=1e-6)
    assert laws.scaled_serial_fraction_from_speedup(S, n) == pytest.approx(s, abs=1e-9)


@given(fractions, st.floats(1, 1e4))
def test_sun_ni_lies_between_its_two_special_cases(s, n):
    fixed = laws.sun_ni_speedup(n, s, 1)
    scaled = laws.sun_ni_speedup(n, s, n)
    between = laws.sun_ni_speedup(n, s, np.sqrt(n))
    assert fixed == pytest.approx(laws.amdahl_speedup(n, s), rel=1e-9)
    assert scaled == pytest.approx(laws.gustafson_speedup(n, s), rel=1e-9)
    assert fixed * (1 - 1e-9) <= between <= scaled * (1 + 1e-9)


@given(fractions, workers)
def test_usl_without_coherency_is_amdahl(sigma, n):
    assert laws.usl_speedup(n, sigma, 0) == pytest.approx(laws.amdahl_speedup(n, sigma), rel=1e-9)


@pytest.mark.parametrize(("sigma", "kappa"), [(0.0, 0.001), (0.1, 0.001), (0.05, 1e-5)])
def test_usl_peak_is_where_a_search_finds_it(sigma, kappa):
    n = np.linspace(1, 1000, 1_000_001)
    S = laws.usl_speedup(n, sigma, kappa)
    assert laws.usl_peak(sigma, kappa) == pytest.approx(n[np.argmax(S)], rel=1e-3)
    assert laws.usl_peak_speedup(sigma, kappa) == pytest.approx(S.max(), rel=1e-6)


def test_usl_peak_speedup_without_coherency_is_the_limit():
    np.testing.assert_array_equal(laws.usl_peak_speedup([0.1, 0.0], 0.0), [10.0, np.inf])


def test_hill_marty_matches_the_published_maxima():
    # Hill and Marty (2008), f = 0.975 and n = 256: at best 51.2 symmetric, 125.0 asymmetric;
    # f = 0.99, n = 256: 223 dynamic.
    r = np.linspace(1, 256, 25501)
    assert laws.hill_marty_symmetric(0.025, 256, r).max() == pytest.approx(51.2, abs=0.05)
    assert laws.hill_marty_asymmetric(0.025, 256, r).max() == pytest.approx(125.0, abs=0.05)
    assert laws.hill_marty_dynamic(0.01, 256, r).max() == pytest.approx(223, abs=0.5)


def test_hill_marty_with_cores_of_one_unit_is_amdahl():
    for law in (laws.hill_marty_symmetric, laws.hill_marty_asymmetric, laws.hill_marty_dynamic):
        assert law(0.1, 64, 1) == pytest.approx(laws.amdahl_speedup(64, 0.1))


def test_huge_numbers_of_workers_do_not_overflow():
    for value in (
        laws.amdahl_speedup(1e308, 0.1),
        laws.usl_speedup(1e308, 0.1, 0.0),
        laws.sun_ni_speedup(1e308, 0.1, 1),
    ):
        assert value == pytest.approx(10)


def test_arrays_broadcast_and_scalars_stay_floats():
    assert laws.amdahl_speedup(np.ones((3, 1)), np.full(4, 0.2)).shape == (3, 4)
    assert type(laws.amdahl_speedup(4, 0.1)) is float


BAD = [
    (laws.amdahl_speedup, (2, -0.1), "serial_fraction must be between 0 and 1, got -0.1"),
    (laws.amdahl_speedup, (2, [0.1, 1.5]), "serial_fraction must be between 0 and 1, got 1.5"),
    (laws.amdahl_speedup, (0.5, 0.1), "workers must be finite and at least 1, got 0.5"),
    (laws.amdahl_speedup, (np.inf, 0.1), "workers must be finite and at least 1, got inf"),
    (laws.amdahl_speedup, (np.nan, 0.1), "workers must be finite and at least 1, got nan"),
    (laws.amdahl_speedup, (2, np.nan), "serial_fraction must be between 0 and 1, got nan"),
    (laws.amdahl_speedup, ([], 0.1), "workers must be finite and at least 1, got an empty array"),
    (laws.amdahl_speedup, ("two", 0.1), "workers must be finite and at least 1, got 'two'"),
    (laws.amdahl_speedup, ([1, 2], [0.1] * 3), "shapes do not match: workers (2,)"),
    (laws.karp_flatt, (1.5, 1), "workers must be finite and above 1, got 1"),
    (laws.karp_flatt, (0, 2), "speedup must be finite and above 0, got 0"),
    (laws.workers_for_efficiency, (0, 0.1), "efficiency must be finite and above 0, got 0"),
    (laws.workers_for_efficiency, (1.1, 0.1), "efficiency must be between 0 and 1, got 1.1"),
    (laws.enhanced_speedup, (0.5, 0), "factor must be finite and above 0, got 0"),
    (laws.fraction_for_speedup, (1.5, 1), "factor must differ from 1"),
    (laws.sun_ni_speedup, (2, 0.1, 0), "growth must be finite and above 0, got 0"),
    (laws.usl_speedup, (2, 0.1, -1), "coherency must be finite and at least 0, got -1"),
    (laws.hill_marty_symmetric, (0.1, 16, 32), "core must be at most chip, got core 32"),
]


@pytest.mark.parametrize(("law", "arguments", "message"), BAD)
def test_bad_input_gets_one_clear_error(law, arguments, message):
    with pytest.raises(ValueError) as caught:
        law(*arguments)
    assert message in str(caught.value)
