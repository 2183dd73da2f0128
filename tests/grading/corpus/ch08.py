"""Answers to the exercises on case studies."""

from corpus.answers import Answer, Group

# ---- 1 a law and the point that it has not seen ------------------------------------------------

_FIT = """
def fit_law(N, X):
    A = np.column_stack([X, X / N])
    a, b = np.linalg.lstsq(A, np.ones(len(X)), rcond=None)[0]
    if a < 0: a, b = 0, (X / N).sum() / ((X / N) ** 2).sum()
    return a, b
"""
_HELD = """
def held_out(N, X):
    k = np.argmax(N)
    a, b = fit_law(np.delete(N, k), np.delete(X, k))
    return 1 / (a + b / N[k])
"""
_ERRORS = """
def errors(N, X):
    order = np.argsort(N)
    n, x = N[order], X[order]
    return [held_out(N, X) / x[-1] - 1, x[-2] / n[-2] * n[-1] / x[-1] - 1]
"""

LAWS = [
    Answer(
        "check_1_law",
        "right: by non-negative least squares of scipy, sorted first, lists returned",
        """
from scipy.optimize import nnls

def fit_law(N, X):
    t = 1 / np.asarray(X)
    return list(nnls(np.array([1 / t, 1 / np.asarray(N) / t]).T, np.ones(len(t)))[0])

def held_out(N, X):
    pairs = sorted(zip(N, X))
    a, b = fit_law(*map(np.array, zip(*pairs[:-1])))
    return pairs[-1][0] / (a * pairs[-1][0] + b)

def errors(N, X):
    pairs = sorted(zip(N, X))
    (n, x), (m, y) = pairs[-2:]
    return held_out(N, X) / y - 1, x * m / n / y - 1
""",
    ),
    Answer("check_1_law", "right: plainly", _FIT + _HELD + _ERRORS),
    Answer(
        "check_1_law",
        "wrong: absolute misses; seen all; errors of times",
        """
def fit_law(N, X):
    return np.linalg.lstsq(np.column_stack([np.ones(len(X)), 1 / N]), 1 / X, rcond=None)[0]

def _fit(N, X):
    A = np.column_stack([X, X / N])
    a, b = np.linalg.lstsq(A, np.ones(len(X)), rcond=None)[0]
    return (a, b) if a >= 0 else (0, (X / N).sum() / ((X / N) ** 2).sum())

def held_out(N, X):
    a, b = _fit(N, X)
    return 1 / (a + b / max(N))

def errors(N, X):
    k = np.argmax(N)
    a, b = _fit(np.delete(N, k), np.delete(X, k))
    order = np.argsort(N)
    n, x = N[order], X[order]
    return [x[-1] * (a + b / n[-1]) - 1, x[-1] / (x[-2] / n[-2] * n[-1]) - 1]
""",
        {
            "law_fit": "relative misses are asked for",
            "law_bound": "relative misses are asked for",
            "law_held_out": "has seen the point",
            "law_errors": "errors of the times",
        },
    ),
    Answer(
        "check_1_law",
        "wrong: first and last point; the last of the list; the first efficiency",
        """
def fit_law(N, X):
    ends = [np.argmin(N), np.argmax(N)]
    return np.linalg.solve(np.column_stack([[1, 1], 1 / N[ends]]), 1 / X[ends])
"""
        + _FIT.replace("fit_law", "_fit")
        + """
def held_out(N, X):
    a, b = _fit(N[:-1], X[:-1])
    return 1 / (a + b / N[-1])

def errors(N, X):
    k = np.argmax(N)
    a, b = _fit(np.delete(N, k), np.delete(X, k))
    first = np.argmin(N)
    kept = X[first] / N[first] * N[k]
    return np.array([1 / (a + b / N[k]), kept]) / X[k] - 1
""",
        {
            "law_fit": "a law through two points",
            "law_bound": "a law through two points",
            "law_held_out": "not always the last",
            "law_errors": "not of the smallest N",
        },
    ),
    Answer(
        "check_1_law",
        "wrong: a may be negative; a time; sizes of the errors",
        _FIT.replace("    if a < 0:", "    if False:")
        + _HELD.replace("return 1 / (", "return (")
        + """
def errors(N, X):
    k, order = np.argmax(N), np.argsort(N)
    seen, rates = np.delete(N, k), np.delete(X, k)
    a, b = fit_law(seen, rates)
    if a < 0: a, b = 0, (rates / seen).sum() / ((rates / seen) ** 2).sum()
    told = np.array([1 / (a + b / N[k]), X[order[-2]] / N[order[-2]] * N[k]])
    return abs(told / X[k] - 1)
""",
        {
            "law_bound": "no part of a step takes less than no time",
            "law_held_out": "",
            "law_errors": "a negative error",
        },
    ),
    Answer(
        "check_1_law",
        "wrong: the right fit, but a time; shares of what was predicted",
        _FIT
        + _HELD.replace("return 1 / (", "return (")
        + """
def errors(N, X):
    order = np.argsort(N)
    n, x = N[order], X[order]
    told = np.array([1 / held_out(N, X), x[-2] / n[-2] * n[-1]])
    return 1 - x[-1] / told
""",
        {"law_held_out": "this is the time of a sample", "law_errors": "a share of the measured"},
    ),
    Answer(
        "check_1_law",
        "wrong: a set to 0 afterwards; b first; the baseline first",
        _FIT.replace("a, b = 0, (X / N).sum() / ((X / N) ** 2).sum()", "a = 0").replace(
            "return a, b", "return max(a, 0), b"
        )
        + """
def held_out(N, X):
    k = np.argmax(N)
    n, x = np.delete(N, k), np.delete(X, k)
    a, b = np.linalg.lstsq(np.column_stack([x, x / n]), np.ones(len(x)), rcond=None)[0]
    return 1 / (a + b / N[k])

def errors(N, X):
    k, order = np.argmax(N), np.argsort(N)
    seen, rates = np.delete(N, k), np.delete(X, k)
    A = np.column_stack([rates, rates / seen])
    a, b = np.linalg.lstsq(A, np.ones(len(seen)), rcond=None)[0]
    if a < 0: a, b = 0, (rates / seen).sum() / ((rates / seen) ** 2).sum()
    told = np.array([X[order[-2]] / N[order[-2]] * N[k], 1 / (a + b / N[k])])
    return told / X[k] - 1
""",
        {
            "law_bound": "with a = 0 another b is best",
            "law_held_out": "has a negative a",
            "law_errors": "first the law",
        },
    ),
    Answer(
        "check_1_law",
        "wrong: b before a",
        _FIT.replace("return a, b", "return b, a") + "\ndef held_out(N, X): return 1.0\n"
        "def errors(N, X): return [0.0, 0.0]",
        {
            "law_fit": "the first number is a",
            "law_bound": "",
            "law_held_out": "",
            "law_errors": "",
        },
    ),
]

