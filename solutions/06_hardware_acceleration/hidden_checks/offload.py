"""Exercise 2: when handing a part to an accelerator pays."""

import math

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def offload_seconds(items, device, moved, latency, inverse_bandwidth):
    """Two messages, their bytes, and the work on the device."""
    return 2 * latency + items * (device + moved * inverse_bandwidth)


def least_items(host, device, moved, latency, inverse_bandwidth):
    """The fewest items for which the device is faster; inf where no number is enough."""
    saved = host - device - moved * inverse_bandwidth
    return math.floor(2 * latency / saved) + 1 if saved > 0 else math.inf


def calls_to_pay(items, host, device, moved, latency, inverse_bandwidth, resident):
    """Calls after which sending the weights once has been earned back; inf where never."""
    saved = items * host - offload_seconds(items, device, moved, latency, inverse_bandwidth)
    once = latency + resident * inverse_bandwidth
    return math.floor(once / saved) + 1 if saved > 0 else math.inf


def whole_speedup(fraction, factor, transfer):
    """Speedup of the whole, and what it comes to with an infinitely fast device."""
    rest = 1 - fraction + transfer
    return [1 / (rest + fraction / factor), 1 / rest]


def _part(rng):
    device, moved = float(rng.uniform(1e-8, 1e-6)), int(rng.integers(100, 4000))
    return device, moved, float(rng.uniform(5e-6, 5e-5)), 1 / float(rng.uniform(5e9, 5e10))


def _times(rng):
    cases = [(int(rng.integers(10, 10**5)), *_part(rng)) for _ in range(4)]
    return [*cases, (rng.integers(1, 10**5, size=4).astype(float), *_part(rng))]


SECONDS = FunctionCheck(
    Item("offload_seconds", 1, "seconds of a part on the device"),
    "offload_seconds",
    _times,
    offload_seconds,
    (
        Misconception(
            "there are two messages, one there and one back, and each has its latency",
            lambda n, d, m, a, b: a + n * (d + m * b),
        ),
        Misconception(
            "the latency is paid for a message and not for each item in it",
            lambda n, d, m, a, b: n * (2 * a + d + m * b),
        ),
        Misconception(
            "the bytes of an item are already those of both ways: count them once",
            lambda n, d, m, a, b: 2 * a + n * (d + 2 * m * b),
        ),
        Misconception(
            "the bytes grow with the items: all of them have to travel",
            lambda n, d, m, a, b: 2 * a + n * d + m * b,
        ),
    ),
    otherwise="add up what happens: two messages, their bytes, and the work of all items",
)


def _break_evens(rng):
    cases = []
    for _ in range(4):
        device, moved, latency, inverse = _part(rng)
        saved = 2 * latency / (int(rng.integers(20, 2000)) + float(rng.uniform(0.2, 0.8)))
        cases.append((device + moved * inverse + saved, device, moved, latency, inverse))
    # Exactly even at a whole number, in numbers that a computer holds exactly.
    even = int(rng.integers(3, 60))
    whole = (3.0, 1.0, 4, float(even) * 0.5, 0.25)
    device, moved, latency, inverse = _part(rng)
    swamped = (device + 0.5 * moved * inverse, device, moved, latency, inverse)
    return [*cases, whole, swamped]


def _break_even(h, d, m, a, b):
    return 2 * a / (h - d - m * b)


LEAST_ITEMS = FunctionCheck(
    Item("least_items", 1, "the fewest items for which it pays"),
    "least_items",
    _break_evens,
    least_items,
    (
        Misconception(
            "where an item takes longer to move than it saves, no number is enough: the answer "
            "is inf",
            lambda *case: max(1, math.floor(_break_even(*case)) + 1),
        ),
        Misconception(
            "where an item takes longer to move than it saves, no number is enough: the answer "
            "is inf",
            lambda *case: math.floor(_break_even(*case)) + 1,
        ),
        Misconception(
            "at the break-even point both take equally long, and that is not less yet; what if "
            "the point is a whole number?",
            lambda *case: math.ceil(_break_even(*case)) if _break_even(*case) > 0 else math.inf,
        ),
        Misconception(
            "give a whole number of items, the first for which the device is faster",
            lambda *case: _break_even(*case) if _break_even(*case) > 0 else math.inf,
        ),
        Misconception(
            "the bytes of each item have to be earned back too, not the latencies alone",
            lambda h, d, m, a, b: least_items(h, d, 0, a, b),
        ),
    ),
)


def _calls(rng):
    cases = []
    for gain in (1.4, 2.0, 3.5, 8.0):
        device, moved, latency, inverse = _part(rng)
        items = int(rng.integers(500, 5000))
        host = gain * offload_seconds(items, device, moved, latency, inverse) / items
        saved = items * host * (1 - 1 / gain)
        calls = int(rng.integers(2, 90)) + float(rng.uniform(0.2, 0.8))
        resident = (calls * saved - latency) / inverse
        cases.append((items, host, device, moved, latency, inverse, resident))
    device, moved, latency, inverse = _part(rng)
    host = 0.8 * offload_seconds(1000, device, moved, latency, inverse) / 1000
    return [*cases, (1000, host, device, moved, latency, inverse, 1e6)]


def _calls_without(items, host, device, moved, latency, inverse_bandwidth, resident):
    saved = items * (host - device)
    return math.floor((latency + resident * inverse_bandwidth) / saved) + 1


CALLS = FunctionCheck(
    Item("calls_to_pay", 1, "calls after which weights sent once have paid"),
    "calls_to_pay",
    _calls,
    calls_to_pay,
    (
        Misconception(
            "where a call saves nothing, no number of calls pays: the answer is inf",
            lambda n, h, d, m, a, b, r: (
                math.floor((a + r * b) / (n * h - offload_seconds(n, d, m, a, b))) + 1
            ),
        ),
        Misconception(
            "each call still moves its own items, there and back: that is part of what it takes",
            _calls_without,
        ),
        Misconception(
            "the weights travel once and not with every call",
            lambda n, h, d, m, a, b, r: (
                1 if n * h > a + r * b + offload_seconds(n, d, m, a, b) else math.inf
            ),
        ),
        Misconception(
            "give a whole number of calls, the first after which less time has passed in all",
            lambda n, h, d, m, a, b, r: (
                (a + r * b) / saved
                if (saved := n * h - offload_seconds(n, d, m, a, b)) > 0
                else math.inf
            ),
        ),
    ),
)


def _wholes(rng):
    return [
        (float(rng.uniform(0.3, 0.95)), float(rng.uniform(2, 200)), float(rng.uniform(0.01, 0.25)))
        for _ in range(5)
    ]


WHOLE = FunctionCheck(
    Item("whole_speedup", 1, "speedup of the whole, and its limit"),
    "whole_speedup",
    _wholes,
    whole_speedup,
    (
        Misconception(
            "the transfer is time that was not there before: it comes on top",
            lambda f, k, t: [1 / (1 - f + f / k), 1 / (1 - f)],
        ),
        Misconception(
            "the transfer stays however fast the device is: it belongs into the limit too",
            lambda f, k, t: [1 / (1 - f + t + f / k), 1 / (1 - f)],
        ),
        Misconception(
            "the link does not get faster with the device: the transfer is not divided by factor",
            lambda f, k, t: [1 / (1 - f + (f + t) / k), 1 / (1 - f)],
        ),
        Misconception(
            "this is the new time over the old one; the speedup is old over new",
            lambda f, k, t: [1 - f + t + f / k, 1 - f + t],
        ),
    ),
)
