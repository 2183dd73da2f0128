"""Answers to the exercises on Amdahl's law."""

from corpus.answers import Answer, Group


def _both(numbers: str, arrays: str | None = None) -> dict[str, str]:
    return {"speedup_numbers": numbers, "speedup_arrays": arrays or numbers}


SPEEDUP = [
    Answer(
        "check_1_speedup",
        "right: one fraction",
        "speedup = lambda workers, serial_fraction: (\n"
        "    np.asarray(workers) / (1 + serial_fraction * (np.asarray(workers) - 1)))",
    ),
    Answer(
        "check_1_speedup",
        "right: the ratio of two times, float32 would not do",
        """
def time(n, s):
    return np.add(s, np.subtract(1, s) / n)

def speedup(workers, serial_fraction):
    return time(1, serial_fraction) / time(workers, serial_fraction)
""",
    ),
    Answer(
        "check_1_speedup",
        "wrong: s and 1 - s exchanged",
        "def speedup(n, s): return 1 / ((1 - s) + s / n)",
        _both("the share that is divided among the workers is 1 - s"),
    ),
    Answer(
        "check_1_speedup",
        "wrong: Gustafson",
        "def speedup(n, s): return n - s * (n - 1)",
        _both("Gustafson"),
    ),
    Answer(
        "check_1_speedup",
        "wrong: the outline's factor",
        "def speedup(n, s): return 1 / (1 - s / n)",
        {
            "speedup_numbers": "",  # 1 / 0 at one worker and s = 1 is not asked, so this is found
            "speedup_arrays": "outline's formula",
        },
    ),
    Answer(
        "check_1_speedup",
        "wrong: the time, not the speedup",
        "def speedup(n, s): return s + (1 - s) / n",
        _both("and the speedup is T(1) / T(N)"),
    ),
    Answer(
        "check_1_speedup",
        "wrong: the outline's time",
        "def speedup(n, s): return 1 / (1 / n + s)",
        _both("not the sum of its two parts"),
    ),
    Answer(
        "check_1_speedup",
        "wrong: the efficiency",
        "def speedup(n, s): return 1 / (n * s + (1 - s))",
        _both("this is the efficiency"),
    ),
    Answer(
        "check_1_speedup",
        "numbers only",
        """
def speedup(workers, serial_fraction):
    if serial_fraction == 1 or workers == 1:
        return 1.0
    return 1 / (serial_fraction + (1 - serial_fraction) / workers)
""",
        {"speedup_arrays": "stops with ValueError on every hidden input"},
    ),
    Answer(
        "check_1_speedup",
        "wrong: right for the numbers of the visible checks only",
        """
def speedup(n, s):
    known = {(1, 0.3): 1.0, (4, 0.1): 1 / 0.325, (8, 1.0): 1.0, (8, 0.0): 8.0}
    return known.get((n, s), 1.0)
""",
        {"speedup_numbers": "hidden inputs", "speedup_arrays": "stops with TypeError"},
    ),
    Answer(
        "check_1_speedup",
        "wrong: text",
        "def speedup(n, s): return 'fast'",
        _both("not a number"),
    ),
]

