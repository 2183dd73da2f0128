"""Latency and bandwidth from times of collectives: exact on a line, honest in their intervals."""

import numpy as np
import pytest

from amdahl_lab import communication
from amdahl_lab.fitting_communication import fit_latency_bandwidth
from amdahl_lab.statistics import coverage

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def fitted(seconds, workers=2, **kwargs):
    return fit_latency_bandwidth(seconds, workers, rng=np.random.default_rng(0), **kwargs)


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_a_ring_whose_messages_are_played_out_gives_its_link_back(workers):
    """Each worker sends 2 (N - 1) pieces of an N-th, one after the other."""
    latency, bandwidth = 3e-4, 2e8

    def ring(size: int) -> float:
        return sum(latency + size / workers / bandwidth for _ in range(2 * (workers - 1)))

    fit = fitted({size: [ring(size)] * 3 for size in SIZES}, workers)
    assert fit.latency.estimate == pytest.approx(latency)
    assert fit.bandwidth.estimate == pytest.approx(bandwidth)
    assert fit.bandwidth.width < 1e-6 * bandwidth
    assert (fit.sizes, fit.workers) == (SIZES, workers)


def test_another_collective_is_read_by_its_own_cost():
    """A broadcast to 8 crosses three links one after the other."""
    times = {size: [3 * (1e-3 + size / 1e6)] * 2 for size in SIZES}
    fit = fitted(times, 8, collective=communication.broadcast_seconds)
    assert fit.latency.estimate == pytest.approx(1e-3)
    assert fit.bandwidth.estimate == pytest.approx(1e6)


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    latency, bandwidth = 5e-4, 1e8

    def held(rng: np.random.Generator) -> tuple[bool, bool]:
        times = {
            size: (2 * latency + size / bandwidth) * np.exp(rng.normal(0, 0.05, 6))
            for size in (4_000, 30_000, 200_000, 1_500_000)
        }
        fit = fit_latency_bandwidth(times, 2, rng=rng, draws=600)
        return latency in fit.latency, bandwidth in fit.bandwidth

    for which in (0, 1):
        share = coverage(lambda rng, which=which: held(rng)[which], 500, seed=1)
        assert share.high > 0.95, share
        assert share.estimate < 0.99, share  # nor by being wide


def test_times_that_hardly_grow_leave_the_bandwidth_open_above():
    fit = fitted({1_000: [0.9, 1.0, 1.1], 1_100: [0.91, 1.0, 1.12]})
    assert fit.bandwidth.high == np.inf
    assert 0 < fit.bandwidth.low < fit.bandwidth.estimate < np.inf


@pytest.mark.parametrize(
    ("seconds", "workers", "words"),
    [
        ({1000: [1.0, 1.0]}, 2, "seconds must hold at least two sizes, got \\[1000\\]"),
        ({}, 2, "at least two sizes, got \\[\\]"),
        ({1000: [1.0, 1.0], 2000: [1.0, 1.0]}, 1, "workers must be at least 2"),
        ({1000: [2.0, 2.0], 2000: [1.0, 1.0]}, 2, "seconds must grow with the size"),
        ({1000: [1.0], 2000: [2.0]}, 2, "at least 2 rounds"),
        ({1000: [1.0, -1.0], 2000: [2.0, 2.0]}, 2, "finite and above 0, got -1"),
        ({0: [1.0, 1.0], 2000: [2.0, 2.0]}, 2, "sizes must be finite and above 0, got 0"),
    ],
)
def test_what_cannot_be_identified_is_refused(seconds, workers, words):
    with pytest.raises(ValueError, match=words):
        fitted(seconds, workers)
