"""Exercise 5: what a vendor's sentence leaves out, and how far it can be true."""

import math

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception
from amdahl_lab.grading.word_sets import WordsCheck

ALWAYS = ("metric", "baseline", "workload", "precision", "batch")
ALSO = {"energy": ("power",), "latency": ("percentile",), "time to train": ("target", "seeds")}
_ODD = ("", None)


def missing(claim):
    """Names of facts that have to be stated and are not."""
    needed = {*ALWAYS, *ALSO.get(claim.get("metric"), ())}
    return {fact for fact in needed if claim.get(fact) in _ODD}


_SAID = {
    "baseline": "one socket of 28 cores",
    "workload": "ResNet-50",
    "precision": "bf16",
    "batch": 64,
    "power": "TDP",
    "percentile": 99,
    "target": "75.9% top-1",
    "seeds": 5,
}


def _claims(rng):
    cases = []
    for place, metric in enumerate(("energy", "latency", "time to train", "throughput", None)):
        claim = {} if metric is None else {"metric": metric}
        claim |= {fact: value for fact, value in _SAID.items() if rng.random() < 0.5}
        # Not there, there without a word, there without a value.
        claim[("baseline", "precision", "workload", "batch", "seeds")[place]] = _ODD[place % 2]
        own = ALSO.get(metric, ("power",))[0]
        if place % 2:
            claim.pop(own, None)
        else:
            claim[own] = ""
        order = rng.permutation(list(claim))
        cases.append(({str(fact): claim[str(fact)] for fact in order},))
    whole = {"metric": "throughput"} | {fact: _SAID[fact] for fact in ALWAYS[1:]}
    return [*cases, (whole,), ({},)]


def _absent_only(claim):
    needed = {*ALWAYS, *ALSO.get(claim.get("metric"), ())}
    return needed - set(claim)


MISSING = WordsCheck(
    Item("missing", 1, "facts that a sentence leaves out"),
    "missing",
    _claims,
    missing,
    (
        Misconception(
            "a fact that is named and left empty, as '' or None, is not stated", _absent_only
        ),
        Misconception(
            "some metrics need more: energy its kind of power, latency its percentile, time to "
            "train its target and seeds",
            lambda claim: {fact for fact in ALWAYS if claim.get(fact) in _ODD},
        ),
        Misconception(
            "ask for what the metric needs, and not for what other metrics need",
            lambda claim: {
                fact
                for fact in (*ALWAYS, *(fact for facts in ALSO.values() for fact in facts))
                if claim.get(fact) in _ODD
            },
        ),
        Misconception(
            "these are the facts that are stated; those that are not are asked for",
            lambda claim: {
                fact
                for fact in (*ALWAYS, *ALSO.get(claim.get("metric"), ()))
                if claim.get(fact) not in _ODD
            },
        ),
    ),
)


def part_bound(peak, bandwidth, intensity, reached):
    """The most that the part can gain: what the new one can do over what the old one reached."""
    return np.minimum(peak, bandwidth * np.asarray(intensity)) / reached


def _parts(rng):
    cases = []
    for index in range(5):
        peak, bandwidth = float(rng.uniform(1e13, 1e15)), float(rng.uniform(5e11, 4e12))
        intensity = peak / bandwidth * float(rng.uniform(1.5, 9)) ** (-1 if index % 2 else 1)
        cases.append((peak, bandwidth, intensity, float(rng.uniform(1e10, 1e12))))
    peak, bandwidth = float(rng.uniform(1e13, 1e15)), float(rng.uniform(5e11, 4e12))
    around = peak / bandwidth * np.array([0.01, 0.4, 2.0, 30.0])
    return [*cases, (peak, bandwidth, around, float(rng.uniform(1e10, 1e12)))]


PART_BOUND = FunctionCheck(
    Item("part_bound", 1, "the most that a part can gain"),
    "part_bound",
    _parts,
    part_bound,
    (
        Misconception(
            "the memory of the new part has to feed it: with few FLOPs for each byte the peak is "
            "out of reach",
            lambda p, b, i, r: p / r + 0 * i,
        ),
        Misconception(
            "no work runs faster than the peak, however many FLOPs it has for each byte",
            lambda p, b, i, r: b * i / r,
        ),
        Misconception(
            "of peak and memory the smaller one is the bound",
            lambda p, b, i, r: np.maximum(p, b * i) / r,
        ),
        Misconception(
            "that is old over new; how many times as fast is new over old",
            lambda p, b, i, r: r / np.minimum(p, b * i),
        ),
    ),
)


def whole_bound(claim):
    """The most that the whole can gain by what is stated; inf where nothing bounds it."""
    roof = claim.get("peak", math.inf)
    if "bandwidth" in claim and "intensity" in claim:
        roof = min(roof, claim["bandwidth"] * claim["intensity"])
    part = roof / claim["reached"] if "reached" in claim else math.inf
    fraction = claim.get("fraction", 1.0)
    return 1 / (1 - fraction + fraction / part) if fraction < 1 or part < math.inf else math.inf