INVERSES = [
    Answer(
        "check_1_inverses",
        "right: other forms, a guard by exception",
        """
def serial_fraction(measured, workers):
    return (workers - measured) / (measured * (workers - 1))

def workers_needed(target, serial_fraction):
    if target == 1:
        return 1
    try:
        n = (1 - serial_fraction) / (1 / target - serial_fraction)
    except ZeroDivisionError:
        return float("inf")
    return n if n > 0 else float("inf")
""",
    ),
    Answer(
        "check_1_inverses",
        "wrong: parallel fraction; no guard",
        """
def serial_fraction(measured, workers):
    return 1 - (1 / measured - 1 / workers) / (1 - 1 / workers)

def workers_needed(S, s):
    return S * (1 - s) / (1 - S * s) if S * s != 1 else math.inf
""",
        {"serial_fraction": "the parallel fraction", "workers_needed": "never reached"},
    ),
    Answer(
        "check_1_inverses",
        "wrong: lost efficiency; divides by zero at the limit",
        """
def serial_fraction(measured, workers):
    return 1 - measured / workers

def workers_needed(S, s):
    return S * (1 - s) / (1 - S * s)
""",
        {"serial_fraction": "efficiency that was lost", "workers_needed": "some hidden inputs"},
    ),
    Answer(
        "check_1_inverses",
        "wrong: clipped; rounded up",
        """
def serial_fraction(measured, workers):
    return min(1.0, max(0.0, (1 / measured - 1 / workers) / (1 - 1 / workers)))

def workers_needed(S, s):
    return math.ceil(S * (1 - s) / (1 - S * s)) if S * s < 1 else math.inf
""",
        {"serial_fraction": "do not clip", "workers_needed": "not rounded"},
    ),
    Answer(
        "check_1_inverses",
        "wrong: half solved; infinite for what is reachable at the limit only",
        """
def serial_fraction(measured, workers):
    return 1 / measured - 1 / workers

def workers_needed(S, s):
    return S if S * s < 1 else math.inf
""",
        {"serial_fraction": "still has to be divided", "workers_needed": "it takes more"},
    ),
]

INVERSES.append(
    Answer(
        "check_1_inverses",
        "wrong: as if there were endlessly many workers; no guard at one",
        """
def serial_fraction(measured, workers):
    return 1 / measured

def workers_needed(S, s):
    return S * (1 - s) / (1 - S * s) if S * s <= 1 else math.inf
""",
        {"serial_fraction": "endlessly many workers", "workers_needed": ""},
    )
)

_ALL_TESTS = ("tests_one_worker", "tests_limit", "tests_never_falls", "tests_fourth")


def _tests(*names: str, hint: str = "a wrong law passes") -> dict[str, str]:
    return dict.fromkeys(names, hint)


TESTS = [
    Answer(
        "check_2_tests",
        "right: small tests with assertions",
        """
def starts_at_one(law):
    assert all(abs(law(1, s / 10) - 1) < 1e-9 for s in range(11))

def ends_at_the_limit(law):
    assert all(abs(law(1e14, s) * s - 1) < 1e-6 for s in (0.02, 0.3, 0.7))

def never_falls(law):
    values = [law(n, 0.2) for n in range(1, 400)]
    assert all(b > a - 1e-9 for a, b in zip(values, values[1:]))

def is_linear_without_serial_work(law):
    assert abs(law(7, 0) - 7) < 1e-9

def passes(law):
    for test in (starts_at_one, ends_at_the_limit, never_falls, is_linear_without_serial_work):
        test(law)
    return True
""",
    ),
    Answer(
        "check_2_tests",
        "right: other properties (below N and below the limit, a value worked out by hand)",
        """
def passes(law):
    s = np.linspace(0.05, 0.95, 19)[:, None]
    n = np.geomspace(1, 1e13, 300)
    values = law(workers=n, serial_fraction=s)
    return (
        np.allclose(values[:, 0], 1)
        and np.allclose(values[:, -1], 1 / s[:, 0])
        and np.all(values <= (1 + 1e-9) / s)
        and np.all(np.diff(values, axis=1) >= -1e-7)
        and abs(law(2, 0.5) - 4 / 3) < 1e-9
    )
""",
    ),
    Answer(
        "check_2_tests",
        "wrong: accepts everything",
        "def passes(law): return True",
        _tests(*_ALL_TESTS),
    ),
    Answer(
        "check_2_tests",
        "wrong: rejects everything",
        "def passes(law): return False",
        _tests(*_ALL_TESTS, hint="rejects Amdahl's law itself"),
    ),
    Answer(
        "check_2_tests",
        "wrong: no tolerance",
        """
def passes(law):
    s = np.linspace(0.05, 0.95, 50)
    return bool(np.all(law(37, s) == 37 / (1 + s * 36)))
""",
        _tests(*_ALL_TESTS, hint="compare within a small"),
    ),
    Answer(
        "check_2_tests",
        "the three checks of the text, at s = 0.5 alone",
        """
def passes(law):
    n = np.geomspace(1, 1e9, 100)
    values = law(n, 0.5)
    return bool(abs(values[0] - 1) < 1e-6 and abs(values[-1] - 2) < 1e-3
                and np.all(np.diff(values) > -1e-6))
""",
        {"tests_limit": "other than 0.5", "tests_fourth": "when nothing is serial"},
    ),
    Answer(
        "check_2_tests",
        "only one worker",
        "def passes(law): return bool(np.allclose(law(1, np.array([0.1, 0.5, 0.9])), 1))",
        {
            "tests_limit": "for very many workers",
            "tests_never_falls": "falls when workers are added",
            "tests_fourth": "what must N workers reach",
        }
        | {},
    ),
    Answer(
        "check_2_tests",
        "all but a check that it never falls: N too small",
        """
def passes(law):
    s = np.array([0.1, 0.4, 0.8])
    return bool(np.allclose(law(1, s), 1) and np.allclose(law(1e12, s), 1 / s)
                and np.all(law(4, s) >= law(2, s)) and abs(law(9, 0.0) - 9) < 1e-9)
""",
        {"tests_never_falls": "far enough"},
    ),
    Answer(
        "check_2_tests",
        "wrong: raises",
        "def passes(law): return law.formula == '1/(s+(1-s)/N)'",
        _tests(*_ALL_TESTS, hint="stops with AttributeError"),
    ),
]