# ---- 2 whose loss ------------------------------------------------------------------------------

_FACTORS = """
def factors(N, T, D):
    X = D / T
    return np.array([
        [T[0] / T[k] * N[0] / N[k], X[k] / X[0] * N[0] / N[k], D[0] / D[k]]
        for k in range(1, len(N))
    ])
"""
_SHARE = """
def machine_share(N, T, D):
    E, machine, _ = _factors(N, T, D).T
    return np.log(machine) / np.log(E)
"""
_TRUE = _FACTORS.replace("def factors", "def _factors") + _SHARE.replace(
    "def machine_share", "def _share"
)

SPLIT = [
    Answer(
        "check_2_split",
        "right: loops and logarithms of base 2, the best batch by search among all",
        _TRUE
        + """
def factors(N, T, D): return _factors(N, T, D).tolist()

def machine_share(N, T, D):
    shares = []
    for k in range(1, len(N)):
        more = N[k] / N[0]
        whole, optimiser = T[0] / T[k] / more, D[0] / D[k]
        shares.append(1 - np.log2(optimiser) / np.log2(whole))
    return shares

def turning_point(N, T, D):
    for n, share in zip(N[1:], machine_share(N, T, D)):
        if share < 0.5: return n
    return -1

def best_batch(N, h, c, most):
    return min(range(N, N * most + 1, N), key=lambda B: (1 + B / c) * (1 / N + h / B))
""",
    ),
    Answer(
        "check_2_split",
        "wrong: speedups; 1 - E added up; where the machine loses more; the nearest multiple",
        _TRUE
        + """
def factors(N, T, D):
    return np.array([[T[0] / T[k], (D[k] / T[k]) / (D[0] / T[0]), D[0] / D[k]]
                     for k in range(1, len(N))])

def machine_share(N, T, D):
    _, machine, optimiser = _factors(N, T, D).T
    return (1 - machine) / (1 - machine + 1 - optimiser)

def turning_point(N, T, D):
    found = N[1:][_share(N, T, D) > 0.5]
    return found[0] if len(found) else -1

def best_batch(N, h, c, most):
    return N * min(max(round((h * c / N) ** 0.5), 1), most)
""",
        {
            "split_factors": "these are speedups",
            "split_share": "do not add up",
            "split_turning": "where the machine loses more",
            "split_batch": "compare the times on both sides",
        },
    ),
    Answer(
        "check_2_split",
        "wrong: from one worker; 1 - E over all; the place; any batch",
        _TRUE
        + """
def factors(N, T, D):
    return np.array([[T[0] / T[k] / N[k], D[k] / T[k] / (D[0] / T[0]) / N[k], D[0] / D[k]]
                     for k in range(1, len(N))])

def machine_share(N, T, D):
    E, machine, _ = _factors(N, T, D).T
    return (1 - machine) / (1 - E)

def turning_point(N, T, D):
    found = np.flatnonzero(_share(N, T, D) < 0.5)
    return 1 + found[0] if len(found) else -1

def best_batch(N, h, c, most):
    return int(np.clip(np.round(np.sqrt(N * h * c)), 1, N * most))
""",
        {
            "split_factors": "counts from one worker",
            "split_share": "come to more than one",
            "split_turning": "is not the number of workers",
            "split_batch": "is a multiple of the workers",
        },
    ),
    Answer(
        "check_2_split",
        "wrong: samples upside down; the optimiser's share; the largest N; no end of memory",
        _TRUE
        + """
def factors(N, T, D):
    found = _factors(N, T, D)
    found[:, 2] = 1 / found[:, 2]
    return found

def machine_share(N, T, D): return 1 - _share(N, T, D)

def turning_point(N, T, D):
    found = N[1:][_share(N, T, D) < 0.5]
    return found[-1] if len(found) else -1

def best_batch(N, h, c, most):
    B = N * np.arange(1, 5000)
    return B[np.argmin((1 + B / c) * (1 / N + h / B))]
""",
        {
            "split_factors": "more samples are a loss",
            "split_share": "the optimiser's share",
            "split_turning": "not the largest",
            "split_batch": "memory has an end",
        },
    ),
    Answer(
        "check_2_split",
        "wrong: a row too many; a quotient; nothing for no N; samples of one worker",
        _TRUE
        + """
def factors(N, T, D):
    return np.vstack([[1, 1, 1], _factors(N, T, D)])

def machine_share(N, T, D):
    E, machine, _ = _factors(N, T, D).T
    return machine / E

def turning_point(N, T, D):
    for n, share in zip(N[1:], _share(N, T, D)):
        if share < 0.5: return n

def best_batch(N, h, c, most):
    each = np.arange(1, most + 1)
    return each[np.argmin((1 + N * each / c) * (1 / N + h / (N * each)))]
""",
        {
            "split_factors": "the smallest itself is left out",
            "split_share": "is no share",
            "split_turning": "return -1",
            "split_batch": "these are the samples of one worker",
        },
    ),
    Answer(
        "check_2_split",
        "wrong: rows and columns; nothing; 1 - E decides; the largest batch",
        _TRUE
        + """
def factors(N, T, D): return _factors(N, T, D).T

def machine_share(N, T, D): return np.zeros(len(N) - 1)

def turning_point(N, T, D):
    E, machine, _ = _factors(N, T, D).T
    found = N[1:][(1 - machine) / (1 - E) < 0.5]
    return found[0] if len(found) else -1

def best_batch(N, h, c, most): return N * most
""",
        {
            "split_factors": "a column for each factor",
            "split_share": "over the logarithm of the efficiency",
            "split_turning": "compare shares of the logarithm",
            "split_batch": "it needs more samples",
        },
    ),
    Answer(
        "check_2_split",
        "wrong: the machine's factor of the time",
        _TRUE
        + """
def factors(N, T, D):
    E, _, optimiser = _factors(N, T, D).T
    return np.array([E, E, optimiser]).T

def machine_share(N, T, D): return _share(N, T, D)
def turning_point(N, T, D): return int(([*N[1:][_share(N, T, D) < 0.5], -1])[0])

def best_batch(N, h, c, most):
    B = N * np.arange(1, most + 1)
    return int(B[np.argmin((1 + B / c) / N * (1 + h * N / B))])
""",
        {"split_factors": "not that of the time"},
    ),
]

