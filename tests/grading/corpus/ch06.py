"""Answers to the exercises on hardware acceleration."""

from corpus.answers import Answer, Group


def _answers(cell, *answers):
    return [Answer(cell, *answer) for answer in answers]


UNITS = _answers(
    "check_1_units",
    (
        "right: through exponents of the kinds, numbers of NumPy",
        """
def converted(value, unit, wanted):
    exponents = {"FLOP/s": (1, 0), "byte/s": (2, 0), "FLOP/J": (3, 0), "J": (4, 0)}
    flipped = {"J/FLOP": "FLOP/J", "s/byte": "byte/s"}
    def base(name, x):
        scale, kind = UNITS[name]
        x = np.float64(x) * scale
        return (flipped[kind], 1 / x) if kind in flipped else (kind, x)
    (kind, x), (other, _) = base(unit, value), base(wanted, 1.0)
    if kind != other:
        return None
    scale, end = UNITS[wanted]
    return (1 / x if end in flipped else x) / scale

def sheet(t, g, w): return np.array([t * 1000 / w, w / t, t * 1000 / g])
""",
    ),
    (
        "wrong: factors alone; tera and giga",
        """
def converted(value, unit, wanted): return value * UNITS[unit][0] / UNITS[wanted][0]
def sheet(t, g, w): return [t / w, w / t, t / g]
""",
        {"converted": "no factor between them", "sheet": "a factor of a thousand is missing"},
    ),
    (
        "wrong: turns round, and refuses nothing; another thousand",
        """
def converted(value, unit, wanted):
    (a, kind), (b, other) = UNITS[unit], UNITS[wanted]
    return 1 / (value * a) / b if kind.split("/")[::-1] == other.split("/") and kind != other \\
        else value * a / b
def sheet(t, g, w): return [t * 1e3 / w, w / t * 1e3, t * 1e3 / g]
""",
        {"converted": "no factor between them", "sheet": "a watt is a joule in each second"},
    ),
    (
        "wrong: refuses the reciprocal; the ridge upside down",
        """
def converted(value, unit, wanted):
    (a, kind), (b, other) = UNITS[unit], UNITS[wanted]
    return value * a / b if kind == other else None
def sheet(t, g, w): return (t * 1e3 / w, w / t, g / (t * 1e3))
""",
        {"converted": "upside down", "sheet": "the ridge is FLOPs for each byte"},
    ),
    (
        "wrong: the reciprocal not turned round; another order",
        """
def converted(value, unit, wanted):
    (a, kind), (b, other) = UNITS[unit], UNITS[wanted]
    return value * a / b if set(kind.split("/")) == set(other.split("/")) else None
def sheet(t, g, w): return [w / t, t * 1e3 / w, t * 1e3 / g]
""",
        {"converted": "upside down", "sheet": "in another order"},
    ),
    (
        "wrong: factors exchanged; a name that is not there",
        """
def converted(value, unit, wanted):
    (a, kind), (b, other) = UNITS[unit], UNITS[wanted]
    if kind == other:
        return value * b / a
    return value * b / a if kind.split("/")[::-1] == other.split("/") else None
def sheet(t, g, w): return peak / w
""",
        {"converted": "the factors are exchanged", "sheet": "sheet stops with NameError"},
    ),
    (
        "wrong: the reciprocal with the factors exchanged; one number",
        """
def converted(value, unit, wanted):
    (a, kind), (b, other) = UNITS[unit], UNITS[wanted]
    if kind == other:
        return value * a / b
    return b / (value * a) if kind.split("/")[::-1] == other.split("/") else None
def sheet(t, g, w): return t * 1e3 / w
""",
        {"converted": "for some hidden pair", "sheet": "an array of shape (3,) is asked for"},
    ),
)

