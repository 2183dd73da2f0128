"""Answers to the exercises on measuring efficiency."""

from corpus.answers import Answer, Group

_QUIET_FIRST = "counts once equal programs"
_SHORT = "equal programs are told apart far more often"

# A harness in parts: `{order}` runs a round, `{kept}` is what counts, `{interval}` ends it.
_HARNESS = """
def compare(run_a, run_b, clock, rounds, warmups, rng):
    times = {run_a: [], run_b: []}

    def once(run):
        start = clock()
        run()
        times[run].append(clock() - start)

    def rounds_of(count):
        for _ in range(count):
            for run in [(run_a, run_b), (run_b, run_a)][rng.integers(2)]:
                once(run)

    rounds_of(warmups + rounds)
    a, b = np.array(times[run_a])[warmups:], np.array(times[run_b])[warmups:]
    INTERVAL
"""
_T = "found = ratio_interval(a, b); return found.estimate, found.low, found.high"


def _harness(interval: str = _T, **changed: str) -> str:
    code = _HARNESS.replace("INTERVAL", interval.strip().replace("\n", "\n    "))
    for before, after in changed.values():
        assert before in code, before
        code = code.replace(before, after)
    return code


_ALWAYS_AB = ("[(run_a, run_b), (run_b, run_a)][rng.integers(2)]", "(run_a, run_b)")
_WARM = ("[warmups:]", "")

