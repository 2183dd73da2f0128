"""Exercise 5: what a plan holds, what it waits for, and which one is cheapest."""

import math
from itertools import combinations

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception

WEIGHT, GRADIENT, OPTIMISER = 2, 2, 12  # bytes for each parameter, mixed precision and Adam


def state_bytes(parameters, data, tensor, pipeline, zero):
    """Bytes on one worker: tensor and pipeline cut all; ZERO cuts over the data-parallel ones."""
    held = WEIGHT / (data if zero >= 3 else 1)
    held += GRADIENT / (data if zero >= 2 else 1)
    held += OPTIMISER / (data if zero >= 1 else 1)
    return parameters / (tensor * pipeline) * held


def _held(rng):
    cases = []
    for zero in (0, 1, 2, 3, 1, 3):
        data, tensor, pipeline = (2 ** int(rng.integers(1, 5)) for _ in range(3))
        cases.append((float(rng.integers(1, 80)) * 1e9, data, tensor, pipeline, zero))
    return cases


STATE = FunctionCheck(
    Item("plan_state", 1, "bytes of parameters, gradients and optimiser state on a worker"),
    "state_bytes",
    _held,
    state_bytes,
    (
        Misconception(
            "ZeRO cuts over the data-parallel workers only; what tensor and pipeline leave to one "
            "worker is divided by data, not by all workers once more",
            lambda p, d, t, s, z: state_bytes(p, d * t * s, 1, 1, z),
        ),
        Misconception(
            "tensor and pipeline parallelism cut the state too: a worker has 1 / (tensor "
            "pipeline) of the parameters before ZeRO cuts anything",
            lambda p, d, t, s, z: state_bytes(p, d, 1, 1, z),
        ),
        Misconception(
            "plain data parallelism keeps a whole copy on every worker; ZeRO is what cuts it",
            lambda p, d, t, s, z: state_bytes(p, d, t, s, 3),
        ),
        Misconception(
            "ZeRO 1 cuts the optimiser's state, ZeRO 2 the gradients too, ZeRO 3 all: the largest "
            "part goes first",
            lambda p, d, t, s, z: (
                p / (t * s) * sum(n / (d if z > i else 1) for i, n in enumerate((2, 2, 12)))
            ),
        ),
        Misconception(
            "each stage of ZeRO keeps what the one before cut: ZeRO 2 cuts the optimiser's state "
            "and the gradients",
            lambda p, d, t, s, z: (
                p / (t * s) * sum(n / (d if z == i else 1) for i, n in ((1, 12), (2, 2), (3, 2)))
            ),
        ),
    ),
    otherwise="count 2, 2 and 12 bytes for each parameter, and divide each by those who share it",
)


def exposed_seconds(backward, bucket_seconds, buckets):
    """What is left of the all-reduces when the backward pass ends."""
    # Bucket k of B is ready at k / B of the backward pass; they are sent one after the other.
    return max(bucket_seconds, buckets * bucket_seconds - backward * (1 - 1 / buckets))


def _overlaps(rng):
    cases = []
    for ratio in (0.2, 0.7, 0.95, 1.2, 2.5):
        buckets = int(rng.integers(3, 20))
        backward = float(rng.uniform(0.05, 0.5))
        cases.append(
            (backward, ratio * float(rng.uniform(0.97, 1.03)) * backward / buckets, buckets)
        )
    return [*cases, (float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.01, 0.05)), 1)]


EXPOSED = FunctionCheck(
    Item("plan_exposed", 1, "seconds of the all-reduces that nothing hides"),
    "exposed_seconds",
    _overlaps,
    exposed_seconds,
    (
        Misconception(
            "the last bucket is ready only when the backward pass ends, so its all-reduce is "
            "exposed whatever the network",
            lambda t, c, n: max(0.0, n * c - t),
        ),
        Misconception(
            "the network can't start before the first bucket is ready, at 1/B of the backward pass",
            lambda t, c, n: max(c, n * c - t),
        ),
        Misconception(
            "this is all of the communication; what runs beside the backward pass is hidden",
            lambda t, c, n: n * c,
        ),
        Misconception(
            "one bucket is exposed only while the network keeps up; buckets that come faster than "
            "they are sent queue up",
            lambda t, c, n: c,
        ),
    ),
    otherwise="draw the buckets on a line: when is each ready, when does its all-reduce start?",
)


def step_seconds(compute, plan, micro_batches, exposed):
    """Seconds of a step."""
    data, tensor, pipeline, _zero = plan
    share = compute / (data * tensor * pipeline)
    return share * (micro_batches + pipeline - 1) / micro_batches + exposed


def _bubble(m, s):
    return (s - 1) / (m + s - 1)


def _plans(rng):
    cases = []
    for _ in range(4):
        plan = [2 ** int(rng.integers(1, 4)) for _ in range(3)]
        cases.append(
            (
                float(rng.uniform(20, 90)),
                np.array([*plan, int(rng.integers(0, 4))]),
                int(rng.integers(2, 20)),
                float(rng.uniform(0.01, 0.2)),
            )
        )
    return [*cases, (10.0, np.array([4, 2, 1, 1]), 8, 0.25)]