SENTENCES = _answers(
    "check_1_sentences",
    ("right: text", "impossible = 'A, C, E, G'"),
    ("wrong: a unit goes through", "impossible = {'c', 'e', 'g'}", {"impossible": "look at (a)"}),
    (
        "wrong: nobody reaches so much",
        "impossible = set('abceg')",
        {"impossible": "which share of the peak"},
    ),
    (
        "wrong: peak alone",
        "impossible = set('aeg')",
        {"impossible": "how many bytes does one addition move"},
    ),
    (
        "wrong: one image after the other",
        "impossible = set('acdeg')",
        {"impossible": "before the next one begins"},
    ),
    ("wrong: 80 is more than 3", "impossible = set('acg')", {"impossible": "look at (e)"}),
    (
        "wrong: power for energy",
        "impossible = set('acefg')",
        {"impossible": "power is not energy"},
    ),
    ("wrong: watts not worked out", "impossible = set('ace')", {"impossible": "look at (g)"}),
)

OFFLOAD = _answers(
    "check_2_offload",
    (
        "right: by steps, the number found by looking around the break-even point",
        """
def offload_seconds(items, device, moved, latency, inverse_bandwidth):
    there = back = latency + np.asarray(items) * moved / 2 * inverse_bandwidth
    return there + items * device + back

def least_items(host, device, moved, latency, inverse_bandwidth):
    if host <= device + moved * inverse_bandwidth:
        return np.inf
    pays = lambda n: n * (host - device - moved * inverse_bandwidth) > 2 * latency
    low, high = 0, 1
    while not pays(high): high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if pays(middle) else (middle, high)
    return float(high)
""",
    ),
    (
        "wrong: one message; no guard",
        """
def offload_seconds(n, device, moved, a, b): return a + n * (device + moved * b)
def least_items(host, device, moved, a, b):
    return math.floor(2 * a / (host - device - moved * b)) + 1
""",
        {"offload_seconds": "there are two messages", "least_items": "the answer is inf"},
    ),
    (
        "wrong: latency for each item; at least one",
        """
def offload_seconds(n, device, moved, a, b): return n * (2 * a + device + moved * b)
def least_items(host, device, moved, a, b):
    return max(1, math.floor(2 * a / (host - device - moved * b)) + 1)
""",
        {"offload_seconds": "not for each item in it", "least_items": "the answer is inf"},
    ),
    (
        "wrong: bytes twice; rounded up",
        """
def offload_seconds(n, device, moved, a, b): return 2 * (a + n * moved * b) + n * device
def least_items(host, device, moved, a, b):
    saved = host - device - moved * b
    return math.ceil(2 * a / saved) if saved > 0 else math.inf
""",
        {"offload_seconds": "count them once", "least_items": "that is not less yet"},
    ),
    (
        "wrong: bytes of one item; not rounded",
        """
def offload_seconds(n, device, moved, a, b): return 2 * a + moved * b + n * device
def least_items(host, device, moved, a, b):
    saved = host - device - moved * b
    return 2 * a / saved if saved > 0 else math.inf
""",
        {"offload_seconds": "the bytes grow with the items", "least_items": "a whole number of"},
    ),
    (
        "wrong: no transfer; latencies alone",
        """
def offload_seconds(n, device, moved, a, b): return n * device
def least_items(host, device, moved, a, b):
    return math.floor(2 * a / (host - device)) + 1 if host > device else math.inf
""",
        {"offload_seconds": "add up what happens", "least_items": "earned back too"},
    ),
)