# ---- 3 tables dealt out ------------------------------------------------------------------------

_TABLES = """
class Swap(torch.autograd.Function):
    @staticmethod
    def forward(c, t, come, go):
        c.come, c.go = come, go
        out = t.new_empty(sum(come), *t.shape[1:])
        dist.all_to_all_single(out, t.contiguous(), come, go)
        return out

    @staticmethod
    def backward(c, g):
        back = g.new_empty(sum(c.go), *g.shape[1:])
        dist.all_to_all_single(back, g.contiguous(), c.go, c.come)
        return back, None, None

def lookup(tables, categories, owners, shares, F):
    me, W, b = dist.get_rank(), len(shares), len(categories)
    of = [[t for t, o in enumerate(owners) if o == r] for r in range(W)]
    ask = [b * len(each) for each in of]
    give = [n * len(of[me]) for n in shares]
    sent = torch.cat([categories[:, each].reshape(-1) for each in of])
    got = Swap.apply(sent, give, ask)
    got = got.view(-1, len(of[me])) if of[me] else got
    rows = [tables[t][got[:, k]] for k, t in enumerate(of[me])]
    flat = torch.stack(rows, 1).view(-1, F) if rows else torch.zeros(0, F).double().requires_grad_()
    back = Swap.apply(flat, ask, give).split(ask)
    out = torch.empty(b, len(owners), F, dtype=torch.float64)
    parts = [piece.view(b, len(each), F) for piece, each in zip(back, of)]
    order = [t for each in of for t in each]
    return torch.cat(parts, 1)[:, np.argsort(order)]
"""
_LATER = "counts once the rows are right"