def _stated(rng, *names):
    peak = float(rng.uniform(1e13, 1e15))
    bandwidth = float(rng.uniform(5e11, 4e12))
    everything = {
        "peak": peak,
        "bandwidth": bandwidth,
        "intensity": peak / bandwidth * float(rng.uniform(0.1, 0.8)),
        "reached": peak / float(rng.uniform(40, 400)),
        "fraction": float(rng.uniform(0.7, 0.98)),
    }
    return {name: everything[name] for name in names}


_ROOF = ("peak", "bandwidth", "intensity")


def _bounded(rng):
    choices = [
        (*_ROOF, "reached", "fraction"),
        (*_ROOF, "reached"),
        ("peak", "reached", "fraction"),
        ("peak", "bandwidth", "reached"),
        ("bandwidth", "intensity", "reached", "fraction"),
        (*_ROOF, "fraction"),
        ("fraction",),
        _ROOF,
        (),
    ]
    return [(_stated(rng, *names),) for names in choices]


def _as_if(**changed):
    """A mistake that takes something else for what is not stated."""

    def mistake(claim):
        return whole_bound({**changed, **claim})

    return mistake


def _without(*names):
    def mistake(claim):
        return whole_bound({name: value for name, value in claim.items() if name not in names})

    return mistake


def _peak_reached(claim):
    return whole_bound({"reached": claim["peak"], **claim} if "peak" in claim else claim)


WHOLE_BOUND = FunctionCheck(
    Item("whole_bound", 1, "the most that the whole can gain by what is stated"),
    "whole_bound",
    _bounded,
    whole_bound,
    (
        Misconception(
            "only a share of the time gets faster where a fraction is stated: Amdahl's law comes "
            "on top",
            _without("fraction"),
        ),
        Misconception(
            "whatever the part gains, the rest of the time stays: a fraction alone bounds the "
            "whole by 1 / (1 - f)",
            lambda claim: whole_bound(claim) if "reached" in claim else math.inf,
        ),
        Misconception(
            "memory bounds the part as well, where bandwidth and intensity are both stated",
            _without("bandwidth", "intensity"),
        ),
        Misconception(
            "nothing is said of what the old one reached, and it may have been slow: no ratio of "
            "peaks bounds the gain over it",
            _peak_reached,
        ),
    ),
    otherwise="a fact that is not stated bounds nothing; those that are stated do, each for itself",
)


def verdict(claim):
    """Impossible above the bound, unsupported where a fact is missing, else possible."""
    if claim["factor"] > whole_bound(claim):
        return "impossible"
    return "unsupported" if missing(claim) else "possible"


def _judged(rng):
    cases = []
    said = {"metric": "throughput"} | {fact: _SAID[fact] for fact in ALWAYS[1:]}
    for share, silent in ((1.3, 0), (0.6, 0), (1.3, 1), (0.6, 1), (1.15, 0), (0.9, 0), (0.5, 2)):
        claim = _stated(rng, *_ROOF, "reached", "fraction") | said
        for fact in rng.permutation(list(ALWAYS[1:]))[:silent]:
            claim[str(fact)] = ""
        cases.append((claim | {"factor": share * whole_bound(claim)},))
    # More than the whole can gain, and less than the part can.
    claim = _stated(rng, *_ROOF, "reached", "fraction") | said
    cases.append((claim | {"factor": 1 + 1 / (1 - claim["fraction"])},))
    return [*cases, (said | {"factor": 1e4},)]


def _in_order(claim):
    if missing(claim):
        return "unsupported"
    return "impossible" if claim["factor"] > whole_bound(claim) else "possible"


def _never_open(claim):
    return "impossible" if claim["factor"] > whole_bound(claim) else "possible"


def _part_alone(claim):
    if claim["factor"] > _without("fraction")(claim):
        return "impossible"
    return "unsupported" if missing(claim) else "possible"


VERDICT = FunctionCheck(
    Item("verdict", 1, "what a sentence is worth"),
    "verdict",
    _judged,
    verdict,
    (
        Misconception(
            "what is above its bound is impossible, whatever else was left out: look at the bound "
            "first",
            _in_order,
        ),
        Misconception(
            "below the bound a sentence may be true, but with a fact missing nobody can check it",
            _never_open,
        ),
        Misconception(
            "the sentence is about the whole: hold it against the bound of the whole", _part_alone
        ),
        Misconception(
            "a sentence that leaves nothing out and keeps its bound is possible",
            lambda claim: "impossible" if claim["factor"] > whole_bound(claim) else "unsupported",
        ),
    ),
)
