"""Exercise 5: when compression pays."""

import math

from amdahl_lab.grading.items import ChoiceCheck, FunctionCheck, Item, Misconception

from .links import ring_seconds


def power_sgd_bytes(shapes, rank):
    """Bytes of what PowerSGD sends of float32 gradients."""
    numbers = 0
    for shape in shapes:
        whole = math.prod(shape)
        thin = rank * (shape[0] + whole // shape[0]) if len(shape) > 1 else whole
        numbers += min(whole, thin)
    return 4 * numbers


def _networks(rng):
    cases = []
    for _ in range(5):
        a, b, c, d = (int(n) for n in rng.integers(40, 600, size=4))
        narrow = int(rng.integers(2, 4))  # too thin to be worth it
        shapes = [[a, b], [a], [c, d, 3, 3], [c], [narrow, c], [narrow]]
        cases.append((shapes, int(rng.integers(4, 9))))
    return cases


def _parts(shape):
    return shape[0], math.prod(shape[1:])


def _always(shapes, rank):
    return 4 * sum(rank * sum(_parts(s)) if len(s) > 1 else s[0] for s in shapes)


def _all_numbers(shapes, rank):
    return power_sgd_bytes(shapes, rank) / 4


def _without_vectors(shapes, rank):
    return power_sgd_bytes([s for s in shapes if len(s) > 1], rank)


def _vectors_too(shapes, rank):
    return 4 * sum(min(math.prod(s), rank * sum(_parts(s))) for s in shapes if len(s) > 1) + 4 * (
        sum(rank for s in shapes if len(s) == 1)
    )


def _last_axis(shapes, rank):
    numbers = 0
    for shape in shapes:
        whole = math.prod(shape)
        numbers += min(whole, rank * (whole // shape[-1] + shape[-1])) if len(shape) > 1 else whole
    return 4 * numbers


def _one_factor(shapes, rank):
    return 4 * sum(min(math.prod(s), rank * s[0]) if len(s) > 1 else math.prod(s) for s in shapes)


BYTES = FunctionCheck(
    Item("power_sgd_bytes", 1, "bytes of low-rank gradients"),
    "power_sgd_bytes",
    _networks,
    power_sgd_bytes,
    (
        Misconception(
            "a matrix whose two factors hold more numbers than it has itself is sent as it is",
            _always,
        ),
        Misconception("these are numbers; each of them has 4 bytes", _all_numbers),
        Misconception("gradients with one axis are sent too, as they are", _without_vectors),
        Misconception(
            "of more than two axes the first is kept, and the others become one", _last_axis
        ),
        Misconception("both factors are sent, n x r and m x r", _one_factor),
        Misconception("gradients with one axis have no factors: they are sent whole", _vectors_too),
    ),
)


def seconds_saved(full, sent, collectives, codec, workers, latency, inverse_bandwidth):
    """What compression takes off a step."""
    plain = ring_seconds(full, workers, latency, inverse_bandwidth)
    short = ring_seconds(sent, workers, latency, inverse_bandwidth)
    return plain - short - (collectives - 1) * 2 * (workers - 1) * latency - codec


def break_even_bandwidth(full, sent, collectives, codec, workers, latency):
    """Bandwidth of the link at which compression neither saves nor costs."""
    if sent >= full:
        return 0.0
    cost = codec + (collectives - 1) * 2 * (workers - 1) * latency
    return 2 * (workers - 1) / workers * (full - sent) / cost


def _links(rng):
    cases = []
    for index in range(6):
        full = float(rng.uniform(1e6, 2e8))
        sent = full * float(rng.uniform(0.01, 0.5))
        workers, latency = int(rng.integers(3, 33)), float(rng.uniform(1e-5, 1e-4))
        codec = float(rng.uniform(1e-3, 2e-2))
        at = break_even_bandwidth(full, sent, 1 + index % 3, codec, workers, latency)
        # Now it pays, and now it does not.
        bandwidth = at * float(rng.uniform(1.5, 3) if index % 2 else rng.uniform(0.3, 0.7))
        cases.append((full, sent, 1 + index % 3, codec, workers, latency, 1 / bandwidth))
    return cases


SAVED = FunctionCheck(
    Item("seconds_saved", 1, "what compression saves, or costs"),
    "seconds_saved",
    _links,
    seconds_saved,
    (
        Misconception(
            "compressing and unpacking take time of their own: codec is missing",
            lambda f, s, c, t, n, a, b: seconds_saved(f, s, c, 0.0, n, a, b),
        ),
        Misconception(
            "over each link of a ring go 2 (N - 1) / N times the bytes of the buffer",
            lambda f, s, c, t, n, a, b: (f - s) * b - (c - 1) * 2 * (n - 1) * a - t,
        ),
        Misconception(
            "over each link of a ring go 2 (N - 1) / N times the bytes of the buffer",
            lambda f, s, c, t, n, a, b: (f - s) * b - t,
        ),
        Misconception(
            "each further collective pays the latency of its own messages",
            lambda f, s, c, t, n, a, b: seconds_saved(f, s, 1, t, n, a, b),
        ),
        Misconception(
            "the plain step pays the latency of one all-reduce too: only the further ones count",
            lambda f, s, c, t, n, a, b: seconds_saved(f, s, c + 1, t, n, a, b),
        ),
        Misconception(
            "what is saved may be less than nothing: do not clip it, the sign is the answer",
            lambda *case: max(0.0, seconds_saved(*case)),
        ),
        Misconception(
            "this is the time with compression; what it saves is by how much that is shorter",
            lambda f, s, c, t, n, a, b: (
                ring_seconds(f, n, a, b) - seconds_saved(f, s, c, t, n, a, b)
            ),
        ),
    ),
)


def _even(rng):
    cases = [case[:-1] for case in _links(rng)]
    full, _sent, collectives, codec, workers, latency = cases[0]
    return [*cases, (full, 1.2 * full, collectives, codec, workers, latency)]


BREAK_EVEN = FunctionCheck(
    Item("break_even_bandwidth", 1, "bandwidth up to which compression pays"),
    "break_even_bandwidth",
    _even,
    break_even_bandwidth,
    (
        Misconception(
            "this is seconds per byte; the bandwidth is bytes per second",
            lambda *case: 1 / break_even_bandwidth(*case) if case[1] < case[0] else 0.0,
        ),
        Misconception(
            "where no fewer bytes are sent, compression pays on no link: the answer is 0",
            lambda f, s, c, t, n, a: 2 * (n - 1) / n * (f - s) / (t + (c - 1) * 2 * (n - 1) * a),
        ),
        Misconception(
            "over each link of a ring go 2 (N - 1) / N times the bytes of the buffer",
            lambda f, s, c, t, n, a: max(0.0, (f - s) / (t + (c - 1) * 2 * (n - 1) * a)),
        ),
        Misconception(
            "over each link of a ring go 2 (N - 1) / N times the bytes of the buffer",
            lambda f, s, c, t, n, a: max(0.0, (f - s) / t),
        ),
        Misconception(
            "each further collective pays the latency of its own messages, and that has to be "
            "earned back too",
            lambda f, s, c, t, n, a: break_even_bandwidth(f, s, 1, t, n, a),
        ),
        Misconception(
            "the bytes that are saved count, not those that are still sent",
            lambda f, s, c, t, n, a: 2 * (n - 1) / n * s / (t + (c - 1) * 2 * (n - 1) * a),
        ),
    ),
)

STATEMENTS = ChoiceCheck(
    Item("statements", 1, "what compression can and cannot do"),
    "true_statements",
    frozenset("bde"),
    {
        "a": "look at (a) again: what of the all-reduce's time stays when the bytes halve?",
        "b": "look at (b) again: does anything in the latency of a message depend on its bytes?",
        "c": "look at (c) again: what does a step wait for if its messages travel meanwhile?",
        "d": "look at (d) again: which terms of the saving hold the bandwidth, and which do not?",
        "e": "look at (e) again: is anything of a matrix lost when two thin ones stand for it?",
    },
)