COMPARE = [
    Answer(
        "check_1_compare",
        "right: the median of the ratios with the interval of the order statistics",
        _harness("""
ratios = np.sort(a / b)
below = int(scipy.stats.binom.ppf(0.025, len(ratios), 0.5))
return [np.median(ratios), ratios[below], ratios[len(ratios) - 1 - below]]
"""),
    ),
    Answer(
        "check_1_compare",
        "right: ABBA, warm-ups apart, a bootstrap of the rounds",
        """
def compare(run_a, run_b, clock, rounds, warmups, rng):
    def timed(run):
        start = clock(); run(); return clock() - start

    def one_round(number):
        if number % 2:
            b = timed(run_b)
            return timed(run_a), b
        return timed(run_a), timed(run_b)

    for number in range(warmups):
        one_round(number)
    a, b = np.array([one_round(number) for number in range(rounds)]).T
    picked = rng.integers(0, rounds, size=(400, rounds))
    ratios = np.exp(np.log(a / b)[picked].mean(axis=1))
    return np.array([np.exp(np.log(a / b).mean()), *np.quantile(ratios, [0.025, 0.975])])
""",
    ),
    Answer(
        "check_1_compare",
        "wrong: a in one block, b in the next",
        _harness(
            order=(
                "rounds_of(warmups + rounds)",
                "for run in (run_a, run_b):\n        for _ in range(warmups + rounds): once(run)",
            )
        ),
        {
            "compare_protocol": "before the next round begins",
            "compare_quiet": "let each round run both",
            "compare_finds": _QUIET_FIRST,
            "compare_holds": "far fewer",
            "compare_typical": _QUIET_FIRST,
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: always a first",
        _harness(order=_ALWAYS_AB),
        {
            "compare_protocol": "always the same",
            "compare_quiet": "hits always the same program",
            "compare_finds": _QUIET_FIRST,
            "compare_holds": "far fewer",
            "compare_typical": _QUIET_FIRST,
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: the warm-up rounds count",
        _harness(kept=_WARM),
        {
            "compare_protocol": "which rounds count",
            "compare_quiet": "does a warm-up round count",
            "compare_finds": _QUIET_FIRST,
            "compare_holds": "far fewer",
            "compare_typical": _QUIET_FIRST,
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: no warm-up rounds at all",
        _harness(kept=_WARM, order=("rounds_of(warmups + rounds)", "rounds_of(rounds)")),
        {
            "compare_protocol": "on top of the rounds",
            "compare_quiet": "does a warm-up round count",
            "compare_finds": _QUIET_FIRST,
            "compare_holds": "far fewer",
            "compare_typical": _QUIET_FIRST,
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: the best of every ten rounds",
        _harness("""
least = [np.array([part.min() for part in np.array_split(x, len(x) // 7)]) for x in (a, b)]
found = ratio_interval(*least)
return found.estimate, found.low, found.high
"""),
        {"compare_typical": "how lucky it can be"},
    ),
    Answer(
        "check_1_compare",
        "wrong: rounds not paired",
        _harness("""
logs = np.log(a), np.log(b)
centre = logs[0].mean() - logs[1].mean()
half = 1.98 * np.sqrt(sum(x.var(ddof=1) / len(x) for x in logs))
return np.exp(centre), np.exp(centre - half), np.exp(centre + half)
"""),
        {
            "compare_protocol": "estimate is right",
            "compare_finds": "divide the two times of each round",
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: two standard deviations of the single ratios",
        _harness("""
logs = np.log(a / b)
return np.exp(logs.mean()) * np.exp(2 * logs.std(ddof=1) * np.array([0, -1, 1]))
"""),
        {
            "compare_finds": "not the range of the single ones",
            "compare_typical": "how lucky it can be",
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: one standard error",
        _harness("""
logs = np.log(a / b)
error = logs.std(ddof=1) / len(logs) ** 0.5
return np.exp(logs.mean() + error * np.array([0, -1, 1]))
"""),
        {
            "compare_quiet": "or is the interval too short",
            "compare_finds": _QUIET_FIRST,
            "compare_holds": "far fewer",
            "compare_typical": _QUIET_FIRST,
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: b over a",
        _harness(_T.replace("(a, b)", "(b, a)")),
        {
            "compare_protocol": "the other way",
            "compare_finds": "the other way",
            "compare_holds": "far fewer",
            "compare_typical": "6% faster",
        },
    ),
    Answer(
        "check_1_compare",
        "wrong: no interval",
        _harness("return (a / b).mean()"),
        dict.fromkeys(
            (
                *("compare_protocol", "compare_quiet", "compare_finds", "compare_holds"),
                "compare_typical",
            ),
            "three numbers",
        ),
    ),
    Answer(
        "check_1_compare",
        "wrong: always the same answer",
        "def compare(*_): return 1.03, 1.02, 1.04",
        {
            "compare_protocol": "as asked for, and no more",
            "compare_quiet": "equal programs are told apart",
            "compare_finds": _QUIET_FIRST,
            "compare_holds": "far fewer",
            "compare_typical": _QUIET_FIRST,
        },
    ),
]

SHARES = [
    Answer(
        "check_2_shares",
        "right: Student's t written out, lists",
        """
def shares(seconds):
    rows = np.asarray(seconds)
    logs = np.log(rows / rows.sum(1)[:, None])
    half = scipy.stats.t.ppf(0.975, len(logs) - 1) * logs.std(0, ddof=1) / len(logs) ** 0.5
    return [[math.exp(m + sign * h) for sign in (0, -1, 1)] for m, h in zip(logs.mean(0), half)]

def most(fractions):
    return 1 + fractions / (1 - fractions)
""",
    ),
    Answer(
        "check_2_shares",
        "wrong: seconds; one over the fraction",
        """
def shares(seconds):
    found = [mean_time_interval(column) for column in seconds.T]
    return np.array([[one.estimate, one.low, one.high] for one in found])

def most(fractions): return 1 / fractions
""",
        {"shares": "these are seconds", "most": "the part that goes away"},
    ),
    Answer(
        "check_2_shares",
        "wrong: a ratio of sums; 1 + f",
        """
def shares(seconds): return seconds.sum(axis=0) / seconds.sum()

def most(fractions): return 1 + fractions
""",
        {"shares": "has no interval", "most": "what is left of the time"},
    ),
    Answer(
        "check_2_shares",
        "wrong: over the mean step; by how much faster",
        """
def shares(seconds):
    found = [mean_time_interval(column) for column in seconds.T]
    step = seconds.sum(axis=1).mean()
    return np.array([[one.estimate, one.low, one.high] for one in found]) / step

def most(fractions): return 1 / (1 - fractions) - 1
""",
        {"shares": "the step of that same round", "most": "by how much faster"},
    ),
    Answer(
        "check_2_shares",
        "wrong: by columns; the time that is left",
        """
def shares(seconds):
    found = [mean_time_interval(column / column.sum()) for column in seconds.T]
    return np.array([[one.estimate, one.low, one.high] for one in found])

def most(fractions): return 1 - fractions
""",
        {"shares": "in each round", "most": "the time that is left"},
    ),
]

SETS = [
    Answer(
        "check_2_sets",
        "right: by savings, recursively",
        """
def whole(fractions, gains):
    saved = sum(f - f / g for f, g in zip(fractions, gains))
    return 1 / (1 - saved)

def best_set(fractions, gains, days, budget):
    def best(place, left):
        if place == len(days):
            return 0.0, []
        result = best(place + 1, left)
        if days[place] <= left:
            saved, places = best(place + 1, left - days[place])
            saved += fractions[place] * (1 - 1 / gains[place])
            result = max(result, (saved, [place, *places]))
        return result
    return np.array(best(0, budget)[1])
""",
    ),
    Answer(
        "check_2_sets",
        "wrong: the product; the largest share first",
        """
def whole(fractions, gains):
    return np.prod([1 / (1 - f + f / g) for f, g in zip(fractions, gains)])

def best_set(fractions, gains, days, budget):
    places = []
    for k in np.argsort(-fractions):
        if sum(days[places]) + days[k] <= budget:
            places.append(int(k))
    return sorted(places)
""",
        {"whole": "do not multiply", "best_set": "a large share with a small gain"},
    ),
    Answer(
        "check_2_sets",
        "wrong: the sum; the largest gain first",
        """
def whole(fractions, gains):
    return 1 + sum(1 / (1 - f + f / g) - 1 for f, g in zip(fractions, gains))

def best_set(fractions, gains, days, budget):
    places = []
    for k in np.argsort(-gains):
        if sum(days[places]) + days[k] <= budget:
            places.append(int(k))
    return sorted(places)
""",
        {"whole": "do not add up", "best_set": "a large gain of a small share"},
    ),
    Answer(
        "check_2_sets",
        "wrong: the rest forgotten; by savings a day",
        """
def whole(fractions, gains): return 1 / np.sum(fractions / gains)

def best_set(fractions, gains, days, budget):
    places = []
    for k in np.argsort(-fractions * (1 - 1 / gains) / days):
        if sum(days[places]) + days[k] <= budget:
            places.append(int(k))
    return sorted(places)
""",
        {"whole": "what is not listed", "best_set": "each single day"},
    ),
    Answer(
        "check_2_sets",
        "wrong: a mean of the gains; the largest saving first",
        """
def whole(fractions, gains): return 1 - sum(fractions) + sum(fractions * gains)

def best_set(fractions, gains, days, budget):
    places = []
    for k in np.argsort(-fractions * (1 - 1 / gains)):
        if sum(days[places]) + days[k] <= budget:
            places.append(int(k))
    return sorted(places)
""",
        {"whole": "by the time of before", "best_set": "two smaller savings"},
    ),
]

_SHARE = """
def table(hours, reached):
    left, rows = 1.0, []
    for t in sorted(set(hours[reached])):
        left *= 1 - sum(reached & (hours == t)) / sum(hours >= t)
        rows.append((t, left))
    return rows

def not_there_yet(hours, reached, at):
    rows = table(hours, reached)
    return np.array([min([s for t, s in rows if t <= when], default=1.0) for when in at])

def median_hours(hours, reached):
    return min((t for t, s in table(hours, reached) if s <= 0.5), default=np.inf)

def restricted_mean(hours, reached, limit):
    area, before, share = 0.0, 0.0, 1.0
    for t, s in table(hours, reached):
        if t < limit:
            area, before, share = area + share * (t - before), t, s
    return area + share * (limit - before)

def best_stop(hours, reached):
    return min(
        ((t, restricted_mean(hours, reached, t) / (1 - s)) for t, s in table(hours, reached)),
        key=lambda pair: pair[1],
    )
"""
# What a mistaken table does to everything that is made from it.
_DROPPED = _SHARE.replace(
    "left, rows = 1.0, []", "hours, reached, left, rows = hours[reached], reached[reached], 1.0, []"
)
_AS_IF = _SHARE.replace(
    "left, rows = 1.0, []", "reached, left, rows = np.ones(len(hours), bool), 1.0, []"
)
_NEVER = _SHARE.replace("sum(hours >= t)", "sum(~reached | (hours >= t))")


def _both_cells(name: str, code: str, first: dict, second: dict) -> list[Answer]:
    return [
        Answer("check_3_waiting", name, code, first),
        Answer("check_3_limits", name, code, second),
    ]


SURVIVAL = [
    *_both_cells("right: a table of steps", _SHARE, {}, {}),
    *_both_cells(
        "wrong: stopped runs dropped",
        _DROPPED,
        dict.fromkeys(("not_there_yet", "median_hours"), "are dropped here"),
        dict.fromkeys(("restricted_mean", "best_stop"), "are dropped here"),
    ),
    *_both_cells(
        "wrong: stopped runs counted at their limit",
        _AS_IF,
        dict.fromkeys(("not_there_yet", "median_hours"), "has not got there"),
        dict.fromkeys(("restricted_mean", "best_stop"), "has not got there"),
    ),
    *_both_cells(
        "wrong: stopped runs never get there",
        _NEVER,
        dict.fromkeys(("not_there_yet", "median_hours"), "might have got there later"),
        dict.fromkeys(("restricted_mean", "best_stop"), "might have got there later"),
    ),
    Answer(
        "check_3_waiting",
        "wrong: the share that got there; the median of those that did",
        """
def not_there_yet(hours, reached, at):
    right = np.ones(len(at))
    for t in np.unique(hours[reached]):
        right[at >= t] *= 1 - np.sum(reached & (hours == t)) / np.sum(hours >= t)
    return 1 - right

def median_hours(hours, reached): return np.median(hours[reached])
""",
        {"not_there_yet": "that got there", "median_hours": "are dropped here"},
    ),
    Answer(
        "check_3_waiting",
        "wrong: those stopped at the same time are gone already; the median of all",
        """
def not_there_yet(hours, reached, at):
    share = np.ones(len(at))
    for t in np.unique(hours[reached]):
        d = np.sum(reached & (hours == t))
        share[at >= t] *= 1 - d / (np.sum(hours > t) + d)
    return share

def median_hours(hours, reached): return np.median(hours)
""",
        {"not_there_yet": "watched until then", "median_hours": "has not got there"},
    ),
    Answer(
        "check_3_limits",
        "wrong: mean of those that got there; every run to its end",
        _SHARE
        + """
def best_stop(hours, reached):
    return min(((t, t / (1 - s)) for t, s in table(hours, reached)), key=lambda pair: pair[1])

def restricted_mean(hours, reached, limit): return np.minimum(hours[reached], limit).mean()
""",
        {"restricted_mean": "are dropped here", "best_stop": "those that get there end sooner"},
    ),
    Answer(
        "check_3_limits",
        "wrong: mean of all hours; one run",
        _SHARE
        + """
area = restricted_mean

def best_stop(hours, reached):
    return min(((t, area(hours, reached, t)) for t, _ in table(hours, reached)),
               key=lambda pair: pair[1])

def restricted_mean(hours, reached, limit): return np.minimum(hours, limit).mean()
""",
        {"restricted_mean": "has not got there", "best_stop": "hours of one run"},
    ),
    Answer(
        "check_3_limits",
        "wrong: the last step left out; the other share",
        _SHARE.replace("return area + share * (limit - before)", "return area")
        + """
def best_stop(hours, reached):
    rows = table(hours, reached)

    def mean(limit):
        edges = [0.0, *[t for t, _ in rows if t < limit], limit]
        return np.dot(np.diff(edges), [1.0, *[s for t, s in rows if t < limit]])

    return min(((t, mean(t) / max(s, 1e-300)) for t, s in rows), key=lambda pair: pair[1])
""",
        {"restricted_mean": "a staircase", "best_stop": "not by the one that does not"},
    ),
]

# A benchmark in parts, as the solution has them.
_BENCH = """
def benchmark(old, new, load, wait, clock, threads, rounds, warmups, rng):
    taken = []
    for i in range(warmups + rounds):
        batch = load(i)
        order = [("old", old), ("new", new)]
        rng.shuffle(order)
        row = {}
        for name, run in dict(order).items():
            start = clock()
            job = run(batch, threads)
            wait(job)
            row[name] = clock() - start
        taken.append(row)
    return {name: np.array([row[name] for row in taken[warmups:]]) for name in ("old", "new")}
"""


def _bench(*changes: tuple[str, str]) -> str:
    code = _BENCH
    for before, after in changes:
        assert before in code, before
        code = code.replace(before, after)
    return code


_SINGLE = """
def benchmark(old, new, load, wait, clock, threads, rounds, warmups, rng):
    seconds = {}
    for name, run, number, used in (("old", old, 0, 1), ("new", new, 1, threads)):
        start = clock()
        run(load(number), used)
        seconds[name] = [clock() - start]
    return seconds
"""
_NO_WAIT = ("            wait(job)\n", "")

BENCHMARK = [
    Answer("check_4_benchmark", "right: a row for each round, arrays", _BENCH),
    Answer(
        "check_4_benchmark",
        "right: one batch for all rounds, warm-ups by themselves, arguments by name",
        """
def benchmark(old, new, load, wait, clock, threads, rounds, warmups, rng):
    batch = load(number=3)

    def once(run):
        before = clock()
        wait(job=run(batch, threads=threads))
        return clock() - before

    def row():
        if rng.random() < 0.5:
            return once(old), once(new)
        second = once(new)
        return once(old), second

    for _ in range(warmups):
        row()
    old_s, new_s = zip(*[row() for _ in range(rounds)])
    return {"new": list(new_s), "old": list(old_s)}
""",
    ),
    Answer(
        "check_4_benchmark",
        "wrong: nothing mended",
        _SINGLE,
        {
            "mended_rounds": "one run of each",
            "mended_work": "loading is timed",
            "mended_alike": "more threads than the other",
            "mended_cold": "first runs are slow",
        },
    ),
    Answer(
        "check_4_benchmark",
        "wrong: many runs of each, in blocks; nobody waits; another batch",
        """
def benchmark(old, new, load, wait, clock, threads, rounds, warmups, rng):
    seconds = {}
    for name, run in (("old", old), ("new", new)):
        seconds[name] = []
        for i in range(warmups + rounds):
            batch = load(i if name == "old" else i + 100)
            start = clock()
            run(batch, threads)
            seconds[name].append(clock() - start)
    return seconds
""",
        {
            "mended_rounds": "let every round run both",
            "mended_work": "nobody waits for",
            "mended_alike": "the same batch",
            "mended_cold": "first runs are slow",
        },
    ),
    Answer(
        "check_4_benchmark",
        "wrong: always old first; only a part of the threads; milliseconds",
        _bench(
            ("        rng.shuffle(order)\n", ""),
            ("run(batch, threads)", "run(batch, 1)"),
            ("row[name] = clock() - start", "row[name] = 1e3 * (clock() - start)"),
        ),
        {
            "mended_rounds": "comes first in every round",
            "mended_alike": "that was asked for",
            "mended_cold": "in the order of the rounds",
        },
    ),
    Answer(
        "check_4_benchmark",
        "wrong: a batch for each run, loaded between the looks; sorted",
        _bench(
            ("run(batch, threads)", "run(load(i if name == 'old' else i + 1), threads)"),
            ("np.array([", "sorted(["),
            ("taken[warmups:]])", "taken[warmups:]])"),
        ),
        {
            "mended_work": "loading is timed",
            "mended_alike": "the same batch",
            "mended_cold": "in the order of the rounds",
        },
    ),
    Answer(
        "check_4_benchmark",
        "wrong: too few rounds; warm-ups kept; no wait",
        _bench(
            _NO_WAIT, ("range(warmups + rounds)", "range(rounds)"), ("taken[warmups:]", "taken")
        ),
        {
            "mended_rounds": "fewer rounds",
            "mended_work": "nobody waits for",
            "mended_cold": "first runs are slow",
        },
    ),
    Answer(
        "check_4_benchmark",
        "wrong: waits after the second look; means alone",
        _bench(
            (
                "            wait(job)\n            row[name] = clock() - start\n",
                "            row[name] = clock() - start\n            wait(job)\n",
            ),
            (
                "np.array([row[name] for row in taken[warmups:]])",
                "np.mean([row[name] for row in taken[warmups:]])",
            ),
        ),
        {"mended_work": "nobody waits for", "mended_cold": "a list of seconds each"},
    ),
    Answer(
        "check_4_benchmark",
        "wrong: a round is timed as a whole",
        """
def benchmark(old, new, load, wait, clock, threads, rounds, warmups, rng):
    seconds = {"old": [], "new": []}
    for i in range(warmups + rounds):
        batch = load(i)
        start = clock()
        for k in rng.permutation(2):
            wait((old, new)[k](batch, threads))
        half = (clock() - start) / 2
        seconds["old"].append(half), seconds["new"].append(half)
    return {name: values[warmups:] for name, values in seconds.items()}
""",
        {"mended_work": "nothing else", "mended_cold": "in the order of the rounds"},
    ),
]

_STEPS = """
def time_steps(step, warmups, steps, clock):
    for _ in range(warmups):
        step()
    dist.barrier()
    start = clock()
    for _ in range(steps):
        step()
    mine = (clock() - start) / steps
    everyone = [None] * dist.get_world_size()
    TELL
"""
_MAX = """
    t = torch.tensor([mine], dtype=torch.float64)
    dist.all_reduce(t, op=dist.ReduceOp.MAX)
    return t
"""


def _steps(tell: str = _MAX, *changes: tuple[str, str]) -> str:
    code = _STEPS.replace("    TELL", tell.strip("\n"))
    for before, after in changes:
        assert before in code, before
        code = code.replace(before, after)
    return code


_BARRIER = "    dist.barrier()\n    start = clock()\n"
_SUMMED = _MAX.replace("MAX", "SUM")

STEPS = [
    Answer(
        "check_5_steps",
        "right: meets by an all-reduce, gathers all times",
        _steps(
            """
    t = torch.tensor([mine], dtype=torch.float64)
    every = [torch.empty_like(t) for _ in everyone]
    dist.all_gather(every, t)
    return max(every).item()
""",
            ("dist.barrier()", "dist.all_reduce(torch.zeros(1))"),
        ),
    ),
    Answer(
        "check_5_steps",
        "wrong: each its own; no meeting",
        _steps("    return mine", ("    dist.barrier()\n", "")),
        {"steps_slowest": "returns its own time", "steps_protocol": "begin together"},
    ),
    Answer(
        "check_5_steps",
        "wrong: the mean of the ranks; a barrier after the clock",
        _steps(
            _SUMMED.replace("return t", "return t / dist.get_world_size()"),
            (_BARRIER, "    start = clock()\n    dist.barrier()\n"),
        ),
        {"steps_slowest": "a mean or a sum", "steps_protocol": "counts its waiting"},
    ),
    Answer(
        "check_5_steps",
        "wrong: seconds of all steps; a barrier in every step",
        _steps(
            _MAX,
            ("(clock() - start) / steps", "clock() - start"),
            (
                "    for _ in range(steps):\n        step()\n",
                "    for _ in range(steps):\n        step()\n        dist.barrier()\n",
            ),
        ),
        {"steps_slowest": "seconds of all steps", "steps_protocol": "is timed with it"},
    ),
    Answer(
        "check_5_steps",
        "wrong: the warm-up steps are timed",
        _steps(
            _MAX,
            ("    for _ in range(warmups):\n        step()\n    dist.barrier()\n", ""),
            (
                "    start = clock()\n",
                "    dist.barrier()\n    start = clock()\n    for _ in range(warmups): step()\n",
            ),
        ),
        {"steps_slowest": "warm-up steps are in", "steps_protocol": "before the first look"},
    ),
    Answer(
        "check_5_steps",
        "wrong: rank 0 alone knows; no warm-up",
        _steps(
            """
    t = torch.tensor([mine], dtype=torch.float64)
    dist.reduce(t, 0, op=dist.ReduceOp.MAX)
    return t.item() if dist.get_rank() == 0 else mine / 2
""",
            ("range(warmups)", "range(0)"),
        ),
        {"steps_slowest": "", "steps_protocol": "as asked for, and no more"},
    ),
]

# Reports of one and the same run: `runs` is what one rank of the solution's `measure` returned.
_MEASURE = """
def measure(batch, rounds, seed):
    rng, runs = np.random.default_rng(seed), []
    steps = [make_step(n, batch) for n in (1, 2)]
    for number in range(rounds + 1):
        for k in rng.permutation(2).tolist():
            seconds = time_steps(steps[k], WARMUPS, STEPS, perf_counter)
            runs.append((number, k + 1, batch, seconds))
    return runs

runs = run_ranks(measure, 2, 512, 10, 3)[1]
"""
_RATIO = """
one, two = ([run[3] for run in runs if run[0] > 0 and run[1] == n] for n in (1, 2))
r = ratio_interval(one, two)
speedup = r.estimate, r.low, r.high
"""
REPORT = [
    Answer(
        "check_5_report",
        "right: an array, a list",
        _RATIO + "report = dict(speedup=list(speedup), runs=np.array(runs), machine='mine')",
    ),
    Answer(
        "check_5_report",
        "wrong: upside down",
        _RATIO
        + "r = ratio_interval(two, one)\n"
        + "report = dict(speedup=(r.estimate, r.low, r.high), runs=runs)",
        {"speedup_report": "upside down"},
    ),
    Answer(
        "check_5_report",
        "wrong: round 0 counts",
        _RATIO.replace("run[0] > 0 and ", "") + "report = dict(speedup=speedup, runs=runs)",
        {"speedup_report": "does not count"},
    ),
    Answer(
        "check_5_report",
        "wrong: no interval",
        _RATIO + "report = dict(speedup=speedup[0], runs=runs)",
        {"speedup_report": "three numbers"},
    ),
    Answer(
        "check_5_report",
        "wrong: rounds picked out",
        _RATIO + "report = dict(speedup=speedup, runs=runs[:12])",
        {"speedup_report": "at least 10"},
    ),
    Answer(
        "check_5_report",
        "wrong: all runs of one worker first",
        _RATIO + "report = dict(speedup=speedup, runs=sorted(runs, key=lambda run: run[1]))",
        {"speedup_report": "before the next round begins"},
    ),
    Answer(
        "check_5_report",
        "wrong: another batch for one worker",
        _RATIO
        + "runs_2 = [(r, n, b // (3 - n), s) for r, n, b, s in runs]\n"
        + "report = dict(speedup=speedup, runs=runs_2)",
        {"speedup_report": "the same batch"},
    ),
    Answer(
        "check_5_report",
        "wrong: milliseconds",
        _RATIO
        + "runs_2 = [(r, n, b, 1e6 * s) for r, n, b, s in runs]\n"
        + "report = dict(speedup=speedup, runs=runs_2)",
        {"speedup_report": "more than the cell took"},
    ),
    Answer(
        "check_5_report",
        "wrong: the same order in every round",
        _RATIO
        + "runs_2 = sorted(runs, key=lambda run: run[:2])\n"
        + "report = dict(speedup=speedup, runs=runs_2)",
        {"speedup_report": "the order is the same"},
    ),
]

_SETUP = """
import math
import numpy as np
import scipy.stats
import torch
import torch.distributed as dist
from amdahl_lab.statistics import mean_time_interval, ratio_interval
"""
GROUPS = [
    Group("plain", [*SHARES, *SETS, *SURVIVAL, *BENCHMARK], setup=_SETUP, every_seed=True),
    Group("harness", COMPARE, setup=_SETUP),
    Group("ranks", STEPS, setup=_SETUP),
    Group(
        "report",
        REPORT,
        cells=("setup", "make_step", "answer_5_steps"),
        measured=("answer_5_report", _MEASURE),
    ),
]