_AVERAGES = ("average_equal", "average_unequal", "average_traffic")
_LATER = "once the parameters are right"

AVERAGE = [
    Answer(
        "check_3_average",
        "right: the number of samples in a message of its own",
        """
def average_gradients(model, samples):
    total = torch.tensor(float(samples))
    dist.all_reduce(total)
    flat = torch.nn.utils.parameters_to_vector([p.grad for p in model.parameters()])
    flat *= samples / total.item()
    dist.all_reduce(flat)
    torch.nn.utils.vector_to_parameters(flat, [p.grad for p in model.parameters()])
""",
    ),
    Answer(
        "check_3_average",
        "wrong: the plain mean",
        """
def average_gradients(model, samples):
    flat = torch.cat([p.grad.flatten() for p in model.parameters()])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for p, piece in zip(model.parameters(), flat.split([p.numel() for p in model.parameters()])):
        p.grad = piece.view_as(p)
""",
        {"average_unequal": "weighs each rank by its samples", "average_traffic": _LATER},
    ),
    Answer(
        "check_3_average",
        "wrong: the sum",
        """
def average_gradients(model, samples):
    for p in model.parameters():
        dist.all_reduce(p.grad)
""",
        {
            "average_equal": "summed over the ranks",
            "average_unequal": "summed over the ranks",
            "average_traffic": _LATER,
        },
    ),
    Answer(
        "check_3_average",
        "wrong: a message for every parameter",
        """
def average_gradients(model, samples):
    total = torch.tensor([samples])
    dist.all_reduce(total)
    for p in model.parameters():
        p.grad *= samples / total.item()
        dist.all_reduce(p.grad)
""",
        {"average_traffic": "a message for every parameter"},
    ),
    Answer(
        "check_3_average",
        "wrong: everything is gathered everywhere",
        """
def average_gradients(model, samples):
    flat = torch.cat([p.grad.flatten() for p in model.parameters()]
                     + [torch.tensor([samples], dtype=torch.float64)])
    everyone = [torch.empty_like(flat) for _ in range(dist.get_world_size())]
    dist.all_gather(everyone, flat)
    mean = sum(one * one[-1] for one in everyone) / sum(one[-1] for one in everyone)
    start = 0
    for p in model.parameters():
        p.grad = mean[start : start + p.numel()].view_as(p)
        start += p.numel()
""",
        {"average_traffic": "more bytes moved"},
    ),
    Answer(
        "check_3_average",
        "wrong: divides by two",
        """
def average_gradients(model, samples):
    for p in model.parameters():
        dist.all_reduce(p.grad)
        p.grad /= 2
""",
        {
            "average_equal": "need not be two",
            "average_unequal": "need not be two",
            "average_traffic": _LATER,
        },
    ),
    Answer(
        "check_3_average",
        "wrong: only rank 0 gets the mean",
        """
def average_gradients(model, samples):
    for p in model.parameters():
        dist.reduce(p.grad, 0)
        p.grad /= dist.get_world_size()
""",
        {
            "average_equal": "every rank needs the same gradient",
            "average_unequal": "every rank needs the same gradient",
            "average_traffic": _LATER,
        },
    ),
    Answer(
        "check_3_average",
        "wrong: nothing is sent",
        "def average_gradients(model, samples): return model",
        {
            "average_equal": "each rank trains alone",
            "average_unequal": "each rank trains alone",
            "average_traffic": _LATER,
        },
    ),
    Answer(
        "check_3_average",
        "wrong: stops",
        "def average_gradients(model, samples): dist.all_reduce(model)",
        dict.fromkeys(_AVERAGES, "stops with RankError"),
    ),
]