WHOLE = _answers(
    "check_2_whole",
    (
        "right: counted out, an array",
        """
def calls_to_pay(n, host, device, moved, a, b, resident):
    before, each = a + resident * b, 2 * a + n * moved * b + n * device
    if each >= n * host:
        return float("inf")
    calls = 1
    while before + calls * each >= calls * n * host:
        calls += 1
    return calls

def whole_speedup(f, k, t): return 1 / np.array([1 - f + f / k + t, 1 - f + t])
""",
    ),
    (
        "wrong: no guard; no transfer",
        """
def calls_to_pay(n, host, device, moved, a, b, resident):
    each = n * host - 2 * a - n * (moved * b + device)
    return math.floor((a + resident * b) / each) + 1
def whole_speedup(f, k, t): return [1 / (1 - f + f / k), 1 / (1 - f)]
""",
        {"calls_to_pay": "the answer is inf", "whole_speedup": "it comes on top"},
    ),
    (
        "wrong: items for nothing; the limit without transfer",
        """
def calls_to_pay(n, host, device, moved, a, b, resident):
    return math.floor((a + resident * b) / (n * (host - device))) + 1
def whole_speedup(f, k, t): return [1 / (1 - f + t + f / k), 1 / (1 - f)]
""",
        {"calls_to_pay": "still moves its own items", "whole_speedup": "into the limit too"},
    ),
    (
        "wrong: weights with every call; a faster link",
        """
def calls_to_pay(n, host, device, moved, a, b, resident):
    each = 3 * a + resident * b + n * (moved * b + device)
    return 1 if each < n * host else math.inf
def whole_speedup(f, k, t): return [1 / (1 - f + (f + t) / k), 1 / (1 - f)]
""",
        {"calls_to_pay": "not with every call", "whole_speedup": "not divided by factor"},
    ),
    (
        "wrong: not rounded; upside down",
        """
def calls_to_pay(n, host, device, moved, a, b, resident):
    each = n * host - 2 * a - n * (moved * b + device)
    return (a + resident * b) / each if each > 0 else math.inf
def whole_speedup(f, k, t): return [1 - f + f / k + t, 1 - f + t]
""",
        {"calls_to_pay": "a whole number of calls", "whole_speedup": "old over new"},
    ),
    (
        "wrong: a division by nothing; one number",
        """
def calls_to_pay(*numbers): return 1 / 0
def whole_speedup(f, k, t): return 1 / (1 - f + t + f / k)
""",
        {
            "calls_to_pay": "stops with ZeroDivisionError",
            "whole_speedup": "an array of shape (2,) is asked for",
        },
    ),
)

_SPEEDUP = """
def chip_speedup(design, s, n, r):
    r = np.asarray(r, dtype=float)
    serial = r ** 0.5
    parallel = {"symmetric": n / serial, "asymmetric": serial + (n - r), "dynamic": n}[design]
    return 1 / (s / serial + (1 - s) / parallel)
"""
_BEST = """
def best_core(design, fractions, n, chip_speedup=chip_speedup):
    rs = [r for r in range(1, n + 1) if n % r == 0 or design != "symmetric"]
    return np.array([max(rs, key=lambda r: chip_speedup(design, s, n, r)) for s in fractions])
"""
_MIX = """
def best_for_mix(fractions, weights, n):
    s = np.dot(fractions, weights) / np.sum(weights)
    return best_core("asymmetric", [s], n)[0]
"""