_TABLE_ITEMS = ("tables_two", "tables_three", "tables_gradients", "tables_sent")


def _tables(two: str | None = None, three: str | None = None) -> dict[str, str]:
    lost = {"tables_gradients": _LATER, "tables_sent": _LATER}
    lost |= {} if two is None else {"tables_two": two}
    return lost | ({} if three is None else {"tables_three": three})


TABLES = [
    Answer("check_3_tables", "right: with a backward of its own", _TABLES),
    Answer(
        "check_3_tables",
        "right: table by table in the message, PyTorch's own function that knows its way back",
        """
from torch.distributed.nn.functional import all_to_all_single as differentiable

def lookup(tables, categories, owners, shares, F):
    me, W, T = dist.get_rank(), dist.get_world_size(), len(owners)
    of = [[t for t in range(T) if owners[t] == r] for r in range(W)]
    ask = [shares[me] * len(each) for each in of]
    give = [n * len(of[me]) for n in shares]
    sent = torch.cat([categories.T[each].flatten() for each in of])
    asked = torch.empty(sum(give), dtype=torch.int64)
    dist.all_to_all_single(asked, sent, give, ask)
    found = []
    for n, piece in zip(shares, asked.split(give)):
        for t, numbers in zip(of[me], piece.split(n) if of[me] else []):
            found.append(torch.nn.functional.embedding(numbers, tables[t]))
    found = torch.cat([torch.empty(0, F).double().requires_grad_(), *found])
    rows = differentiable(torch.empty(sum(ask), F, dtype=torch.float64), found, ask, give)
    pieces = iter(rows.split(shares[me]))
    by_table = {t: next(pieces) for each in of for t in each}
    return torch.stack([by_table[t] for t in range(T)], dim=1)
""",
    ),
    Answer(
        "check_3_tables",
        "wrong: no way back",
        _TABLES.replace("class Swap", "class _Unused")
        + """
class Swap:
    @staticmethod
    def apply(t, come, go):
        out = t.new_empty(sum(come), *t.shape[1:])
        dist.all_to_all_single(out, t.detach().contiguous(), come, go)
        return out
""",
        {"tables_gradients": "stops with RuntimeError", "tables_sent": "0 all-to-alls"},
    ),
    Answer(
        "check_3_tables",
        "wrong: zeros on the way back",
        _TABLES.replace("        return back, None", "        return back * 0, None"),
        {"tables_gradients": "differ from those of one worker"},
    ),
    Answer(
        "check_3_tables",
        "wrong: the mean of the gradients",
        _TABLES.replace(
            "        return back, None", "        return back / dist.get_world_size(), None"
        ),
        {"tables_gradients": "divided by the ranks"},
    ),
    Answer(
        "check_3_tables",
        "wrong: gradients summed once more",
        _TABLES.replace("        return back, None", "        return back * len(c.go), None"),
        {"tables_gradients": "once from every rank"},
    ),
    Answer(
        "check_3_tables",
        "wrong: sizes not swapped on the way back",
        _TABLES.replace(
            "g.contiguous(), c.go, c.come)",
            "g.contiguous(), c.come, c.go)",
        ),
        {"tables_gradients": "stops with", "tables_sent": ""},
    ),
    Answer(
        "check_3_tables",
        "wrong: columns in the order of the ranks",
        _TABLES.replace("[:, np.argsort(order)]", ""),
        _tables("in the order of the ranks", "in the order of the ranks"),
    ),
    Answer(
        "check_3_tables",
        "wrong: permuted the wrong way",
        _TABLES.replace("[:, np.argsort(order)]", "[:, np.argsort(np.argsort(order))]"),
        _tables("in which order", "in which order"),
    ),
    Answer(
        "check_3_tables",
        "wrong: takes all shares for as large as its own",
        _TABLES.replace("[n * len(of[me]) for n in shares]", "[b * len(of[me])] * W"),
        _tables(None, ""),
    ),
    Answer(
        "check_3_tables",
        "wrong: a rank without tables is not thought of",
        _TABLES.replace(" if of[me] else got", "").replace(
            " if rows else torch.zeros(0, F).double().requires_grad_()", ""
        ),
        _tables(None, "stops with RuntimeError"),
    ),
    Answer(
        "check_3_tables",
        "wrong: everyone gets all categories and all rows",
        """
class Whole(torch.autograd.Function):
    @staticmethod
    def forward(c, t, place, parts):
        c.place = place
        dist.all_reduce(parts)
        return parts

    @staticmethod
    def backward(c, g):
        total = g.clone()
        dist.all_reduce(total)
        return total, None, None

def lookup(tables, categories, owners, shares, F):
    me, T = dist.get_rank(), len(owners)
    ends = np.cumsum([0, *shares])
    numbers = torch.zeros(sum(shares), T, dtype=torch.int64)
    numbers[ends[me] : ends[me + 1]] = categories
    dist.all_reduce(numbers)
    empty = torch.zeros(sum(shares), F, dtype=torch.float64, requires_grad=True)
    found = torch.stack([empty if t is None else t[numbers[:, k]] for k, t in enumerate(tables)], 1)
    return Whole.apply(found, me, found.detach().clone())[ends[me] : ends[me + 1]]
""",
        {"tables_sent": "something else than all_to_all_single"},
    ),
    Answer(
        "check_3_tables",
        "wrong: says first how many numbers come",
        _TABLES.replace(
            "    rows = [tables",
            "    told = torch.empty(W, dtype=torch.int64)\n"
            "    dist.all_to_all_single(told, torch.tensor(ask))\n"
            "    assert told.tolist() == give\n"
            "    rows = [tables",
        ),
        {"tables_sent": "3 all-to-alls on the way forward"},
    ),
    Answer(
        "check_3_tables",
        "wrong: all columns go to every rank",
        _TABLES.replace(
            "    got = Swap.apply(sent, give, ask)\n"
            "    got = got.view(-1, len(of[me])) if of[me] else got",
            "    T = len(owners)\n"
            "    every = categories.reshape(-1).repeat(W)\n"
            "    every = Swap.apply(every, [n * T for n in shares], [b * T] * W).view(-1, T)\n"
            "    got = every[:, of[me]]",
        ),
        {"tables_sent": "more numbers than needed travel on the way forward"},
    ),
    Answer(
        "check_3_tables",
        "wrong: each rank looks up its own tables only",
        """
def lookup(tables, categories, owners, shares, F):
    empty = torch.zeros(len(categories), F, dtype=torch.float64, requires_grad=True)
    rows = [empty * 1 if t is None else t[categories[:, k]] for k, t in enumerate(tables)]
    return torch.stack(rows, 1)
""",
        _tables("those of the others' are not", "those of the others' are not"),
    ),
    Answer(
        "check_3_tables",
        "wrong: no rank waits for the others but in a row",
        """
def lookup(tables, categories, owners, shares, F):
    if dist.get_rank() == 0:
        dist.barrier()
    return torch.zeros(len(categories), len(owners), F, dtype=torch.float64, requires_grad=True) * 1
""",
        dict.fromkeys(_TABLE_ITEMS, "wait for each other without end"),
    ),
]

