"""Answers to the exercises on scaling resources."""

from corpus.answers import Answer, Group

_FAN = """
def serial_range(N, low, high):
    if N < 2 or not (low <= high and high >= 1 and low <= N):
        raise ValueError("impossible")
    low, high = np.clip([low, high], 1, N)
    return [float((1 / S - 1 / N) / (1 - 1 / N)) for S in (high, low)]

def speedup_range(N, low, high, more):
    s = serial_range(N, low, high)
    return [[1 / (f + (1 - f) / n) for n in more] for f in s[::-1]]

def telling_workers(N, low, high, ratio):
    a, b = serial_range(N, low, high)
    if b / ratio <= a: return None
    def apart(n): return (b + (1 - b) / n) / (a + (1 - a) / n) >= ratio
    top = 2
    while not apart(top): top *= 2
    bottom = 1
    while top - bottom > 1:
        middle = (top + bottom) // 2
        if apart(middle): top = middle
        else: bottom = middle
    return top
"""


def _fan(name: str, changes: dict[str, str], loses: dict[str, str]) -> Answer:
    code = _FAN
    for old, new in changes.items():
        assert old in code, old
        code = code.replace(old, new)
    return Answer("check_1_fan", f"wrong: {name}", code, loses)


_PAIR = "[float((1 / S - 1 / N) / (1 - 1 / N)) for S in (high, low)]"
_REST = "    return [[1 / (f + (1 - f) / n) for n in more] for f in s[::-1]]"
_OWN_S = """
def _s(N, low, high):
    return [(N / S - 1) / (N - 1) for S in np.clip([high, low], 1, N)]
"""
_APART_EXACT = """
def telling_workers(N, low, high, ratio):
    a, b = _s(N, low, high)
    if b <= ratio * a: return None
    return FORM((ratio * (1 - a) - (1 - b)) / (b - ratio * a))
"""
_RANGE_OWN = """
def serial_range(N, low, high):
    if N < 2 or not (low <= high and high >= 1 and low <= N):
        raise ValueError
    return RESULT
"""

FANS = [
    Answer("check_1_fan", "right: clip first, halving, lists", _FAN),
    _fan(
        "the ends exchanged, in both; floor",
        {
            _PAIR: "_s(N, low, high)[::-1]",
            "    s = serial_range(N, low, high)\n": "    s = _s(N, low, high)[::-1]\n",
            "    a, b = serial_range(N, low, high)": "    a, b = _s(N, low, high)",
            "def serial_range": _OWN_S + "\ndef serial_range",
            "    return top\n": "    return bottom\n",
        },
        {
            "fan_range": "the ends are exchanged",
            "fan_speedups": "the rows are exchanged",
            "fan_apart": "round up",
        },
    ),
    Answer(
        "check_1_fan",
        "wrong: nothing cut off, nothing refused; in proportion; a fraction of a worker",
        _OWN_S
        + """
def serial_range(N, low, high):
    return [(N / S - 1) / (N - 1) for S in (high, low)]

def speedup_range(N, low, high, more):
    return [[low / N * n for n in more], [min(high, N) / N * n for n in more]]
"""
        + _APART_EXACT.replace("FORM", ""),
        {
            "fan_range": "cut the speedup off",
            "fan_refused": "above N, where",
            "fan_speedups": "does not keep its shape",
            "fan_apart": "return a whole number",
        },
    ),
    Answer(
        "check_1_fan",
        "wrong: missing efficiency, refuses all beyond; limits; -1",
        _OWN_S
        + """
def serial_range(N, low, high):
    if not 1 <= low <= high <= N: raise ValueError
    return [1 - high / N, 1 - low / N]

def speedup_range(N, low, high, more):
    a, b = _s(N, low, high)
    with np.errstate(all="ignore"):
        return [[1 / b for n in more], [np.float64(1) / a for n in more]]
"""
        + _APART_EXACT.replace("FORM", "math.ceil").replace("None", "-1"),
        {
            "fan_range": "stops with ValueError",
            "fan_refused": "refuse only those",
            "fan_speedups": "the limit for endless workers",
            "fan_apart": "return None",
        },
    ),
    Answer(
        "check_1_fan",
        "wrong: missing efficiency; turned round; never",
        _OWN_S
        + _RANGE_OWN.replace("RESULT", "[1 - min(max(S, 1), N) / N for S in (high, low)]")
        + """
def speedup_range(N, low, high, more):
    return [[1 / (s + (1 - s) / n) for s in _s(N, low, high)[::-1]] for n in more]

def telling_workers(N, low, high, ratio):
    return None
""",
        {
            "fan_range": "the efficiency that is missing",
            "fan_speedups": "not the other way round",
            "fan_apart": "not written yet",
        },
    ),
    Answer(
        "check_1_fan",
        "wrong: 1/S; ends in the wrong order and NaN not refused; 0 workers",
        _OWN_S
        + """
def serial_range(N, low, high):
    if N < 2 or high < 1 or low > N or low > high: raise ValueError
    return [1 / min(max(S, 1), N) for S in (high, low)]

def speedup_range(N, low, high, more):
    return [N * np.ones(len(more)), more]

def telling_workers(N, low, high, ratio):
    return 0
""",
        {
            "fan_range": "1/S is what s comes to",
            "fan_refused": "NaN fails all comparisons",
            "fan_speedups": "highest s and the lowest s",
            "fan_apart": "rises with N",
        },
    ),
]