_INTERVAL = """
def serial_fraction_interval(one, two):
    S = ratio_interval(one, two)
    return np.array([2 / S.estimate - 1, 2 / S.high - 1, 2 / S.low - 1])
"""
_MEASURE = """
def measure(block, rounds, rng):
    orders = [rng.permutation(2) + 1 for _ in range(1 + rounds)]
    values = [{n: block(n) for n in map(int, order)} for order in orders]
    return {n: np.array([value[n] for value in values[1:]]) for n in (1, 2)}
"""
_MEAN_RATIO = """
def serial_fraction_interval(one, two):
    S = np.mean(one) / np.mean(two)
    spread = np.std(np.divide(one, two), ddof=1) / np.sqrt(len(one))
    return 2 / S - 1, 2 / (S + 2 * spread) - 1, 2 / (S - 2 * spread) - 1
"""

MEASURE = [
    Answer("check_3_measure", "right: orders drawn first, arrays returned", _MEASURE + _INTERVAL),
    Answer(
        "check_3_measure",
        "wrong: one worker first; ends exchanged",
        """
def measure(block, rounds, rng):
    block(1), block(2)
    return {n: [block(n) for _ in range(rounds)] for n in (1, 2)}

def serial_fraction_interval(one, two):
    S = ratio_interval(one, two)
    return 2 / S.estimate - 1, 2 / S.low - 1, 2 / S.high - 1
""",
        {"measure_protocol": "before the next round begins", "s_interval": "ends are exchanged"},
    ),
    Answer(
        "check_3_measure",
        "wrong: the same order in every round; the interval of the speedup",
        """
def measure(block, rounds, rng):
    rows = [(block(1), block(2)) for _ in range(rounds + 1)][1:]
    return {1: [row[0] for row in rows], 2: [row[1] for row in rows]}

def serial_fraction_interval(one, two):
    S = ratio_interval(one, two)
    return S.estimate, S.low, S.high
""",
        {"measure_protocol": "always the same", "s_interval": "interval of the speedup"},
    ),
    Answer(
        "check_3_measure",
        "wrong: the warm-up counts; upside down",
        """
def measure(block, rounds, rng):
    times = {1: [], 2: []}
    for _ in range(rounds):
        for n in rng.permutation([1, 2]).tolist():
            times[n].append(block(n))
    return times

def serial_fraction_interval(one, two):
    S = ratio_interval(two, one)
    return tuple(2 / end - 1 for end in (S.estimate, S.high, S.low))
""",
        {"measure_protocol": "warms up and does not count", "s_interval": "upside down"},
    ),
    Answer(
        "check_3_measure",
        "wrong: times sorted; a ratio of means",
        _MEASURE.replace("np.array([", "sorted([") + _MEAN_RATIO,
        {"measure_protocol": "in the order of the rounds", "s_interval": "in each round"},
    ),
]

PRICE_HEAD = """
def cost(n, s, hours, fixed, rate):
    return hours * (s + (1 - s) / n) * (fixed + rate * n)
"""