# ---- 4 an auditor ------------------------------------------------------------------------------

_AUDIT = '''
NAMES = """question workload machine cores baseline_threads threads equal_to_serial rounds scaling
workers batch speedup low high efficiency oversubscribed law fitted held_out held_out_error
samples_to_target left_over limits""".split()
MAY = ["oversubscribed", "samples_to_target", "held_out_error"]

def missing(r):
    out = []
    for name in NAMES:
        v = r.get(name)
        v = v.strip() if isinstance(v, str) else v
        if name not in MAY and (v is None or (hasattr(v, "__len__") and not len(v))):
            out.append(name)
    return set(out)

def miscounted(r):
    N, S, E = (np.array(r[k], float) for k in ("workers", "speedup", "efficiency"))
    bad = (abs(E - S / N) > 0.01) | (S < r["low"]) | (S > r["high"])
    return set(N[bad])

def unfair(r):
    N, B, words = np.array(r["workers"]), np.array(r["batch"]), set()
    if r["threads"] > r["baseline_threads"]: words.add("threads")
    crowded = set(N[N * r["threads"] > r["cores"]].tolist()) - {1}
    if crowded - set(r["oversubscribed"]): words.add("oversubscribed")
    if np.ptp(B / N if r["scaling"] == "weak" else B) > 0: words.add("batch")
    return words

def unsupported(r):
    rows = sorted(zip(r["workers"], r["low"], r["high"], r["batch"]))
    words = []
    if any(N in r["fitted"] for N in r["held_out"]): words.append("held out")
    if not rows[-1][1] > rows[-2][2]: words.append("gain")
    reason = "cache" in r["left_over"] or "allocation" in r["left_over"]
    if [N for N, low, _, _ in rows if low > N] and not reason: words.append("above ideal")
    if len({row[3] for row in rows}) > 1 and not r.get("samples_to_target"): words.append("target")
    return words
'''

