"""What the hidden checks of chapter 7 hold for right: scipy, plain search, a known truth."""

import sys
from itertools import product

import numpy as np
import pytest
from scipy import integrate, stats

from amdahl_lab.grading.comparing import MadeUpMachine

pytestmark = pytest.mark.parametrize(
    "chapter", ["07_measuring_efficiency"], indirect=True, scope="session"
)


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    """Nothing here runs a notebook."""


@pytest.fixture
def checks(assignment):
    """A module of the hidden checks by its name."""
    assert assignment.checks
    return lambda name: sys.modules[f"hidden_checks_07_measuring_efficiency.{name}"]


def test_shares_and_areas_are_those_of_scipy(checks):
    survival = checks("survival")
    for seed in range(20):
        hours, reached = survival._runs(np.random.default_rng(seed), 15)
        data = stats.CensoredData(uncensored=hours[reached], right=hours[~reached])
        kaplan_meier = stats.ecdf(data).sf
        at = np.linspace(0, hours.max(), 57)
        got = survival.not_there_yet(hours, reached, at)
        np.testing.assert_allclose(got, kaplan_meier.evaluate(at), atol=1e-12)
        for limit in (0.7 * hours.max(), hours.max()):
            area, _ = integrate.quad(
                kaplan_meier.evaluate, 0, limit, points=np.unique(hours[hours < limit]), limit=200
            )
            assert survival.restricted_mean(hours, reached, limit) == pytest.approx(area, rel=1e-6)


def test_the_expected_hours_are_those_of_runs_that_start_again(checks):
    hours, reached = checks("survival")._runs(np.random.default_rng(5), 15)
    stop, expected = checks("survival").best_stop(hours, reached)
    # Runs drawn from the estimate: those that take longer than the stop are all alike.
    data = stats.CensoredData(uncensored=hours[reached], right=hours[~reached])
    left = stats.ecdf(data).sf
    times = left.quantiles
    chance = -np.diff(left.probabilities, prepend=1.0)
    drawn = np.random.default_rng(0).choice(
        np.append(times, np.inf), size=(20_000, 60), p=np.append(chance, 1 - chance.sum())
    )
    first = np.argmax(drawn <= stop, axis=1)
    last = drawn[np.arange(len(drawn)), first]
    total = first * stop + last
    assert total.mean() == pytest.approx(expected, abs=5 * total.std() / len(total) ** 0.5)


def test_the_best_set_is_that_of_a_search_in_seconds(checks):
    what_if = checks("what_if")
    for fractions, gains, days, budget in what_if._plans(np.random.default_rng(1)):
        seconds = {}
        for taken in product([False, True], repeat=len(days)):
            spent = sum(d for d, one in zip(days, taken, strict=True) if one)
            step = 1 - fractions.sum()
            for fraction, gain, one in zip(fractions, gains, taken, strict=True):
                step += fraction / gain if one else fraction
            if spent <= budget:
                seconds[taken] = step
        best = np.flatnonzero(min(seconds, key=seconds.get))
        assert what_if.best_set(fractions, gains, days, budget) == best.tolist()


def shares_right(machines, order, ends):
    """Shares of A/A alarms, of changes found, and of lucky programs seen through."""
    kinds = [(1.0, 0.0)] * 100 + [(1.03, 0.0)] * 60 + [(1.06, 0.04)] * 30
    lows, highs = [], []
    for seed, kind in enumerate(kinds):
        rng = np.random.default_rng([7, seed])
        machine = MadeUpMachine(machines.machine(rng, *kind).table, machines.WARMUPS)
        runs, times = {name: machine.program(name) for name in "ab"}, {"a": [], "b": []}
        for name in order(rng, machines.WARMUPS + machines.ROUNDS):
            start = machine.clock()
            runs[name]()
            times[name].append(machine.clock() - start)
        low, high = ends(*(np.log(times[name][machines.WARMUPS :]) for name in "ab"))
        lows.append(low)
        highs.append(high)
    lows, highs = np.array(lows), np.array(highs)
    alarms = np.sum((lows[:100] > 0) | (highs[:100] < 0))
    return alarms, np.sum(lows[100:160] > 0), np.sum(lows[160:] > 0)


def paired(a, b):
    found = stats.ttest_1samp(a - b, 0.0).confidence_interval()
    return found.low, found.high


def alone(a, b):
    found = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    return found.low, found.high


def in_rounds(rng, rounds):
    return "".join(rng.choice(["ab", "ba"], rounds))


def test_a_right_harness_keeps_far_from_every_bound(checks):
    harness = checks("harness")
    alarms, found, typical = shares_right(checks("machines"), in_rounds, paired)
    assert alarms <= harness.MOST_ALARMS / 2
    assert (found, typical) == (60, 30)


def test_short_cuts_are_fooled(checks):
    harness, machines = checks("harness"), checks("machines")
    for order in (lambda _, n: "a" * n + "b" * n, lambda _, n: "ab" * n):
        alarms, *_ = shares_right(machines, order, paired)
        assert alarms > 4 * harness.MOST_ALARMS
    _, found, _ = shares_right(machines, in_rounds, alone)
    assert found < harness.LEAST_FOUND - 10

    def of_the_best(a, b):
        best = [np.array([part.min() for part in np.array_split(x, 10)]) for x in (a, b)]
        return paired(*best)

    *_, typical = shares_right(machines, in_rounds, of_the_best)
    assert typical < harness.LEAST_TYPICAL / 2