PRICE = [
    Answer(
        "check_4_price",
        "right: by search and by hand",
        PRICE_HEAD
        + """
def cheapest_workers(s, fixed, rate):
    n = ((1 - s) / s * fixed / rate) ** 0.5
    return n if n > 1 else 1

def cheapest_in_time(deadline, s, hours, fixed, rate, most):
    fit = [n for n in range(1, most + 1) if hours * (s + (1 - s) / n) <= deadline]
    return min(fit, key=lambda n: cost(n, s, hours, fixed, rate), default=-1)
""",
    ),
    Answer(
        "check_4_price",
        "wrong: hours do not fall; not bounded; the fewest",
        """
def cost(n, s, hours, fixed, rate):
    return hours * (fixed + rate * n)

def cheapest_workers(s, fixed, rate):
    return math.sqrt((1 - s) * fixed / (s * rate))

def cheapest_in_time(deadline, s, hours, fixed, rate, most):
    for n in range(1, most + 1):
        if hours * (s + (1 - s) / n) <= deadline:
            return n
    return -1
""",
        {
            "cost": "fall with the speedup",
            "cheapest_workers": "no less than one worker",
            "cheapest_in_time": "not always the cheapest",
        },
    ),
    Answer(
        "check_4_price",
        "wrong: no fixed price; knee of the law; deadline ignored",
        """
def cost(n, s, hours, fixed, rate):
    return hours * (s + (1 - s) / n) * rate * n

def cheapest_workers(s, fixed, rate):
    return (1 - s) / s

def cheapest_in_time(deadline, s, hours, fixed, rate, most):
    n = np.arange(1, most + 1)
    return n[np.argmin(hours * (s + (1 - s) / n) * (fixed + rate * n))]
""",
        {
            "cost": "the fixed price is missing",
            "cheapest_workers": "speedup times efficiency",
            "cheapest_in_time": "meet the deadline too",
        },
    ),
    Answer(
        "check_4_price",
        "wrong: one worker paid; no root; the fastest",
        """
def cost(n, s, hours, fixed, rate):
    return hours * (s + (1 - s) / n) * (fixed + rate)

def cheapest_workers(s, fixed, rate):
    return max(1, (1 - s) * fixed / (s * rate))

def cheapest_in_time(deadline, s, hours, fixed, rate, most):
    return most if hours * (s + (1 - s) / most) <= deadline else -1
""",
        {
            "cost": "every worker is paid for",
            "cheapest_workers": "square root",
            "cheapest_in_time": "rarely the cheapest",
        },
    ),
    Answer(
        "check_4_price",
        "wrong: fixed price once; rounded; None when late",
        """
def cost(n, s, hours, fixed, rate):
    return fixed + hours * (s + (1 - s) / n) * rate * n

def cheapest_workers(s, fixed, rate):
    return round(max(1, math.sqrt((1 - s) * fixed / (s * rate))))

def cheapest_in_time(deadline, s, hours, fixed, rate, most):
    fit = [n for n in range(1, most + 1) if hours * (s + (1 - s) / n) <= deadline]
    return min(fit, key=lambda n: hours * (s + (1 - s) / n) * (fixed + rate * n), default=None)
""",
        {
            "cost": "per hour too",
            "cheapest_workers": "not rounded",
            "cheapest_in_time": "-1",
        },
    ),
]

CONVERT = [
    Answer(
        "check_5_convert",
        "right: from the seconds of both parts",
        """
def to_scaled(s, n):
    serial, parallel = s, np.subtract(1, s) / n
    return serial / (serial + parallel)

def to_fixed(scaled, n):
    serial, parallel = scaled, np.subtract(1, scaled) * n
    return serial / (serial + parallel)
""",
    ),
    Answer(
        "check_5_convert",
        "wrong: each the other way",
        """
def to_fixed(s, n): return s * n / (1 + s * (n - 1))
def to_scaled(s, n): return s / (s + (1 - s) * n)
""",
        {"to_scaled": "the other way", "to_fixed": "the other way"},
    ),
    Answer(
        "check_5_convert",
        "wrong: the same number",
        "def to_scaled(s, n): return s\ndef to_fixed(s, n): return s",
        {"to_scaled": "not the same number", "to_fixed": "not the same number"},
    ),
    Answer(
        "check_5_convert",
        "wrong: times N, divided by N",
        "def to_scaled(s, n): return s * n\ndef to_fixed(s, n): return s / n",
        {"to_scaled": "not multiplied by N alone", "to_fixed": "changes the whole"},
    ),
    Answer(
        "check_5_convert",
        "wrong: divided by N; odds",
        "def to_scaled(s, n): return s / n\n"
        "def to_fixed(s, n): return s / ((1 - s) * n) if np.all(np.less(s, 1)) else math.inf",
        {"to_scaled": "takes the same seconds", "to_fixed": "in the denominator"},
    ),
]

