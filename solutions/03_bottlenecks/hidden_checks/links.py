"""Exercise 2: latency and inverse bandwidth from raw times."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception

ROUNDS = 15
TICK = 0.004  # what the second mode of small messages adds, in seconds


def ring_seconds(size, workers, latency, inverse_bandwidth):
    """Time of a ring all-reduce."""
    messages = 2 * (workers - 1)
    return messages * (latency + np.divide(size, workers) * inverse_bandwidth)


def _rings(rng):
    cases = []
    for _ in range(4):
        workers, latency = int(rng.integers(2, 64)), float(rng.uniform(2e-6, 2e-4))
        cases.append(
            (float(rng.uniform(1e3, 1e9)), workers, latency, float(rng.uniform(1e-11, 1e-9)))
        )
    sizes = np.geomspace(1e3, 1e8, 5) * rng.uniform(0.5, 2)
    return [*cases, (sizes, 8, 5e-5, 2e-10), (1e6, 1, 5e-5, 2e-10)]


RING = FunctionCheck(
    Item("ring_seconds", 1, "time of a ring all-reduce"),
    "ring_seconds",
    _rings,
    ring_seconds,
    (
        Misconception(
            "this is one message with the whole buffer; a ring sends 2 (N - 1) messages, each with "
            "an N-th of it",
            lambda n, N, a, b: a + n * b,
        ),
        Misconception(
            "each of the 2 (N - 1) messages carries an N-th of the buffer, not all of it",
            lambda n, N, a, b: 2 * (N - 1) * (a + n * b),
        ),
        Misconception(
            "latency is paid for every one of the 2 (N - 1) messages",
            lambda n, N, a, b: a + 2 * (N - 1) / N * n * b,
        ),
        Misconception(
            "N - 1 messages leave each worker with one part of the sum; as many again bring the "
            "other parts",
            lambda n, N, a, b: ring_seconds(n, N, a, b) / 2,
        ),
        Misconception(
            "2 (N - 1) messages, and not 2 N: a worker keeps its own part",
            lambda n, N, a, b: 2 * N * (a + n / N * b),
        ),
    ),
)


def _shares(workers):
    """Messages of a ring, and buffers that go over each link."""
    return 2 * (workers - 1), 2 * (workers - 1) / workers


def _line(sizes, times, relative):
    """Intercept and slope, with errors in proportion to the times or all alike."""
    slope, intercept = np.polyfit(sizes, times, 1, w=1 / times if relative else None)
    return intercept, slope


def _on_wire(line, workers):
    messages, buffers = _shares(workers)
    return line[0] / messages, line[1] / buffers


def fit(sizes, seconds, workers):
    """Medians of the rounds, and a line with relative errors."""
    return _on_wire(_line(sizes, np.median(seconds, axis=0), relative=True), workers)


def _unweighted(sizes, seconds, workers):
    return _on_wire(_line(sizes, np.median(seconds, axis=0), relative=False), workers)


def _of_means(sizes, seconds, workers):
    return _on_wire(_line(sizes, np.mean(seconds, axis=0), relative=True), workers)


def _of_means_unweighted(sizes, seconds, workers):
    return _on_wire(_line(sizes, np.mean(seconds, axis=0), relative=False), workers)


def _of_buffer(sizes, seconds, workers):
    return _line(sizes, np.median(seconds, axis=0), relative=True)


def _from_ends(sizes, seconds, workers):
    """Latency from the smallest message alone, bandwidth from the largest alone."""
    typical = np.median(seconds, axis=0)
    return _on_wire((typical[0], typical[-1] / sizes[-1]), workers)


def _in_logarithms(sizes, seconds, workers):
    """Another right way: a fit of logarithms, by Gauss-Newton."""
    typical = np.median(seconds, axis=0)
    intercept, slope = _line(sizes, typical, relative=True)
    for _ in range(20):
        model = intercept + slope * sizes
        steps = np.linalg.lstsq(
            np.stack([1 / model, sizes / model], axis=1), np.log(typical / model), rcond=None
        )[0]
        intercept, slope = intercept + steps[0], slope + steps[1]
    return _on_wire((intercept, slope), workers)


def _of_quickest(sizes, seconds, workers):
    """Another right way: the quickest round of each size, which is never disturbed."""
    return _on_wire(_line(sizes, np.min(seconds, axis=0), relative=True), workers)


def _measured(rng):
    """Raw times of four links. Right ways agree on them to 5%, and each mistake misses one."""
    cases = []
    while len(cases) < 4:
        workers, latency = int(rng.integers(3, 9)), float(rng.uniform(4e-5, 1.5e-4))
        inverse_bandwidth = float(rng.uniform(2e-10, 2e-9))
        # At the smallest size the bytes already take about as long as the latency.
        smallest = rng.uniform(0.6, 1.0) * workers * latency / inverse_bandwidth
        sizes = np.round(smallest * 4.0 ** np.arange(7))
        typical = ring_seconds(sizes, workers, latency, inverse_bandwidth)
        seconds = typical * np.exp(rng.normal(0, 0.02, size=(ROUNDS, sizes.size)))
        for column in range(3):
            late = rng.choice(ROUNDS, size=3, replace=False)
            seconds[late, column] += TICK
        case, truth = (sizes, seconds, workers), (latency, inverse_bandwidth)
        rights = [way(*case) for way in (fit, _in_logarithms, _of_quickest)]
        if all(np.allclose(np.divide(one, truth), 1, atol=0.05) for one in rights):
            cases.append(case)
    return cases


@dataclass(frozen=True)
class PartCheck(FunctionCheck):
    """Looks at one part of an answer that has several."""

    part: int = 0

    def _all_agree(self, answers: list, expected: list) -> bool:
        return super()._all_agree(
            [self._of(answer) for answer in answers],
            [value if isinstance(value, dict) else value[self.part] for value in expected],
        )

    def _of(self, answer: Any) -> Any:
        value = answer.get("value") if isinstance(answer, dict) else None
        whole = isinstance(value, list) and len(value) == 2
        return {"value": value[self.part] if whole else None}


_MIXED = Misconception(
    "a mean over the rounds mixes two modes: one small message in five waits 4 ms for a tick of "
    "the scheduler. Look at the raw times, and take what is typical",
    _of_means,
)
_MIXED_UNWEIGHTED = replace(_MIXED, answer=_of_means_unweighted)

LATENCY = PartCheck(
    Item("fit_latency", 1, "latency from raw times"),
    "fit_link",
    _measured,
    fit,
    (
        Misconception(
            "the latency is what is left at no bytes at all; at the smallest size that you have, "
            "the bytes take time too",
            _from_ends,
        ),
        _MIXED,
        Misconception(
            "in a plain least-squares fit the largest sizes rule, and a percent of theirs is more "
            "than all of the latency: weigh each time by what it is uncertain by",
            _unweighted,
        ),
        _MIXED_UNWEIGHTED,
        Misconception(
            "this is the latency of the whole all-reduce; a ring pays it for each of its "
            "2 (N - 1) messages",
            _of_buffer,
        ),
    ),
    otherwise="the latency of the hidden links is another: are the modes of small messages kept "
    "apart, the errors relative, and the messages of the ring counted?",
    tolerance=0.12,
)

INVERSE_BANDWIDTH = PartCheck(
    Item("fit_inverse_bandwidth", 1, "inverse bandwidth from raw times"),
    "fit_link",
    _measured,
    fit,
    (
        Misconception(
            "these are seconds for each byte of the buffer; over each link of a ring go "
            "2 (N - 1) / N times as many bytes",
            _of_buffer,
        ),
        Misconception(
            "this is the bandwidth, in bytes per second; the inverse bandwidth is asked for",
            lambda sizes, seconds, workers: (0.0, 1 / fit(sizes, seconds, workers)[1]),
        ),
        Misconception(
            "the order is latency first, inverse bandwidth second",
            lambda sizes, seconds, workers: fit(sizes, seconds, workers)[::-1],
        ),
    ),
    otherwise="the inverse bandwidth of the hidden links is another: it is the slope of the time "
    "over the bytes that go over one link",
    tolerance=0.12,
    part=1,
)
