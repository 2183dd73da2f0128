"""Exercise 4: the largest batch under a bound."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def tail(latencies, warmups):
    """99th percentile of all requests after the warm-ups of each run."""
    return float(np.percentile(latencies[:, warmups:], 99))


def largest(sizes, latencies, warmups, bound):
    """Largest size whose tail meets the bound; 0 if none does."""
    meets = [
        size for size, one in zip(sizes, latencies, strict=True) if tail(one, warmups) <= bound
    ]
    return float(max(meets, default=0))


def throughput(size, latencies, warmups):
    """Samples per second of a server that answers one batch after the other."""
    kept = latencies[:, warmups:]
    return float(size * kept.size / kept.sum())


def _latencies(rng, typical, runs=3, requests=68, warmups=8, slow=0.03):
    """Seconds of each request: mostly alike, a few slow ones, slow ones first."""
    times = typical * np.exp(rng.normal(0, 0.08, size=(runs, requests)))
    times *= np.exp(rng.normal(0, 0.15, size=(runs, 1)))  # some runs are slow as a whole
    times[rng.random(times.shape) < slow] *= rng.uniform(2, 4)
    times[:, :warmups] *= rng.uniform(5, 9, size=(runs, warmups))
    return times


def _tails(rng):
    return [
        (_latencies(rng, float(rng.uniform(0.002, 0.05)), warmups=warmups), warmups)
        for warmups in (5, 8, 12)
    ]


def _percentile(share):
    return lambda times, warmups: float(np.percentile(times[:, warmups:], share))


TAIL = FunctionCheck(
    Item("p99", 1, "99th percentile of raw latencies"),
    "p99",
    _tails,
    tail,
    (
        Misconception(
            "the mean hides the slow requests, and they are what the bound is about",
            lambda t, w: float(t[:, w:].mean()),
        ),
        Misconception(
            "the first requests of each run warm up and don't count",
            lambda t, w: float(np.percentile(t, 99)),
        ),
        Misconception(
            "the warm-ups are the first requests of every run, not of the first run alone",
            lambda t, w: float(np.percentile(t.ravel()[w:], 99)),
        ),
        Misconception(
            "a percentile of means is no percentile: a mean has swallowed the slow requests "
            "before the percentile can see them",
            lambda t, w: float(np.percentile(t[:, w:].mean(axis=1), 99)),
        ),
        Misconception(
            "the mean of the runs' percentiles is not the percentile of all requests; put the "
            "requests of all runs together first",
            lambda t, w: float(np.percentile(t[:, w:], 99, axis=1).mean()),
        ),
        Misconception(
            "the slowest request of all says more about its one bad moment than about the tail",
            lambda t, w: float(t[:, w:].max()),
        ),
        Misconception("this is the median; 99 of 100 requests are asked for", _percentile(50)),
        Misconception("this is the 95th percentile; 99 of 100 are asked for", _percentile(95)),
    ),
    otherwise="the hidden latencies have another 99th percentile: all requests of all runs "
    "together, without the warm-ups, by np.percentile",
)


def _first_miss(sizes, latencies, warmups, bound):
    best = 0
    for size, one in zip(sizes, latencies, strict=True):
        if tail(one, warmups) > bound:
            break
        best = size
    return float(best)


def _by(measure):
    def answer(sizes, latencies, warmups, bound):
        meets = [
            s for s, one in zip(sizes, latencies, strict=True) if measure(one, warmups) <= bound
        ]
        return float(max(meets, default=0))

    return answer


def _busiest(sizes, latencies, warmups, bound):
    rates = [throughput(s, one, warmups) for s, one in zip(sizes, latencies, strict=True)]
    return float(sizes[int(np.argmax(rates))])


def _smallest(sizes, latencies, warmups, bound):
    meets = [s for s, one in zip(sizes, latencies, strict=True) if tail(one, warmups) <= bound]
    return float(min(meets, default=0))


def _mean(times, warmups):
    return times[:, warmups:].mean()


def _everything(times, warmups):
    return np.percentile(times, 99)


def _server(rng, hiccup):
    """Latencies over the batch: a fixed part and one for each sample; one size may hiccup."""
    sizes = 2 ** np.arange(6)
    latencies = np.stack([_latencies(rng, 0.004 + 0.0005 * size) for size in sizes])
    latencies[hiccup] *= 4.0 if hiccup else 1.0
    return sizes, latencies


def _bounds(rng):
    """Cases that tell the typical mistakes apart, whatever the seed."""
    cases = []
    for hiccup in (0, 2, 0, 3):
        while True:
            sizes, latencies = _server(rng, hiccup)
            tails = np.array([tail(one, 8) for one in latencies])
            bound = float(np.sort(tails)[int(rng.integers(2, 5))] * 1.02)
            case = (sizes, latencies, 8, bound)
            right = largest(*case)
            others = [_by(_mean)(*case), _by(_everything)(*case), _busiest(*case), _smallest(*case)]
            stops = _first_miss(*case)
            if right not in others and (stops != right) == bool(hiccup):
                break
        cases.append(case)
    sizes, latencies = _server(rng, 0)
    return [*cases, (sizes, latencies, 8, 0.5 * float(latencies[:, :, 8:].min()))]


def _none_for_none(*case):
    return largest(*case) or None


LARGEST = FunctionCheck(
    Item("largest_batch", 1, "largest batch under a bound"),
    "largest_batch",
    _bounds,
    largest,
    (
        Misconception(
            "here the mean meets the bound; the bound is for the 99th percentile",
            _by(_mean),
        ),
        Misconception(
            "the first requests of each run warm up and don't count",
            _by(_everything),
        ),
        Misconception(
            "this is the batch with the highest throughput, whatever the bound",
            _busiest,
        ),
        Misconception(
            "one size that misses the bound says nothing of the next: look at all of them",
            _first_miss,
        ),
        Misconception("this is the smallest batch that meets the bound", _smallest),
        Misconception("where no size meets the bound, return 0", _none_for_none),
    ),
    otherwise="for some hidden latencies another batch is the largest; is your p99 right?",
)


def _rates(rng):
    cases = []
    for _ in range(4):
        size = int(rng.integers(1, 65))
        cases.append((size, _latencies(rng, float(rng.uniform(0.002, 0.05))), 8))
    return cases


THROUGHPUT = FunctionCheck(
    Item("samples_per_second", 1, "throughput"),
    "samples_per_second",
    _rates,
    throughput,
    (
        Misconception(
            "throughput counts all the time that passes: here the mean is right, and the 99th "
            "percentile would let every request be a slow one",
            lambda n, t, w: n / tail(t, w),
        ),
        Misconception(
            "samples are asked for, and a request holds size of them",
            lambda n, t, w: throughput(1, t, w),
        ),
        Misconception(
            "the mean of the rates gives fast requests more weight than the time that they take; "
            "divide all samples by all seconds",
            lambda n, t, w: float((n / t[:, w:]).mean()),
        ),
        Misconception(
            "the first requests of each run warm up and don't count",
            lambda n, t, w: throughput(n, t, 0),
        ),
        Misconception(
            "these are seconds per sample; samples per second are asked for",
            lambda n, t, w: 1 / throughput(n, t, w),
        ),
    ),
    otherwise="the hidden latencies give another throughput: all samples over all seconds, "
    "without the warm-ups",
)