def _no_bubble(compute, plan, m, exposed):
    return compute / math.prod(plan[:3]) + exposed


STEP = FunctionCheck(
    Item("plan_step", 1, "seconds of a step"),
    "step_seconds",
    _plans,
    step_seconds,
    (
        Misconception(
            "the bubble is missing: stages wait while the pipeline fills and drains", _no_bubble
        ),
        Misconception(
            "the bubble is a share of the whole time, so the work is 1 - bubble of it: divide, "
            "do not multiply by 1 + bubble",
            lambda c, p, m, e: c / math.prod(p[:3]) * (1 + _bubble(m, p[2])) + e,
        ),
        Misconception(
            "the work is cut over data, tensor and pipeline: divide by the product of all three",
            lambda c, p, m, e: c / p[2] * (m + p[2] - 1) / m + e,
        ),
        Misconception(
            "the exposed communication comes on top: it is waited for after the last pass",
            lambda c, p, m, e: step_seconds(c, p, m, 0.0),
        ),
        Misconception(
            "only the passes wait in the bubble; the exposed communication is added as it is",
            lambda c, p, m, e: (c / math.prod(p[:3]) + e) * (m + p[2] - 1) / m,
        ),
    ),
    otherwise="the share of the work, longer by the bubble, and then what is exposed",
)


def cheapest_plan(plans, exposed, parameters, memory_bytes, compute, micro_batches):
    """Place of the plan that fits with the fewest worker-seconds; -1 if none fits."""
    return _best(plans, exposed, parameters, memory_bytes, compute, micro_batches, _price)


def _price(plan, seconds):
    return math.prod(plan[:3]) * seconds


def _best(plans, exposed, parameters, memory_bytes, compute, micro_batches, price, held=None):
    held = held or (lambda plan: state_bytes(parameters, *plan))
    fits = [place for place, plan in enumerate(plans) if held(plan) <= memory_bytes]
    prices = [
        price(plans[k], step_seconds(compute, plans[k], micro_batches, exposed[k])) for k in fits
    ]
    return fits[int(np.argmin(prices))] if fits else -1


def _fastest(*case):
    return _best(*case, lambda plan, seconds: seconds)


def _whatever_fits(*case):
    return _best(*case, _price, lambda plan: 0.0)


def _fewest(*case):
    return _best(*case, lambda plan, seconds: math.prod(plan[:3]))


def _without_zero(plans, exposed, parameters, *rest):
    def held(plan):
        return state_bytes(parameters, *plan[:3], 0)

    return _best(plans, exposed, parameters, *rest, _price, held)


WRONG_CHOICES = (_fastest, _whatever_fits, _fewest, _without_zero)


def _choices(rng):
    """Cases that tell every mistake from the right choice, and from every other mistake."""
    pairs = set(combinations((cheapest_plan, *WRONG_CHOICES), 2))
    cases = []
    while pairs or len(cases) < 6:
        case = _choice(rng)
        apart = {pair for pair in pairs if pair[0](*case) != pair[1](*case)}
        if cheapest_plan(*case) >= 0 and (apart or not pairs):
            cases.append(case)
            pairs -= apart
    plans, exposed, parameters, _, *rest = _choice(rng)
    return [*cases, (plans, exposed, parameters, 1e6, *rest)]


def _choice(rng):
    places = rng.choice(256, size=12, replace=False)
    plans = [[2 ** (k & 3), 2 ** (k >> 2 & 3), 2 ** (k >> 4 & 3), k >> 6] for k in places.tolist()]
    exposed = [
        float(rng.uniform(0.05, 0.2)) * (1 + 0.5 * (plan[3] == 3)) * (plan[0] > 1)
        + 0.3 * float(rng.uniform(0.8, 1.2)) * math.log2(plan[1])
        for plan in plans
    ]
    return (
        np.array(plans),
        np.array(exposed),
        float(rng.integers(5, 30)) * 1e9,
        float(rng.choice([24e9, 40e9, 80e9])),
        float(rng.uniform(20, 80)),
        int(rng.integers(4, 17)),
    )


CHEAPEST = FunctionCheck(
    Item("plan_cheapest", 1, "the cheapest plan that fits"),
    "cheapest_plan",
    _choices,
    cheapest_plan,
    (
        Misconception(
            "this is the fastest plan that fits; the price of a step is its seconds times the "
            "workers that are paid for",
            _fastest,
        ),
        Misconception(
            "this is the cheapest plan of all; it has to fit into memory", _whatever_fits
        ),
        Misconception(
            "the fewest workers are not always the cheapest: bubble and exposed communication "
            "count too",
            _fewest,
        ),
        Misconception("ZeRO decides what fits: count the state with it", _without_zero),
        Misconception(
            "for a memory into which no plan fits, return -1",
            lambda *case: None if cheapest_plan(*case) < 0 else cheapest_plan(*case),
        ),
    ),
    otherwise="for some hidden models and memories another plan is cheaper, or none fits",
)