CHIPS = _answers(
    "check_3_chips",
    ("right: a table, max with a key, the mean serial fraction", _SPEEDUP + _BEST + _MIX),
    (
        "wrong: cores as fast as they are large; cut through; mean of speedups",
        _SPEEDUP
        + """
def asymmetric(s, n, r): return chip_speedup("asymmetric", s, n, r)
right = chip_speedup
def best_core(design, fractions, n):
    cores = np.arange(1, n + 1)
    return [cores[np.argmax(right(design, s, n, cores))] for s in fractions]
def best_for_mix(fractions, weights, n):
    cores = np.arange(1, n + 1)
    means = sum(w * right("asymmetric", s, n, cores) for s, w in zip(fractions, weights))
    return cores[np.argmax(means)]
def chip_speedup(design, s, n, r): return 1 / (s / np.asarray(r) + (1 - s) / n)
""",
        {
            "chip_speedup": "only sqrt(r) times as fast",
            "best_core": "r has to divide n",
            "best_for_mix": "a mean of speedups is no time",
        },
    ),
    (
        "wrong: the large core rests; the speedup; without weights",
        _SPEEDUP
        + _BEST
        + """
right, right_best = chip_speedup, best_core
def best_for_mix(fractions, weights, n):
    cores = np.arange(1, n + 1)
    return cores[np.argmin(sum(1 / right("asymmetric", s, n, cores) for s in fractions))]
def best_core(design, fractions, n):
    best = right_best(design, fractions, n)
    return [float(right(design, s, n, r)) for s, r in zip(fractions, best)]
def chip_speedup(design, s, n, r):
    serial = np.sqrt(r)
    parallel = {"symmetric": n / serial, "asymmetric": n - np.asarray(r), "dynamic": n}[design]
    return 1 / (s / serial + (1 - s) / parallel)
""",
        {
            "chip_speedup": "helps in the parallel part too",
            "best_core": "this is the highest speedup",
            "best_for_mix": "programs count by their weights",
        },
    ),
    (
        "wrong: room for everything; powers of two; a mean of the best",
        _SPEEDUP
        + _BEST
        + """
right, right_best = chip_speedup, best_core
def best_for_mix(fractions, weights, n):
    return np.dot(right_best("asymmetric", fractions, n), weights) / sum(weights)
def best_core(design, fractions, n):
    cores = 2 ** np.arange(int(np.log2(n)) + 1)
    return [cores[np.argmax(right(design, s, n, cores))] for s in fractions]
def chip_speedup(design, s, n, r):
    serial = np.sqrt(r)
    parallel = {"symmetric": n / serial, "asymmetric": serial + n, "dynamic": n}[design]
    return 1 / (s / serial + (1 - s) / parallel)
""",
        {
            "chip_speedup": "n - r small ones are left",
            "best_core": "not the powers of two alone",
            "best_for_mix": "is the best for none",
        },
    ),
    (
        "wrong: slow cores, many; counted from 0; a rounded mean of the best",
        _SPEEDUP
        + _BEST
        + """
right, right_best = chip_speedup, best_core
def best_for_mix(fractions, weights, n):
    return round(np.dot(right_best("asymmetric", fractions, n), weights) / sum(weights))
def best_core(design, fractions, n):
    return [np.argmax(right(design, s, n, np.arange(1, n + 1))) for s in fractions]
def chip_speedup(design, s, n, r):
    serial, r = np.sqrt(r), np.asarray(r)
    parallel = {"symmetric": n / r, "asymmetric": serial + n - r, "dynamic": n}[design]
    return 1 / (s / serial + (1 - s) / parallel)
""",
        {
            "chip_speedup": "each of the n / r cores",
            "best_core": "the place in the list",
            "best_for_mix": "is the best for none",
        },
    ),
    (
        "wrong: dynamic as asymmetric; the worst core; the fastest program",
        _SPEEDUP
        + """
right = chip_speedup
def best_core(design, fractions, n):
    cores = np.arange(1, n + 1)
    return [cores[np.argmin(right(design, s, n, cores))] for s in fractions]
def best_for_mix(fractions, weights, n): return None
def chip_speedup(design, s, n, r):
    return right("asymmetric" if design == "dynamic" else design, s, n, r)
""",
        {
            "chip_speedup": "all n units do parallel work",
            "best_core": "try every core",
            "best_for_mix": "not written yet",
        },
    ),
    (
        "wrong: serial work on a small core; the units for all; a loop over a number",
        _SPEEDUP
        + """
def best_core(design, fractions, n): return [n for s in fractions]
def best_for_mix(fractions, weights, n): return min(s * w for s in fractions for w in weights)
right = chip_speedup
def chip_speedup(design, s, n, r):
    serial, r = np.sqrt(r), np.asarray(r)
    parallel = {"symmetric": n / serial, "asymmetric": serial + n - r, "dynamic": n}[design]
    return 1 / (s + (1 - s) / (parallel + 0 * r))
""",
        {
            "chip_speedup": "the serial part runs on the large core",
            "best_core": "try every core",
            "best_for_mix": "",
        },
    ),
)

_FLOOR = """
def split(batch, seconds):
    speeds = 1 / np.array(seconds)
    shares = np.floor(batch * speeds / speeds.sum()).astype(int)
"""
_NOT_WHOLE = "counts once the shares are whole numbers"