_FIRST = """
def first_order_goodput(tau, delta, R, M):
    return 1 / (1 + delta / tau + (R + (tau + delta) / 2) / M)
"""
_EXACT = """
def goodput(tau, delta, R, M):
    return tau * np.exp(-R / M) / (M * np.expm1((tau + delta) / M))
"""
_SEARCH = """
def best_interval(delta, R, M):
    taus = np.geomspace(M / 10_000, M, 20_000)
    return taus[np.argmax(goodput(taus, delta, R, M))]
"""
_YOUNG = """
def young_interval(delta, M, N):
    return (2 * delta * M / N) ** 0.5
"""


def _checkpoints(name: str, first: str, exact: str, young: str, search: str, **hints: str):
    code = f"""
def first_order_goodput(tau, delta, R, M):
    return {first}

def goodput(tau, delta, R, M):
    return {exact}

def young_interval(delta, M, N):
    return {young}

def best_interval(delta, R, M):
    return {search}
"""
    names = ("goodput_first_order", "goodput_exact", "interval_formula", "interval_search")
    loses = {item: hint for item, hint in zip(names, hints.values(), strict=True) if hint}
    return Answer("check_2_checkpoint", f"wrong: {name}", code, loses)


CHECKPOINTS = [
    Answer(
        "check_2_checkpoint",
        "right: closed forms in NumPy, a fine grid",
        _FIRST + _EXACT + _YOUNG + _SEARCH,
    ),
    Answer(
        "check_2_checkpoint",
        "right: an optimiser of SciPy",
        _FIRST
        + _EXACT
        + _YOUNG
        + """
def best_interval(delta, R, M):
    from scipy.optimize import minimize_scalar
    found = minimize_scalar(lambda tau: -goodput(tau, delta, R, M), bounds=(1e-9 * M, M),
                            method="bounded", options={"xatol": 1e-6 * M})
    return found.x
""",
    ),
    _checkpoints(
        "no failures; the first order; of one worker; Young",
        "tau / (tau + delta)",
        "1 / (1 + delta / tau + (R + (tau + delta) / 2) / M)",
        "(2 * delta * M) ** 0.5",
        "(2 * delta * M) ** 0.5",
        a="leaves out the failures",
        b="first-order law",
        c="N times as often as a worker",
        d="Young's interval, the first order",
    ),
    _checkpoints(
        "all lost; restart in the first try; more workers fail less; Daly",
        "1 / (1 + delta / tau + (R + tau + delta) / M)",
        "tau / (M * np.expm1((R + tau + delta) / M))",
        "(2 * delta * M * N) ** 0.5",
        "M if delta >= 2 * M else (2 * delta * M) ** 0.5 "
        "* (1 + (delta / 2 / M) ** 0.5 / 3 + delta / M / 18) - delta",
        a="half of what lies",
        b="first try needs no restart",
        c="divide by N",
        d="Daly's series",
    ),
    _checkpoints(
        "half of the work; no restart; without 2; cut off at M",
        "1 / (1 + delta / tau + (R + tau / 2) / M)",
        "tau / (M * np.expm1((tau + delta) / M))",
        "(delta * M / N) ** 0.5",
        "min(M, (2 * delta * M) ** 0.5)",
        a="hit the save too",
        b="where is the restart",
        c="factor 2",
        d="cut off at M",
    ),
    _checkpoints(
        "one over it; restarts never fail; N out of the root; the goodput",
        "1 + delta / tau + (R + (tau + delta) / 2) / M",
        "tau / ((M + R) * np.expm1((tau + delta) / M))",
        "(2 * delta * M) ** 0.5 / N",
        "max(tau * np.exp(-R / M) / (M * np.expm1((tau + delta) / M)) "
        "for tau in np.linspace(M / 1e4, M, 10_000))",
        a="one over it",
        b="a restart can fail too",
        c="under the root",
        d="this is a goodput",
    ),
    _checkpoints(
        "no restart; saves never fail; a formula of its own; a coarse grid",
        "1 / (1 + delta / tau + (tau + delta) / 2 / M)",
        "tau / (tau + delta) * tau * np.exp(-R / M) / (M * np.expm1(tau / M))",
        "2 * delta * M / N",
        "max(M * np.arange(1, 21) / 20, key=lambda tau: tau / np.expm1((tau + delta) / M))",
        a="costs a restart beside",
        b="a save can fail as well",
        c="set the slope",
        d="is the search fine",
    ),
    _checkpoints(
        "the exact law for the first order; the chance",
        "tau * np.exp(-R / M) / (M * np.expm1((tau + delta) / M))",
        "np.exp(-(tau + delta) / M)",
        "(2 * delta * M / N) ** 0.5",
        "M * 0.5",
        a="this is the exact law",
        b="the chance that nothing fails",
        c="",
        d="",
    ),
]
# The last one loses its search too, by a hint that it shares with the coarse grid.
CHECKPOINTS[-1].loses["interval_search"] = "is the search fine"