AUDIT = [
    Answer("check_4_audit", "right: with arrays, floats and lists", _AUDIT),
    Answer(
        "check_4_audit",
        "wrong: falsy is missing; ends left out; more threads; the last two of the list",
        _AUDIT
        + """
def missing(r): return {n for n in NAMES if n not in MAY and not r.get(n)}

def miscounted(r):
    names = ("workers", "speedup", "low", "high", "efficiency")
    return {N for N, S, a, b, E in zip(*(r[k] for k in names))
            if abs(E - S / N) > 0.01 or not (a < S < b)}

def unfair(r):
    words = _unfair(r) - {"threads"}
    return words | ({"threads"} if r["threads"] != r["baseline_threads"] else set())

def unsupported(r):
    words = set(_unsupported(r)) - {"gain"}
    return words | ({"gain"} if r["low"][-1] <= r["high"][-2] else set())
""".replace("_unfair(r)", "unfair_(r)").replace("_unsupported(r)", "unsupported_(r)")
        + _AUDIT.replace("def unfair(", "def unfair_(")
        .replace("def unsupported(", "def unsupported_(")
        .replace("def missing(", "def missing_(")
        .replace("def miscounted(", "def miscounted_("),
        {
            "audit_missing": "False is an answer",
            "audit_miscounted": "the ends belong",
            "audit_unfair": "fewer is what is unfair",
            "audit_unsupported": "not the last two in the list",
        },
    ),
    Answer(
        "check_4_audit",
        "wrong: only what is not there; only efficiencies; no marks; no reasons",
        _AUDIT
        + """
def missing(r): return {n for n in NAMES if n not in MAY and n not in r}

def miscounted(r):
    names = ("workers", "speedup", "efficiency")
    return {N for N, S, E in zip(*(r[k] for k in names)) if abs(E - S / N) > 0.01}

def unfair(r):
    N, B, words = np.array(r["workers"]), np.array(r["batch"]), set()
    if r["threads"] > r["baseline_threads"]: words.add("threads")
    if (N * r["threads"] > r["cores"]).any(): words.add("oversubscribed")
    if np.ptp(B / N if r["scaling"] == "weak" else B) > 0: words.add("batch")
    return words

def unsupported(r):
    rows = sorted(zip(r["workers"], r["low"], r["high"], r["batch"]))
    words = set()
    if any(N in r["fitted"] for N in r["held_out"]): words.add("held out")
    if not rows[-1][1] > rows[-2][2]: words.add("gain")
    if any(low > N for N, low, _, _ in rows): words.add("above ideal")
    if len({row[3] for row in rows}) > 1 and not r.get("samples_to_target"): words.add("target")
    return words
""",
        {
            "audit_missing": "",
            "audit_miscounted": "an N is overlooked",
            "audit_unfair": "the report marks all N",
            "audit_unsupported": "a reason is given there",
        },
    ),
    Answer(
        "check_4_audit",
        "wrong: optional ones too; all N; weak and strong mixed up; speedup above N",
        _AUDIT
        + """
def missing(r):
    def empty(v): return v is None or v == [] or (isinstance(v, str) and not v.strip())
    return {n for n in NAMES if empty(r.get(n))}

def miscounted(r):
    N, S, E = (np.array(r[k], float) for k in ("workers", "speedup", "efficiency"))
    return set(N[(abs(E - S / N) > 0.001) | (S < r["low"]) | (S > r["high"])])

def unfair(r):
    N, B, words = np.array(r["workers"]), np.array(r["batch"]), set()
    if r["threads"] > r["baseline_threads"]: words.add("threads")
    crowded = set(N[N * r["threads"] > r["cores"]].tolist()) - {1}
    if crowded - set(r["oversubscribed"]): words.add("oversubscribed")
    if np.ptp(B if r["scaling"] == "weak" else B / N) > 0: words.add("batch")
    return words

def unsupported(r):
    rows = sorted(zip(r["workers"], r["low"], r["high"], r["batch"]))
    words = set()
    if any(N in r["fitted"] for N in r["held_out"]): words.add("held out")
    if not rows[-1][1] > rows[-2][2]: words.add("gain")
    reason = "cache" in r["left_over"] or "allocation" in r["left_over"]
    if any(high > N for N, _, high, _ in rows if N > 1) and not reason: words.add("above ideal")
    if len({row[3] for row in rows}) > 1 and not r.get("samples_to_target"): words.add("target")
    return words
""",
        {
            "audit_missing": "an empty list of these says that there are none",
            "audit_miscounted": "0.01 is allowed",
            "audit_unfair": "the batch for each worker stays",
            "audit_unsupported": "the low end of the interval is not above N",
        },
    ),
    Answer(
        "check_4_audit",
        "wrong: blanks count; no threads; overlap is allowed; a number in the place of a set",
        _AUDIT
        + """
def missing(r): return {n for n in NAMES if n not in MAY and r.get(n) in (None, "", [])}

def miscounted(r): return 3

def unfair(r):
    N, B, words = np.array(r["workers"]), np.array(r["batch"]), set()
    if (N > r["cores"]).any(): words.add("oversubscribed")
    if np.ptp(B / N if r["scaling"] == "weak" else B) > 0: words.add("batch")
    return words

def unsupported(r):
    rows = sorted(zip(r["workers"], r["speedup"], r["high"], r["batch"]))
    words = set()
    if any(N in r["fitted"] for N in r["held_out"]): words.add("held out")
    if rows[-1][1] <= rows[-2][1]: words.add("gain")
    if len({row[3] for row in rows}) > 1 and not r.get("samples_to_target"): words.add("target")
    return words
""",
        {
            "audit_missing": "",
            "audit_miscounted": "must return a set",
            "audit_unfair": "a slow baseline",
            "audit_unsupported": "so no gain is shown",
        },
    ),
]

