"""What the hidden checks of chapter 6 hold for right: by trying all, or by what was published."""

import itertools
import math
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.parametrize(
    "chapter", ["06_hardware_acceleration"], indirect=True, scope="session"
)


@pytest.fixture
def hidden(assignment):
    """Modules of the hidden checks by name."""
    assert assignment.checks
    return lambda name: sys.modules[f"hidden_checks_06_hardware_acceleration.{name}"]


def test_hill_and_marty_published_speedups(hidden):
    # "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, the text beside figure 2.
    speedup = hidden("chips").chip_speedup
    assert speedup("symmetric", 0.025, 256, 7.1) == pytest.approx(51.2, abs=0.05)
    assert speedup("asymmetric", 0.025, 256, 64) == pytest.approx(125.0, abs=0.05)
    assert speedup("dynamic", 0.01, 256, 256) == pytest.approx(223, abs=0.5)


def test_the_best_core_of_an_asymmetric_chip_is_where_the_time_stops_falling(hidden):
    chips = hidden("chips")
    for s, n in ((0.025, 256), (0.3, 64), (0.004, 144)):
        (best,) = chips.best_core("asymmetric", [s], n)
        # The derivative of s / sqrt(r) + (1 - s) / (sqrt(r) + n - r) changes its sign there.
        slope = [
            -s / 2 / r**1.5 - (1 - s) * (0.5 / r**0.5 - 1) / (r**0.5 + n - r) ** 2
            for r in (best - 1, best + 1)
        ]
        assert slope[0] < 0 < slope[1]


def test_the_best_chip_for_a_mix_is_that_for_its_mean_serial_fraction(hidden):
    chips, rng = hidden("chips"), np.random.default_rng(5)
    for _ in range(20):
        fractions, weights = rng.uniform(0, 0.5, 3), rng.dirichlet([1.0, 1.0, 1.0])
        (best,) = chips.best_core("asymmetric", [fractions @ weights], 100)
        assert chips.best_for_mix(fractions, weights, 100) == best


def test_no_split_of_all_that_there_are_ends_sooner(hidden):
    shares, rng = hidden("shares"), np.random.default_rng(6)
    for workers, batch in ((2, 17), (3, 12), (4, 9), (3, 2)):
        seconds = rng.uniform(1, 5, size=workers).tolist()
        best = shares.best_shares(batch, seconds)
        assert sum(best) == batch
        every = itertools.product(range(batch + 1), repeat=workers)
        ends = [max(map(float.__mul__, map(float, n), seconds)) for n in every if sum(n) == batch]
        assert shares.slowest(best, seconds) == pytest.approx(min(ends), rel=1e-12)


def test_the_least_number_pays_and_one_less_does_not(hidden):
    offload, rng = hidden("offload"), np.random.default_rng(7)
    for case in offload._break_evens(rng):
        host, *part = case
        least = offload.least_items(*case)
        if least == math.inf:
            assert 1e9 * host < offload.offload_seconds(1e9, *part)
            continue
        assert least * host > offload.offload_seconds(least, *part)
        assert (least - 1) * host <= offload.offload_seconds(least - 1, *part)
    for items, host, *part, resident in offload._calls(rng):
        calls = offload.calls_to_pay(items, host, *part, resident)
        _, _, latency, inverse_bandwidth = part

        def spent(calls):
            each = offload.offload_seconds(items, *part)  # noqa: B023
            return latency + resident * inverse_bandwidth + calls * each  # noqa: B023

        if calls == math.inf:
            assert spent(1e9) > 1e9 * items * host
            continue
        assert spent(calls) < calls * items * host
        assert spent(calls - 1) >= (calls - 1) * items * host


def test_units_agree_with_what_they_are_made_of(hidden):
    converted = hidden("units").converted
    assert converted(1, "kWh", "MJ") == pytest.approx(1000 * 3600 / 1e6)
    assert converted(8, "Gbit/s", "GB/s") == pytest.approx(1)
    assert converted(1, "TFLOP/s/W", "pJ/FLOP") == pytest.approx(1)
    for one, other in (("pJ/FLOP", "GFLOP/s/W"), ("GB/s", "ns/byte"), ("PFLOP/s", "GFLOP/s")):
        there = converted(3.7, one, other)
        assert converted(there, other, one) == pytest.approx(3.7)
    assert converted(1, "TFLOP/s", "TFLOP/s/W") is None


def test_a_bound_never_rises_with_another_fact(hidden):
    audit, rng = hidden("audit"), np.random.default_rng(8)
    facts = ("peak", "bandwidth", "intensity", "reached", "fraction")
    everything = audit._stated(rng, *facts)
    for size in range(len(facts)):
        for names in itertools.combinations(facts, size):
            fewer = {name: everything[name] for name in names}
            bound = audit.whole_bound(fewer)
            assert all(
                audit.whole_bound(fewer | {name: everything[name]}) <= bound * (1 + 1e-12)
                for name in facts
            )
    assert audit.whole_bound({}) == math.inf
    part = audit.part_bound(*(everything[name] for name in facts[:4]))
    assert 1 < audit.whole_bound(everything) < min(part, 1 / (1 - everything["fraction"]))


def test_the_bound_of_a_whole_is_that_of_hours_counted_out(hidden):
    # Twenty hours, 19 of them in a part at 1 TFLOP/s; the new peak is 100 times as high, and the
    # new memory brings bytes for 20 TFLOP/s. What is left out, and the fewest hours left then:
    facts = {"peak": 1e14, "bandwidth": 2e12, "intensity": 10, "reached": 1e12, "fraction": 0.95}
    hours = {
        (): 1 + 19 / 20,
        ("peak",): 1 + 19 / 20,
        ("bandwidth",): 1 + 19 / 100,
        ("intensity",): 1 + 19 / 100,
        ("peak", "intensity"): 1,
        ("reached",): 1,
        ("fraction",): 20 / 20,
        ("intensity", "fraction"): 20 / 100,
        ("reached", "fraction"): 0,
    }
    for names, least in hours.items():
        bound = hidden("audit").whole_bound({k: v for k, v in facts.items() if k not in names})
        assert bound == (pytest.approx(20 / least) if least else math.inf), names
    assert hidden("audit").part_bound(1e14, 2e12, 10, 1e12) == pytest.approx(20)
    assert hidden("audit").part_bound(1e14, 2e12, 300, 1e12) == pytest.approx(100)


def test_the_sentences_of_the_task_are_what_the_check_says(hidden):
    """The numbers behind the letters, worked out from the sentences."""
    flops_of_watt, add_rate = 123e12 / 220, 1555e9 / 12  # an addition of 4 bytes moves 12
    refuted = {
        "a": flops_of_watt > 1e6 * 30,
        "b": 240 > 312,
        "c": add_rate < 400e9,
        "d": False,  # nothing is said of how many images are answered at a time
        "e": 3 > 1 / (1 - 0.6),
        "f": False,  # a fifth of the time at twice the power is 40% of the energy
        "g": 100e12 * 8e-12 > 300,
    }
    assert hidden("units").IMPOSSIBLE.right == {
        letter for letter, is_so in refuted.items() if is_so
    }