_TAKE = """
turn = 0

def work_off(units, do, store):
    global turn
    turn += 1
    row = torch.zeros(units, dtype=torch.float64)
    while True:
        unit = store.add(f"turn {turn}", 1) - 1
        if unit >= units: break
        row[unit] = do(unit)
    if units: dist.all_reduce(row)
    return row.tolist()
"""
_ONCE = "counts once every unit is done exactly once"


def _none(hint: str, later: str = _ONCE) -> dict[str, str]:
    return {"sched_once": hint} | dict.fromkeys(
        ("sched_results", "sched_idle", "sched_again"), later
    )


SCHEDULING = [
    Answer("check_3_schedule", "right: a row that is summed over the ranks", _TAKE),
    Answer(
        "check_3_schedule",
        "right: one count for all calls, from the last unit down, results through the store",
        """
import json
seen = {"calls": 0, "before": 0}

def work_off(units, do, store):
    N, call = dist.get_world_size(), seen["calls"]
    seen["calls"] += 1
    taken = store.add("taken", 1) - 1 - seen["before"]
    found = {}
    while taken < units:
        found[units - 1 - taken] = float(do(units - 1 - taken))
        taken = store.add("taken", 1) - 1 - seen["before"]
    seen["before"] += units + N  # each rank counted once too far
    store.set(f"found {call} {dist.get_rank()}", json.dumps(found))
    for rank in range(N):
        other = json.loads(store.get(f"found {call} {rank}"))
        found |= {int(unit): value for unit, value in other.items()}
    return [found[unit] for unit in sorted(found)]
""",
    ),
    Answer(
        "check_3_schedule",
        "right: the count is set back between two barriers, a NumPy array",
        """
def work_off(units, do, store):
    dist.barrier()
    if dist.get_rank() == 0: store.set("next", "0")
    dist.barrier()
    mine = np.zeros(units)
    unit = store.add("next", 1) - 1
    while unit < units:
        mine[unit] = do(unit)
        unit = store.add("next", 1) - 1
    parts = [None] * dist.get_world_size()
    dist.all_gather_object(parts, mine)
    return list(sum(parts))
""",
    ),
    Answer(
        "check_3_schedule",
        "wrong: dealt out beforehand",
        """
def work_off(units, do, store):
    r, N = dist.get_rank(), dist.get_world_size()
    parts = [None] * N
    dist.all_gather_object(parts, {unit: do(unit) for unit in range(r, units, N)})
    found = {unit: x for part in parts for unit, x in part.items()}
    return [found[unit] for unit in range(units)]
""",
        {"sched_idle": "every third unit"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: four units at a time",
        _TAKE.replace(
            'store.add(f"turn {turn}", 1) - 1', 'store.add(f"turn {turn}", 4) - 4'
        ).replace(
            "row[unit] = do(unit)", "for u in range(unit, min(units, unit + 4)): row[u] = do(u)"
        ),
        {"sched_idle": "take one unit at a time"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: the ranks meet after each unit",
        """
def work_off(units, do, store):
    r, N = dist.get_rank(), dist.get_world_size()
    results = []
    for first in range(0, units, N):
        parts = [None] * N
        dist.all_gather_object(parts, do(first + r) if first + r < units else None)
        results += parts
    return results[:units]
""",
        {"sched_idle": ""},
    ),
    Answer(
        "check_3_schedule",
        "wrong: rank 0 only hands out",
        """
def work_off(units, do, store):
    r, N = dist.get_rank(), dist.get_world_size()
    row = torch.zeros(units, dtype=torch.float64)
    message = torch.zeros(1, dtype=torch.int64)
    if r == 0:
        for unit in range(units + N - 1):
            sender = dist.recv(message)
            dist.send(torch.tensor([unit if unit < units else -1]), sender)
    else:
        while True:
            dist.send(message, 0)
            dist.recv(message, 0)
            if message.item() < 0: break
            row[message.item()] = do(message.item())
    if units: dist.all_reduce(row)
    return row.tolist()
""",
        {"sched_idle": "does no unit at all"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: every rank does all",
        "def work_off(units, do, store): return [do(unit) for unit in range(units)]",
        _none("every rank does every unit"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: the first unit is left out",
        _TAKE.replace("1) - 1\n", "1)\n"),
        _none("returns the count after it has added"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: some are left out",
        _TAKE.replace("unit >= units", "unit >= units // 2"),
        _none("are never done"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: a rank for itself takes two counts",
        _TAKE.replace("{turn}", "{turn} {dist.get_rank() % 2}"),
        _none("more than once"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: the same count in each call",
        _TAKE.replace("{turn}", ""),
        {"sched_again": "a second call with the same store"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: own results only",
        _TAKE.replace("    if units: dist.all_reduce(row)\n", ""),
        {"sched_results": "own units only"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: results on rank 0 only, one after the other",
        _TAKE.replace(
            "    return row.tolist()", "    return row.tolist() if dist.get_rank() == 0 else None"
        ),
        {"sched_results": "some return none"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: results in the order of the ranks",
        """
turn = 0

def work_off(units, do, store):
    global turn
    turn += 1
    mine, parts = [], [None] * dist.get_world_size()
    while (unit := store.add(f"turn {turn}", 1) - 1) < units: mine.append(do(unit))
    dist.all_gather_object(parts, mine)
    return sum(parts, [])
""",
        {"sched_results": "not in the order"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: there are as many units as ranks, or more",
        _TAKE.replace("    turn += 1\n", "    turn += 1\n    assert units >= 3\n"),
        {"sched_again": "AssertionError"},
    ),
]

_SAVE = """
def save(training, folder):
    state = {
        "model": training.model.state_dict(), "optimiser": training.optimiser.state_dict(),
        "rng": training.rng.bit_generator.state, "left": training.left, "steps": training.steps,
    }
    torch.save(state, folder / "new")
    (folder / "new").rename(folder / "old")
"""
_RESUME = """
def resume(training, folder):
    if not (folder / "old").exists(): return
    state = torch.load(folder / "old")
    training.model.load_state_dict(state["model"])
    training.optimiser.load_state_dict(state["optimiser"])
    training.rng.bit_generator.state = state["rng"]
    training.left, training.steps = state["left"], state["steps"]
"""
_ALL = "counts once all of the state"
_LAST = 'training.left, training.steps = state["left"], state["steps"]'


def _resume(name: str, changes: dict[str, str], **loses: str) -> Answer:
    code = _SAVE + _RESUME
    for old, new in changes.items():
        assert old in code, old
        code = code.replace(old, new)
    named = {f"resume_{item}": hint for item, hint in loses.items()}
    return Answer("check_4_resume", f"wrong: {name}", code, named)


RESUMING = [
    Answer("check_4_resume", "right: a path for torch.save, rename, weights only", _SAVE + _RESUME),
    Answer(
        "check_4_resume",
        "right: two files in turn with a checksum, pickle, everything by hand",
        """
import hashlib
import pickle

def save(training, folder):
    held = [p.detach().numpy().tobytes() for p in training.model.parameters()]
    moving = [training.optimiser.state[p]["momentum_buffer"] for p in training.model.parameters()]
    body = pickle.dumps((held, moving, training.optimiser.param_groups[0]["lr"], training.rng,
                         training.left, training.steps))
    found = [file for _, file in whole(folder)]
    name = "a" if not found or found[-1].name == "b" else "b"
    (folder / name).write_bytes(hashlib.sha256(body).digest() + body)

def whole(folder):
    found = []
    for name in "ab":
        file = folder / name
        if not file.exists(): continue
        text = file.read_bytes()
        if len(text) > 32 and hashlib.sha256(text[32:]).digest() == text[:32]:
            found.append((pickle.loads(text[32:]), file))
    return sorted(found, key=lambda pair: pair[0][-1])

def resume(training, folder):
    found = whole(folder)
    if not found: return
    held, moving, rate, training.rng, training.left, training.steps = found[-1][0]
    for p, values, m in zip(training.model.parameters(), held, moving):
        p.data = torch.frombuffer(bytearray(values), dtype=p.dtype).view(p.shape)
        training.optimiser.state[p]["momentum_buffer"] = m
    training.optimiser.param_groups[0]["lr"] = rate
""",
    ),
    Answer(
        "check_4_resume",
        "right: a folder for each step that gets its name at the end, the last two are kept",
        """
import json
import shutil

def save(training, folder):
    new = folder / "unfinished"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    torch.save(training.model.state_dict(), new / "model.pt")
    torch.save(training.optimiser.state_dict(), new / "optimiser.pt")
    rest = {"rng": training.rng.bit_generator.state, "left": training.left}
    (new / "rest.json").write_text(json.dumps(rest))
    shutil.rmtree(folder / f"step{training.steps:09d}", ignore_errors=True)
    os.rename(new, folder / f"step{training.steps:09d}")
    for old in sorted(folder.glob("step*"))[:-2]: shutil.rmtree(old)

def resume(training, folder):
    found = sorted(folder.glob("step*"))
    if not found: return
    training.model.load_state_dict(torch.load(found[-1] / "model.pt"))
    training.optimiser.load_state_dict(torch.load(found[-1] / "optimiser.pt"))
    rest = json.loads((found[-1] / "rest.json").read_text())
    training.rng.bit_generator.state, training.left = rest["rng"], rest["left"]
    training.steps = int(found[-1].name[4:])
""",
    ),
    _resume(
        "the model alone",
        {
            '    training.optimiser.load_state_dict(state["optimiser"])\n': "",
            '    training.rng.bit_generator.state = state["rng"]\n': "",
            _LAST: "pass",
        },
        state="the optimiser's momentum",
        order="the generator is not where",
        end=_ALL,
        whole=_ALL,
    ),
    _resume(
        "the momentum without the learning rate",
        {
            '    training.optimiser.load_state_dict(state["optimiser"])\n': (
                '    held = state["optimiser"]["state"].values()\n'
                "    for p, s in zip(training.model.parameters(), held):\n"
                "        training.optimiser.state[p].update(s)\n"
            )
        },
        state="the learning rate",
        end=_ALL,
        whole=_ALL,
    ),
    _resume(
        "half of the bits",
        {
            "    torch.save(state,": (
                "    state['model'] = {k: v.float() for k, v in state['model'].items()}\n"
                "    torch.save(state,"
            )
        },
        state="first digits only",
        end=_ALL,
        whole=_ALL,
    ),
    _resume(
        "nothing comes back",
        {'if not (folder / "old").exists(): return': "return"},
        state="those of the start",
        order="the generator is not",
        end=_ALL,
        whole=_ALL,
    ),
    Answer(
        "check_4_resume",
        "wrong: the number of steps alone, which are done again",
        """
def save(training, folder):
    (folder / "new").write_text(str(training.steps))
    (folder / "new").rename(folder / "old")

def resume(training, folder):
    if not (folder / "old").exists(): return
    for _ in range(int((folder / "old").read_text())): training.step()
""",
        {
            "resume_state": "the steps were done again",
            "resume_end": _ALL,
            "resume_whole": _ALL,
        },
    ),
    _resume(
        "a new epoch after each kill",
        {_LAST: 'training.steps = state["steps"]'},
        order="left of the epoch",
        end=_ALL,
        whole=_ALL,
    ),
    _resume(
        "the steps are not counted on",
        {_LAST: 'training.left = state["left"]'},
        order="the number of steps",
        end=_ALL,
        whole=_ALL,
    ),
    _resume(
        "the generator from its seed",
        {'.rng.bit_generator.state = state["rng"]': ".rng = np.random.default_rng(0)"},
        order="the generator is not where",
        end=_ALL,
        whole=_ALL,
    ),
    _resume(
        "there is always a checkpoint",
        {'    if not (folder / "old").exists(): return\n': ""},
        end="no checkpoint yet",
    ),
    _resume(
        "only the first checkpoint is kept",
        {"    state = {\n": '    if (folder / "old").exists(): return\n    state = {\n'},
        end="not resumed where it saved last",
        whole="loses the last whole checkpoint",
    ),
    _resume(
        "without a checkpoint it begins with a step of its own",
        {".exists(): return": ".exists(): return training.step()"},
        end="resume leaves the training as it is",
    ),
    _resume(
        "over the old file",
        {'folder / "new")\n    (folder / "new").rename(folder / "old")': 'folder / "old")'},
        whole="resume stops with",
    ),
    _resume(
        "the old one is removed first",
        {
            '    (folder / "new").rename': (
                '    (folder / "old").unlink(missing_ok=True)\n    (folder / "new").rename'
            )
        },
        whole="loses the last whole checkpoint",
    ),
    Answer(
        "check_4_resume",
        "wrong: two files, each renamed by itself",
        """
def put(what, path):
    torch.save(what, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)

def save(training, folder):
    put(training.model.state_dict(), folder / "model.pt")
    put([training.optimiser.state_dict(), training.rng.bit_generator.state, training.left,
         training.steps], folder / "rest.pt")

def resume(training, folder):
    if not (folder / "rest.pt").exists(): return
    training.model.load_state_dict(torch.load(folder / "model.pt"))
    optimiser, state, training.left, training.steps = torch.load(folder / "rest.pt")
    training.optimiser.load_state_dict(optimiser)
    training.rng.bit_generator.state = state
""",
        {"resume_whole": "parts of two checkpoints"},
    ),
    _resume(
        "save stops",
        {"training.left,": "training.remaining,"},
        state="save stops with AttributeError",
        order="save stops with AttributeError",
        end="save stops with AttributeError",
        whole="save stops with AttributeError",
    ),
]

_RUNNING = """
def running_hours(N, work, s, exchange):
    return s * work + ((1 - s) * work + exchange * (N - 1)) / N
"""
_WALL = """
def wall_hours(running, N, between, lost):
    kept = between - N * lost
    return running * between / kept if kept > 0 else math.inf
"""
_FASTEST = """
def fastest(work, s, exchange, between, lost, most):
    hours = [wall_hours(running_hours(N, work, s, exchange), N, between, lost)
             for N in range(1, most + 1)]
    return int(np.argmin(hours)) + 1
"""
_CHEAPEST = """
def cheapest(offers, work, s, exchange, lost, deadline, most):
    best = None
    for k in range(len(offers)):
        speed, price, between = offers[k]
        for N in range(1, most + 1):
            hours = wall_hours(running_hours(N, work / speed, s, exchange), N, between, lost)
            if hours <= deadline and (best is None or N * hours * price < best[0]):
                best = N * hours * price, k, N
    return best and best[1:]
"""


def _plans(name: str, *parts: str, **hints: str) -> Answer:
    """The right functions first: each wrong one after them takes its name, at the end."""
    right = _RUNNING + _WALL + _FASTEST + _CHEAPEST
    # What the others need keeps working under names of its own.
    kept = right.replace("running_hours", "_running").replace("wall_hours", "_wall")
    loses = {f"plan_{item}": hint for item, hint in hints.items()}
    return Answer("check_5_deadline", f"wrong: {name}", kept + "".join(parts), loses)


def _running(formula: str) -> str:
    return f"\ndef running_hours(N, work, s, exchange):\n    return {formula}\n"


def _wall(formula: str) -> str:
    return f"\ndef wall_hours(running, N, between, lost):\n    return {formula}\n"


_FOR_ALL = """
def _every(offers, work, s, exchange, lost, most, wall=_wall):
    return [(wall(_running(N, work / speed, s, exchange), N, M, lost), price, k, N)
            for k, (speed, price, M) in enumerate(offers) for N in range(1, most + 1)]

def _best(plans, key):
    return min(plans, key=key)[2:] if plans else None
"""


def _cheapest(plans: str, key: str, after: str = "return found") -> str:
    return f"""{_FOR_ALL}
def cheapest(offers, work, s, exchange, lost, deadline, most):
    plans = _every(offers, work, s, exchange, lost, most)
    plans = [plan for plan in plans if plan[0] <= deadline]
    {plans}
    found = _best(plans, lambda plan: {key})
    {after}
"""


def _fastest(after: str) -> str:
    return f"""
def fastest(work, s, exchange, between, lost, most):
    hours = [_wall(_running(N, work, s, exchange), N, between, lost) for N in range(1, most + 1)]
    return {after}
"""


_PRICE = "plan[0] * plan[1] * plan[3]"
DEADLINES = [
    Answer(
        "check_5_deadline",
        "right: fractions put together, one loop",
        _RUNNING + _WALL + _FASTEST + _CHEAPEST,
    ),
    _plans(
        "no exchange; running time only; the most; the quickest",
        _running("work * s + work * (1 - s) / N"),
        _wall("running * (1 + N * lost / between)"),
        _fastest("most"),
        _cheapest("pass", "plan[0]"),
        running="N workers exchange too",
        wall="is time too",
        fastest="the last ones can cost more",
        cheapest="this one ends first",
    ),
    _plans(
        "all of the exchange; running time, never ends; place in the list; no failures",
        _running("work * s + work * (1 - s) / N + exchange"),
        _wall("math.inf if N * lost >= between else running * (1 + N * lost / between)"),
        _fastest("int(np.argmin(hours))"),
        _cheapest(
            "plans = _every(offers, work, s, exchange, lost, most, lambda r, *_: r)\n"
            "    plans = [plan for plan in plans if plan[0] <= deadline]",
            _PRICE,
        ),
        running="few workers exchange less",
        wall="is time too",
        fastest="a list that begins with 0",
        cheapest="a cheap worker may fail often",
    ),
    _plans(
        "nothing serial; below zero; the hours; no deadline",
        _running("work * 1 / N + exchange * (N - 1) / N"),
        _wall("running / (1 - N * lost / between)"),
        _fastest("min(hours)"),
        _cheapest("plans = _every(offers, work, s, exchange, lost, most)", _PRICE),
        running="serial share of the work",
        wall="never ends",
        fastest="the fewest hours; the number",
        cheapest="not done by the deadline",
    ),
    _plans(
        "exchanges add up; one worker fails; the lowest price; the lowest rate",
        _running("work * s + work * (1 - s) / N + exchange * (N - 1)"),
        _wall("running / (1 - lost / between)"),
        _fastest("1 + int(np.argmin([h * (n + 1) for n, h in enumerate(hours)]))"),
        _cheapest(
            "plans = [p for p in plans if p[1] == offers[:, 1].min()]",
            _PRICE,
            "return found or [int(offers[:, 1].argmin()), most]",
        ),
        running="do not add up",
        wall="N times as often as one",
        fastest="the price N times the hours",
        cheapest="try every offer",
    ),
    _plans(
        "the lost time alone; failures counted once; all of one speed",
        _running("work * s + work * (1 - s) / N + exchange * (N - 1)"),
        _wall("math.inf if N * lost >= between else running / (between / N / lost - 1)"),
        """
def fastest(work, s, exchange, between, lost, most):
    hours = [_running(N, work, s, exchange) * (1 + N * lost / between)
             for N in range(1, most + 1)]
    return 1 + int(np.argmin(hours))
""",
        _cheapest(
            "plans = _every([(1, *row[1:]) for row in offers], work, s, exchange, lost, most)\n"
            "    plans = [plan for plan in plans if plan[0] <= deadline]",
            _PRICE,
        ),
        running="do not add up",
        wall="this is the time that is lost",
        fastest="in the time that failures take",
        cheapest="divide by speed",
    ),
    _plans(
        "workers are not paid",
        _RUNNING + _WALL,
        _cheapest("pass", "plan[0] * plan[1]"),
        cheapest="each worker is paid",
    ),
    _plans(
        "the least late plan",
        _RUNNING + _WALL,
        _cheapest(
            "pass",
            _PRICE,
            "return found or _best(_every(offers, work, s, exchange, lost, most), lambda p: p[0])",
        ),
        cheapest="a plan that is late is no plan",
    ),
    _plans(
        "-1",
        _RUNNING + _WALL,
        _cheapest("pass", _PRICE, "return found or -1"),
        cheapest="where nothing ends in time, return None",
    ),
    _plans(
        "workers first",
        _RUNNING + _WALL,
        _cheapest("pass", _PRICE, "return found and found[::-1]"),
        cheapest="the place of the offer first",
    ),
]

_SETUP = """
import math
import os
import numpy as np
import torch
import torch.distributed as dist
"""
GROUPS = [
    Group("plain", [*FANS, *CHECKPOINTS, *DEADLINES], setup=_SETUP, every_seed=True),
    Group("scheduling", SCHEDULING, setup=_SETUP),
    Group("resuming", RESUMING, setup=_SETUP),
]