SPLIT = _answers(
    "check_4_split",
    (
        "right: the least time found by trying, the rest taken off",
        """
def split(batch, seconds):
    ends = sorted(n * s for s in seconds for n in range(batch + 1))
    most = next(t for t in ends if sum(int(t / s * (1 + 1e-12)) for s in seconds) >= batch)
    shares = [int(most / s * (1 + 1e-12)) for s in seconds]
    for place in range(len(shares)):
        shares[place] -= min(shares[place], max(0, sum(shares) - batch))
    return tuple(shares)
""",
    ),
    (
        "right: rounded down, the rest to who would end first, an array",
        _FLOOR
        + """
    while shares.sum() < batch:
        shares[np.argmin((shares + 1) * seconds)] += 1
    return shares
""",
    ),
    (
        "right: whole numbers as floats",
        """
import heapq
def split(batch, seconds):
    line, shares = [(s, k) for k, s in enumerate(seconds)], np.zeros(len(seconds))
    heapq.heapify(line)
    for _ in range(batch):
        end, k = heapq.heappop(line)
        shares[k] += 1
        heapq.heappush(line, (end + seconds[k], k))
    return shares
""",
    ),
    (
        "wrong: the largest rest",
        _FLOOR
        + """
    rest = batch * speeds / speeds.sum() - shares
    shares[np.argsort(-rest)[: batch - shares.sum()]] += 1
    return shares
""",
        {"split_best": "who would end first with one more"},
    ),
    (
        "wrong: equal shares",
        """
def split(batch, seconds):
    N = len(seconds)
    return [batch // N + (k < batch % N) for k in range(N)]
""",
        {"split_near": "these are equal shares", "split_best": "these are equal shares"},
    ),
    (
        "wrong: in proportion to seconds",
        """
def split(batch, seconds):
    shares = [int(batch * s / sum(seconds)) for s in seconds]
    shares[0] += batch - sum(shares)
    return shares
""",
        {"split_near": "the slowest worker gets the most", "split_best": "the slowest worker gets"},
    ),
    (
        "wrong: all to the fastest",
        """
def split(batch, seconds):
    shares = [0] * len(seconds)
    shares[int(np.argmin(seconds))] = batch
    return shares
""",
        {"split_near": "ends later than it must", "split_best": "ends later than it must"},
    ),
    (
        "wrong: rounded one by one",
        _FLOOR.replace("np.floor", "np.round") + "    return shares\n",
        {"split_near": "do not make up the batch", "split_best": _NOT_WHOLE},
    ),
    (
        "wrong: parts of a sample",
        "def split(batch, seconds):\n"
        "    speeds = 1 / np.array(seconds)\n"
        "    return batch * speeds / speeds.sum()",
        {"split_near": "is not a whole number", "split_best": _NOT_WHOLE},
    ),
    (
        "wrong: a negative share",
        "def split(batch, seconds): return [batch + len(seconds) - 1] + [-1] * (len(seconds) - 1)",
        {"split_near": "below 0", "split_best": _NOT_WHOLE},
    ),
    (
        "wrong: the time in place of the shares",
        "def split(batch, seconds): return batch / sum(1 / s for s in seconds)",
        {"split_near": "one number for each worker", "split_best": _NOT_WHOLE},
    ),
)

_HEAD = """
def train(model, inputs, targets, shares, steps, rate):
    r, P = dist.get_rank(), list(model.parameters())
    x, y = inputs.split(shares)[r], targets.split(shares)[r]
    for _ in range(steps):
        for p in P: p.grad = None
        loss = torch.nn.functional.mse_loss(model(x), y)
        (loss * WEIGHT).backward()
"""
_SUM = """
        row = torch.nn.utils.parameters_to_vector([p.grad for p in P])
        dist.all_reduce(row)
        torch.nn.utils.vector_to_parameters(row, [p.grad for p in P])
"""
_STEP = "        for p in P: p.data -= rate * p.grad\n"
_GUARD = _HEAD.replace("mse_loss(model(x), y)", "mse_loss(model(x), y, reduction='sum')").replace(
    "WEIGHT", "1 / targets.numel()"
)


def _lost(hint, later="once the parameters are those of one worker"):
    return {"uneven_same": hint} | dict.fromkeys(
        ("uneven_none", "uneven_own", "uneven_sums"), later
    )


def _weighted(weight):
    return _HEAD.replace("WEIGHT", weight) + _SUM + _STEP