# ---- 5 a ridge and a diary ---------------------------------------------------------------------

_RIDGE = """
def _left(N, X, s, k):
    z = np.log(X) - np.log(N) + np.log(1 + s * (N - 1) + k * N * (N - 1))
    return z.mean(), z - z.mean()

def _mis(N, X, s, k): return np.sum(_left(N, X, s, k)[1] ** 2)

def _all(N, X, S, K): return np.array([[_mis(N, X, s, k) for k in K] for s in S])

def _allowed(N, X, S, K, d):
    left = _all(N, X, S, K)
    return left <= left.min() + 5.99 * d * d

def _told(N, X, S, K, which, new, first=None):
    out = []
    for i, s in enumerate(S):
        for j, k in enumerate(K):
            if which[i, j]:
                one = np.exp(_left(N, X, s, k)[0]) if first is None else first
                out.append(one * new / (1 + s * (new - 1) + k * new * (new - 1)))
    return out

def _dist(c):
    p = np.ones(1)
    for one in c: p = np.append(p * (1 - one), 0) + np.append(0, p * one)
    return p

def misfit(N, X, s, k): return _mis(N, X, s, k)
def allowed(N, X, S, K, d): return _allowed(N, X, S, K, d)
def guesses(N, X, S, K, d, new):
    told = _told(N, X, S, K, _allowed(N, X, S, K, d), new)
    return min(told), max(told)
def chance_of_fewer(c, hits): return _dist(c)[: hits + 1].sum()
"""