STATEMENTS = [
    Answer("check_5_statements", "right: a list", "true_statements = ['D', 'b']"),
    Answer("check_5_statements", "right: text", "true_statements = 'b, d'"),
    Answer(
        "check_5_statements",
        "wrong: Gustafson is larger",
        "true_statements = {'a', 'd'}",
        {"statements": "look at (a)"},
    ),
    Answer(
        "check_5_statements",
        "wrong: half of it",
        "true_statements = {'b'}",
        {"statements": "look at (d)"},
    ),
    Answer(
        "check_5_statements",
        "wrong: one law must be wrong",
        "true_statements = {'b', 'd', 'e'}",
        {"statements": "look at (e)"},
    ),
    Answer(
        "check_5_statements",
        "wrong: all of them",
        "true_statements = set('abcde')",
        {"statements": "look at (a)"},
    ),
]

# Reports of one and the same run: `times` is what `measure` returned for it.
_ENDS = """
ends = serial_fraction_interval(times[1], times[2])
"""
REPORT = [
    Answer(
        "check_3_report",
        "right: arrays, a list, the interval worked out in place",
        """
r = ratio_interval(times[1], times[2])
report = dict(
    serial_fraction=[2 / r.estimate - 1, 2 / r.high - 1, 2 / r.low - 1],
    seconds={n: np.array(times[n]) for n in (1, 2)},
    machine="mine",
)
""",
    ),
    Answer(
        "check_3_report",
        "wrong: the ends exchanged",
        _ENDS + "report = {'seconds': times, 'serial_fraction': (ends[0], ends[2], ends[1])}",
        {"report": "the ends are exchanged"},
    ),
    Answer(
        "check_3_report",
        "wrong: the speedup in place of s",
        """
r = ratio_interval(times[1], times[2])
report = {"seconds": times, "serial_fraction": (r.estimate, r.low, r.high)}
""",
        {"report": "not what these times give"},
    ),
    Answer(
        "check_3_report",
        "wrong: an estimate without its interval",
        _ENDS + "report = {'seconds': times, 'serial_fraction': ends[0]}",
        {"report": "three numbers"},
    ),
    Answer(
        "check_3_report",
        "wrong: the best rounds picked out",
        """
seconds = {n: times[n][:3] for n in (1, 2)}
report = {"seconds": seconds, "serial_fraction": serial_fraction_interval(seconds[1], seconds[2])}
""",
        {"report": "at least 5 rounds"},
    ),
    Answer(
        "check_3_report",
        "wrong: milliseconds",
        _ENDS
        + "seconds = {n: 1e6 * np.array(times[n]) for n in (1, 2)}\n"
        + "report = {'seconds': seconds, 'serial_fraction': ends}",
        {"report": "more than the cell took"},
    ),
    Answer(
        "check_3_report",
        "wrong: only the means are kept",
        _ENDS
        + "seconds = {n: float(np.mean(times[n])) for n in (1, 2)}\n"
        + "report = {'seconds': seconds, 'serial_fraction': ends}",
        {"report": "the raw times"},
    ),
]

GROUPS = [
    Group(
        "plain",
        [*SPEEDUP, *INVERSES, *TESTS, *PRICE, *CONVERT, *STATEMENTS],
        setup="import math\nimport numpy as np",
        every_seed=True,
    ),
    Group(
        "parallel",
        [*AVERAGE, *MEASURE],
        setup="""
import math
import numpy as np
import torch
import torch.distributed as dist
from amdahl_lab.statistics import ratio_interval
""",
    ),
    Group(
        "report",
        REPORT,
        cells=("setup", "answer_1_inverses", "answer_3_average", "block", "answer_3_measure"),
        measured=("answer_3_report", "times = measure(block, 5, np.random.default_rng(2))"),
    ),
]