TRAIN = _answers(
    "check_4_train",
    ("right: the sum over the share", _GUARD + _SUM + _STEP),
    (
        "right: in pieces, the loss rides along, an optimiser, other rows of the batch",
        """
def train(model, inputs, targets, shares, steps, rate):
    r, N = dist.get_rank(), len(inputs)
    rows = torch.arange(N).flip(0).split(shares)[r]
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    P = list(model.parameters())
    for _ in range(steps):
        for p in P: p.grad = torch.zeros_like(p)
        told = torch.zeros(1, dtype=torch.float64)
        for some in rows.split(4):
            if len(some):
                loss = ((model(inputs[some]) - targets[some]) ** 2).mean(1).sum() / N
                loss.backward()
                told += loss.detach()
        row = torch.cat([told] + [p.grad.reshape(-1) for p in P])
        dist.all_reduce(row)
        start = 1
        for p in P:
            p.grad = row[start : start + p.numel()].view(p.shape).clone()
            start += p.numel()
        optimizer.step()
""",
    ),
    (
        "right: the mean of a share, weighted: of no samples it is no number, its gradient is 0",
        _weighted("shares[r] / sum(shares)"),
    ),
    (
        "wrong: gradients of the sum, divided by the share and weighted afterwards",
        _GUARD.replace("1 / targets.numel()", "1 / targets.shape[1]")
        + "        for p in P: p.grad = p.grad / len(x) * (shares[r] / sum(shares))\n"
        + _SUM
        + _STEP,
        {"uneven_none": "was divided by"},
    ),
    (
        "wrong: no backward pass without samples",
        _GUARD.replace("        (loss", "        if len(x): (loss") + _SUM + _STEP,
        {"uneven_none": "train stops with AttributeError"},
    ),
    (
        "wrong: the plain mean over the ranks",
        _weighted("1 / len(shares)"),
        _lost("whatever its share"),
    ),
    ("wrong: the means are summed", _weighted("1.0"), _lost("the means of the shares are summed")),
    (
        "wrong: the sum over the outputs, too",
        _GUARD.replace("targets.numel()", "len(targets)") + _SUM + _STEP,
        _lost("as many times as the model has outputs"),
    ),
    ("wrong: weighted, not divided", _weighted("shares[r]"), _lost("not divided by the batch")),
    (
        "wrong: weighted, and the mean over the ranks",
        _weighted("shares[r] / sum(shares) / len(shares)"),
        _lost("do not divide by the number of ranks"),
    ),
    (
        "wrong: each trains alone",
        _HEAD.replace("WEIGHT", "1") + _STEP,
        _lost("each rank trains alone"),
    ),
    ("wrong: no step is taken", _GUARD + _SUM, _lost("no step was taken")),
    (
        "wrong: only rank 0 gets the sum",
        _GUARD + _SUM.replace("dist.all_reduce(row)", "dist.reduce(row, 0)") + _STEP,
        _lost("every rank needs the same"),
    ),
    (
        "wrong: equal parts of the batch",
        _GUARD.replace(".split(shares)[r]", ".chunk(len(shares))[0]") + _SUM + _STEP,
        _lost("differ from those of one worker"),
    ),
    (
        "wrong: a name that is not there",
        _GUARD.replace("shares)[r]", "share)[r]") + _SUM + _STEP,
        _lost("train stops with NameError", "train stops with NameError"),
    ),
    (
        "wrong: the whole batch on each rank, and the mean of what is the same",
        _GUARD.replace(".split(shares)[r]", "").replace("numel()", "numel() / len(shares)")
        + _SUM
        + _STEP,
        {"uneven_own": "nothing is shared out"},
    ),
    (
        "wrong: shares of other ranks",
        _GUARD.replace(".split(shares)[r]", ".split(shares[::-1])[r]") + _SUM + _STEP,
        {"uneven_own": "have gone to other ranks"},
    ),
    (
        "wrong: once more through the model for the loss",
        _GUARD + _SUM + _STEP + "        last = ((model(x) - y) ** 2).sum().item()\n",
        {"uneven_own": "more or fewer samples through the model"},
    ),
    (
        "wrong: a message for each parameter",
        _GUARD + "        for p in P: dist.all_reduce(p.grad)\n" + _STEP,
        {"uneven_sums": "more than one all-reduce in a step"},
    ),
    (
        "wrong: gathered",
        _GUARD
        + _SUM.replace(
            "dist.all_reduce(row)",
            "all_rows = [torch.empty_like(row) for _ in shares]; "
            "dist.all_gather(all_rows, row); row = sum(all_rows)",
        )
        + _STEP,
        {"uneven_sums": "another call than all_reduce"},
    ),
    (
        "wrong: more is summed than is needed",
        _GUARD
        + _SUM.replace(
            "dist.all_reduce(row)",
            "two = torch.cat([row, row]); dist.all_reduce(two); row = two[: len(row)]",
        )
        + _STEP,
        {"uneven_sums": "larger than the gradients are"},
    ),
    (
        "wrong: a rank without samples sends nothing",
        _GUARD.replace("    for _ in range(steps):", "    for _ in range(steps * (len(x) > 0)):")
        + _SUM
        + _STEP,
        {"uneven_none": "a rank with few samples or none"},
    ),
)

