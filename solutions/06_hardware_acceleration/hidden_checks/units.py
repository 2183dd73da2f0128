"""Exercise 1: units, what a data sheet says, and sentences that can't be true."""

from amdahl_lab.grading.items import ChoiceCheck, FunctionCheck, Item, Misconception

# Worth in the unit of its kind, and the kind; written out again from the task.
KNOWN = {
    "GFLOP/s": (1e9, "FLOP/s"),
    "TFLOP/s": (1e12, "FLOP/s"),
    "PFLOP/s": (1e15, "FLOP/s"),
    "GB/s": (1e9, "byte/s"),
    "Gbit/s": (1e9 / 8, "byte/s"),
    "ns/byte": (1e-9, "s/byte"),
    "GFLOP/s/W": (1e9, "FLOP/J"),
    "TFLOP/s/W": (1e12, "FLOP/J"),
    "pJ/FLOP": (1e-12, "J/FLOP"),
    "MJ": (1e6, "J"),
    "kWh": (3.6e6, "J"),
}
_RECIPROCAL = {"FLOP/J": "J/FLOP", "byte/s": "s/byte"}
_RECIPROCAL |= {kind: other for other, kind in _RECIPROCAL.items()}


def converted(value, unit, wanted):
    """Value in another unit, also of the reciprocal kind; None where they measure two things."""
    (one, kind), (other, wanted_kind) = KNOWN[unit], KNOWN[wanted]
    if kind == wanted_kind:
        return value * one / other
    if _RECIPROCAL.get(kind) == wanted_kind:
        return 1 / (value * one) / other
    return None


def _quantities(rng):
    pairs = [
        ("PFLOP/s", "GFLOP/s"),
        ("Gbit/s", "GB/s"),
        ("kWh", "MJ"),
        ("TFLOP/s/W", "GFLOP/s/W"),
        ("pJ/FLOP", "TFLOP/s/W"),
        ("GFLOP/s/W", "pJ/FLOP"),
        ("GB/s", "ns/byte"),
        ("ns/byte", "Gbit/s"),
        ("TFLOP/s", "TFLOP/s/W"),
        ("GB/s", "GFLOP/s"),
        ("MJ", "pJ/FLOP"),
    ]
    return [(float(rng.uniform(0.2, 40)), *pair) for pair in pairs]


def _scaled_only(value, unit, wanted):
    return value * KNOWN[unit][0] / KNOWN[wanted][0]


def _without(refused, reciprocal):
    def mistake(value, unit, wanted):
        same = KNOWN[unit][1] == KNOWN[wanted][1]
        right = converted(value, unit, wanted)
        if right is None:
            return right if refused else _scaled_only(value, unit, wanted)
        return right if same else reciprocal(value, unit, wanted)

    return mistake


CONVERTED = FunctionCheck(
    Item("converted", 1, "one unit into another, or none"),
    "converted",
    _quantities,
    converted,
    (
        Misconception(
            "two units that measure different things have no factor between them: the answer is "
            "None, whatever their prefixes",
            _without(False, converted),
        ),
        Misconception(
            "two units that measure different things have no factor between them: the answer is "
            "None, whatever their prefixes",
            _scaled_only,
        ),
        Misconception(
            "FLOP/J and J/FLOP tell the same about a machine, upside down: turn the value round",
            _without(True, lambda value, unit, wanted: None),
        ),
        Misconception(
            "FLOP/J and J/FLOP tell the same about a machine, upside down: turn the value round",
            _without(True, _scaled_only),
        ),
        Misconception(
            "the factors are exchanged: to a larger unit belongs a smaller number",
            lambda value, unit, wanted: (
                None
                if converted(value, unit, wanted) is None
                else value * KNOWN[wanted][0] / KNOWN[unit][0]
            ),
        ),
    ),
    otherwise="for some hidden pair of units the value is another: try each kind by hand",
)


def sheet(teraflops, gigabytes, watts):
    """FLOPs per joule in 1e9, picojoules per FLOP, and the ridge in FLOPs per byte."""
    return [1e3 * teraflops / watts, watts / teraflops, 1e3 * teraflops / gigabytes]


def _sheets(rng):
    return [
        (float(rng.uniform(5, 2000)), float(rng.uniform(30, 8000)), float(rng.uniform(40, 1000)))
        for _ in range(4)
    ]


SHEET = FunctionCheck(
    Item("sheet", 1, "efficiency, energy and ridge from a data sheet"),
    "sheet",
    _sheets,
    sheet,
    (
        Misconception(
            "tera is 1e12 and giga 1e9: a factor of a thousand is missing where they meet",
            lambda t, g, w: [t / w, w / t, t / g],
        ),
        Misconception(
            "a watt is a joule in each second: W over TFLOP/s are already picojoules for each "
            "FLOP, 1e12 against 1e12",
            lambda t, g, w: [1e3 * t / w, 1e3 * w / t, 1e3 * t / g],
        ),
        Misconception(
            "the ridge is FLOPs for each byte: FLOP/s over byte/s",
            lambda t, g, w: [1e3 * t / w, w / t, g / t / 1e3],
        ),
        Misconception(
            "the list is in another order than asked for",
            lambda t, g, w: [w / t, 1e3 * t / w, 1e3 * t / g],
        ),
    ),
)

IMPOSSIBLE = ChoiceCheck(
    Item("impossible", 1, "sentences that units or bounds refute"),
    "impossible",
    frozenset("aceg"),
    {
        "a": "look at (a) again: divide its own two numbers, with their prefixes",
        "b": "look at (b) again: which share of the peak for that kind of number is it?",
        "c": "look at (c) again: how many bytes does one addition move?",
        "d": "look at (d) again: must one image be done before the next one begins?",
        "e": "look at (e) again: what stays of the time when the part takes none?",
        "f": "look at (f) again: power is not energy; multiply by the hours",
        "g": "look at (g) again: joules for each FLOP times FLOPs in a second are watts",
    },
)