RIDGE = [
    Answer("check_5_ridge", "right: two loops, lists, polynomials", _RIDGE),
    Answer(
        "check_5_ridge",
        "right: all pairs at once, nested lists of 0 and 1, a dictionary of chances",
        """
def _z(N, X, S, K):
    s, k = np.asarray(S)[:, None, None], np.asarray(K)[None, :, None]
    return np.log(X / N * (1 + s * (N - 1) + k * N * (N - 1)))

def misfit(N, X, sigma, kappa): return len(N) * _z(N, X, [sigma], [kappa]).var()

def allowed(N, X, S, K, d):
    left = len(N) * _z(N, X, S, K).var(axis=2)
    return (left - left.min() <= 5.99 * d**2).astype(int).tolist()

def guesses(N, X, S, K, d, new):
    first = np.exp(_z(N, X, S, K).mean(axis=2))
    s, k = np.meshgrid(S, K, indexing="ij")
    told = first * new / (1 + s * (new - 1) + k * new * (new - 1))
    told = told[np.array(allowed(N, X, S, K, d), bool)]
    return [told.min(), told.max()]

def chance_of_fewer(confidences, hits):
    chances = {0: 1.0}
    for c in confidences:
        after = {}
        for held, p in chances.items():
            after[held] = after.get(held, 0) + p * (1 - c)
            after[held + 1] = after.get(held + 1, 0) + p * c
        chances = after
    return sum(p for held, p in chances.items() if held <= hits)
""",
    ),
    Answer(
        "check_5_ridge",
        "wrong: mean of squares; below the level; all pairs; fewer than hits",
        _RIDGE
        + """
def misfit(N, X, s, k): return _mis(N, X, s, k) / len(N)
def allowed(N, X, S, K, d): return _all(N, X, S, K) <= 5.99 * d**2
def guesses(N, X, S, K, d, new):
    told = _told(N, X, S, K, np.ones((len(S), len(K))), new)
    return min(told), max(told)
def chance_of_fewer(c, hits): return _dist(c)[:hits].sum()
""",
        {
            "ridge_misfit": "their sum is asked for",
            "ridge_allowed": "whose misfit is not 0",
            "ridge_guesses": "have no say",
            "diary_chance": "so many hits count with them",
        },
    ),
    Answer(
        "check_5_ridge",
        "wrong: through the first point; spread not squared; the best alone; just so many",
        _RIDGE
        + """
def misfit(N, X, s, k):
    shape = N / (1 + s * (N - 1) + k * N * (N - 1))
    return np.sum(np.log(X / X[0] / shape * shape[0]) ** 2)
def allowed(N, X, S, K, d):
    left = _all(N, X, S, K)
    return left <= left.min() + 5.99 * d
def guesses(N, X, S, K, d, new):
    left = _all(N, X, S, K)
    return 2 * _told(N, X, S, K, left == left.min(), new)
def chance_of_fewer(c, hits): return _dist(c)[hits]
""",
        {
            "ridge_misfit": "through the first point",
            "ridge_allowed": "the square of a standard deviation",
            "ridge_guesses": "says one number",
            "diary_chance": "just so many hits",
        },
    ),
    Answer(
        "check_5_ridge",
        "wrong: X1 is 1; one unknown; X1 of the best pair; the mean confidence",
        _RIDGE
        + """
def misfit(N, X, s, k): return np.sum(np.log(X * (1 + s * (N - 1) + k * N * (N - 1)) / N) ** 2)
def allowed(N, X, S, K, d):
    left = _all(N, X, S, K)
    return left <= left.min() + 3.84 * d**2
def guesses(N, X, S, K, d, new):
    left = _all(N, X, S, K)
    i, j = np.unravel_index(left.argmin(), left.shape)
    told = _told(N, X, S, K, _allowed(N, X, S, K, d), new, np.exp(_left(N, X, S[i], K[j])[0]))
    return min(told), max(told)
def chance_of_fewer(c, hits): return _dist([np.mean(c)] * len(c))[: hits + 1].sum()
""",
        {
            "ridge_misfit": "X1 is not 1",
            "ridge_allowed": "5.99 is for two unknowns",
            "ridge_guesses": "a best X1 of its own",
            "diary_chance": "their mean does not stand for them",
        },
    ),
    Answer(
        "check_5_ridge",
        "wrong: logarithms to the base ten; rows for kappa; highest first; misses",
        _RIDGE
        + """
def misfit(N, X, s, k): return _mis(N, X, s, k) / np.log(10) ** 2
def allowed(N, X, S, K, d): return _allowed(N, X, S, K, d).T
def guesses(N, X, S, K, d, new):
    told = _told(N, X, S, K, _allowed(N, X, S, K, d), new)
    return max(told), min(told)
def chance_of_fewer(c, hits): return _dist([1 - one for one in c])[: hits + 1].sum()
""",
        {
            "ridge_misfit": "to the base e",
            "ridge_allowed": "a column for each kappa",
            "ridge_guesses": "the lowest first",
            "diary_chance": "so many misses",
        },
    ),
    Answer(
        "check_5_ridge",
        "wrong: a root; which are not allowed; one end; more hits",
        _RIDGE
        + """
def misfit(N, X, s, k): return np.sqrt(_mis(N, X, s, k))
def allowed(N, X, S, K, d): return ~_allowed(N, X, S, K, d)
def guesses(N, X, S, K, d, new): return max(_told(N, X, S, K, _allowed(N, X, S, K, d), new))
def chance_of_fewer(c, hits): return _dist(c)[hits + 1 :].sum()
""",
        {
            "ridge_misfit": "the root of the sum",
            "ridge_allowed": "true is for the pairs",
            "ridge_guesses": "an answer has shape",
            "diary_chance": "of more hits",
        },
    ),
]

_SETUP = """
import numpy as np
import torch
import torch.distributed as dist
"""
GROUPS = [
    Group("plain", [*LAWS, *SPLIT, *AUDIT, *RIDGE], setup=_SETUP, every_seed=True),
    Group("ranks", TABLES, setup=_SETUP),
]