AUDIT = _answers(
    "check_5_audit",
    (
        "right: lists and capitals, the two bounds apart",
        """
def missing(sentence):
    wanted = [*ALWAYS]
    for metric, facts in ALSO.items():
        if sentence.get("metric") == metric:
            wanted.extend(facts)
    return [fact.upper() for fact in wanted if not sentence.get(fact)]

def part_bound(peak, bandwidth, intensity, reached):
    below = np.asarray(intensity) < peak / bandwidth
    return np.where(below, bandwidth * np.asarray(intensity), peak) / reached
""",
    ),
    (
        "wrong: empty is stated; the peak",
        """
def missing(s): return {*ALWAYS, *ALSO.get(s.get("metric"), ())} - s.keys()
def part_bound(p, b, i, r): return p / r * np.ones_like(i)
""",
        {"missing": "is not stated", "part_bound": "has to feed it"},
    ),
    (
        "wrong: the same for every metric; memory alone",
        """
def missing(s): return {f for f in ALWAYS if not s.get(f)}
def part_bound(p, b, i, r): return b * i / r
""",
        {"missing": "some metrics need more", "part_bound": "faster than the peak"},
    ),
    (
        "wrong: what any metric needs; the larger",
        """
def missing(s): return {f for f in ALWAYS + sum(ALSO.values(), ()) if not s.get(f)}
def part_bound(p, b, i, r): return np.maximum(p, b * i) / r
""",
        {"missing": "not for what other metrics need", "part_bound": "the smaller one"},
    ),
    (
        "wrong: what is stated; upside down",
        """
def missing(s): return {f for f in (*ALWAYS, *ALSO.get(s.get("metric"), ())) if s.get(f)}
def part_bound(p, b, i, r): return r / np.minimum(p, b * i)
""",
        {"missing": "these are the facts that are stated", "part_bound": "new over old"},
    ),
    (
        "wrong: a number of facts; the rate",
        """
def missing(s): return sum(not s.get(f) for f in ALWAYS)
def part_bound(p, b, i, r): return np.minimum(p, b * i)
""",
        {"missing": "must return a set of words", "part_bound": ""},
    ),
    (
        "wrong: no sentence lacks a metric; one too many",
        """
def missing(s): return {f for f in (*ALWAYS, *ALSO[s["metric"]]) if not s.get(f)}
def part_bound(p, b, i, r): return min(p, b * i) / r
""",
        {"missing": "missing stops with KeyError", "part_bound": "stops with ValueError on some"},
    ),
    (
        "wrong: always the metric's own too; None",
        """
def missing(s): return {"power", *(f for f in ALWAYS if not s.get(f))}
def part_bound(p, b, i, r): return None
""",
        {"missing": "the words are others", "part_bound": "not written yet"},
    ),
)

_AUDIT_SETUP = """
def missing(s): return {f for f in (*ALWAYS, *ALSO.get(s.get("metric"), ())) if not s.get(f)}
def bound(s):
    rates = [s["peak"]] if "peak" in s else []
    rates += [s["bandwidth"] * s["intensity"]] if {"bandwidth", "intensity"} <= s.keys() else []
    rest = s["reached"] / min(rates) if rates and "reached" in s else 0.0
    f = s.get("fraction", 1)
    new = 1 - f + f * rest
    return 1 / new if new else np.inf
"""

VERDICT = _answers(
    "check_5_verdict",
    (
        "right: the new time, nothing where nothing bounds it",
        _AUDIT_SETUP
        + """
whole_bound = bound
def verdict(s):
    if s["factor"] > bound(s): return "impossible"
    return "possible" if missing(s) == set() else "unsupported"
""",
    ),
    (
        "wrong: the part alone; what is missing first",
        _AUDIT_SETUP
        + """
def whole_bound(s): return bound({k: v for k, v in s.items() if k != "fraction"})
def verdict(s):
    if missing(s): return "unsupported"
    return "impossible" if s["factor"] > bound(s) else "possible"
""",
        {"whole_bound": "Amdahl's law comes on top", "verdict": "look at the bound first"},
    ),
    (
        "wrong: inf without the old rate; never unsupported",
        _AUDIT_SETUP
        + """
def whole_bound(s): return bound(s) if "reached" in s else math.inf
def verdict(s): return "impossible" if s["factor"] > bound(s) else "possible"
""",
        {"whole_bound": "a fraction alone bounds", "verdict": "nobody can check it"},
    ),
    (
        "wrong: no memory; the bound of the part",
        _AUDIT_SETUP
        + """
def whole_bound(s): return bound({k: v for k, v in s.items() if k != "bandwidth"})
def verdict(s):
    if s["factor"] > bound({k: v for k, v in s.items() if k != "fraction"}): return "impossible"
    return "unsupported" if missing(s) else "possible"
""",
        {"whole_bound": "where bandwidth and intensity", "verdict": "the bound of the whole"},
    ),
    (
        "wrong: the old one reached the new one's peak; never possible",
        _AUDIT_SETUP
        + """
def whole_bound(s): return bound({"reached": s["peak"]} | s if "peak" in s else s)
def verdict(s): return "impossible" if s["factor"] > bound(s) else "unsupported"
""",
        {"whole_bound": "no ratio of peaks", "verdict": "leaves nothing out"},
    ),
    (
        "wrong: everything is stated; other words",
        _AUDIT_SETUP
        + """
def whole_bound(s):
    k = min(s["peak"], s["bandwidth"] * s["intensity"]) / s["reached"]
    return 1 / (1 - s["fraction"] + s["fraction"] / k)
def verdict(s): return s["factor"] <= bound(s)
""",
        {"whole_bound": "stops with KeyError on some", "verdict": ""},
    ),
    (
        "wrong: no bound where something is missing; nothing",
        _AUDIT_SETUP
        + """
def whole_bound(s):
    names = {"peak", "bandwidth", "intensity", "reached", "fraction"}
    return bound(s) if names <= s.keys() else math.inf
def verdict(s): return
""",
        {"whole_bound": "", "verdict": "not written yet"},
    ),
)

_SETUP = """
import math
import numpy as np
import torch
import torch.distributed as dist

UNITS = {
    "GFLOP/s": (1e9, "FLOP/s"), "TFLOP/s": (1e12, "FLOP/s"), "PFLOP/s": (1e15, "FLOP/s"),
    "GB/s": (1e9, "byte/s"), "Gbit/s": (1e9 / 8, "byte/s"), "ns/byte": (1e-9, "s/byte"),
    "GFLOP/s/W": (1e9, "FLOP/J"), "TFLOP/s/W": (1e12, "FLOP/J"), "pJ/FLOP": (1e-12, "J/FLOP"),
    "MJ": (1e6, "J"), "kWh": (3.6e6, "J"),
}
ALWAYS = ("metric", "baseline", "workload", "precision", "batch")
ALSO = {"energy": ("power",), "latency": ("percentile",), "time to train": ("target", "seeds")}
"""
GROUPS = [
    Group(
        "plain",
        [*UNITS, *SENTENCES, *OFFLOAD, *WHOLE, *CHIPS, *SPLIT, *AUDIT, *VERDICT],
        setup=_SETUP,
        every_seed=True,
    ),
    Group("ranks", TRAIN, setup=_SETUP),
]
