"""Answers to the exercises on what deep learning computes."""

from corpus.answers import Answer, Group

# 1 count a model ----------------------------------------------------------------------------------

_LAYERS = """
def learned(kind, sizes):
    shapes = {
        "dense": lambda i, o: [(i, o), (o,)],
        "embedding": lambda e, f: [(e, f)],
        "convolution": lambda i, o, k, s: [(o, i, k, k), (o,)],
        "depthwise": lambda c, k, s: [(c, 1, k, k), (c,)],
        "attention": lambda f, h: [(f, f), (f,)] * 4,
    }
    return shapes[kind](*sizes)

def layer_counts(layer, samples, places):
    kind, sizes = layer[0], layer[1:]
    shapes = learned(kind, sizes)
    flops = 0
    if kind != "embedding":
        flops = sum(2 * math.prod(shape) for shape in shapes if len(shape) > 1) * samples * places
    if kind == "attention":
        for head in range(sizes[1]):
            flops += 2 * (2 * samples * places * places * (sizes[0] // sizes[1]))
    return [sum(map(math.prod, shapes)), flops]
"""


def _counts(simple: str = "", convolution: str = "", attention: str = "") -> dict[str, str]:
    """Hints of the items that lose; an item without a hint is right."""
    named = {"dense": simple, "convolution": convolution, "attention": attention}
    return {f"count_{name}": hint for name, hint in named.items() if hint}


LAYERS = [
    Answer("check_1_layers", "right: from the shapes of what is learned", _LAYERS),
    Answer(
        "check_1_layers",
        "wrong: multiply-adds",
        _LAYERS.replace(
            "return [sum(map(math.prod, shapes)), flops]",
            "return sum(map(math.prod, shapes)), flops / 2",
        ),
        _counts(*["counts the pair once"] * 3),
    ),
    Answer(
        "check_1_layers",
        "wrong: no biases",
        _LAYERS.replace(", (o,)", "").replace(", (c,)", "").replace(", (f,)", ""),
        _counts(*["each output has a bias"] * 2, "each of the four projections has a bias"),
    ),
    Answer(
        "check_1_layers",
        "wrong: an embedding multiplies; depthwise counts all pairs; no scores",
        _LAYERS.replace("(c, 1, k, k)", "(c, c, k, k)")
        .replace('kind != "embedding"', "True")
        .replace("range(sizes[1])", "range(0)"),
        _counts("an embedding is a look-up", "only itself", "the scores and the weighted sums"),
    ),
    Answer(
        "check_1_layers",
        "wrong: places forgotten; the stride once more; scores alone",
        _LAYERS
        + """
right = layer_counts
def layer_counts(layer, samples, places):
    if layer[0] in ("dense", "embedding"):
        return right(layer, samples, 1)
    learned, flops = right(layer, samples, places)
    if layer[0] == "attention":
        return learned, flops - 2 * samples * places**2 * layer[1]
    return learned, flops / layer[-1] ** 2
""",
        _counts("once at every place", "the stride is in them already", "a second one"),
    ),
    Answer(
        "check_1_layers",
        "wrong: one sample; the places of the input; every head with all features",
        _LAYERS.replace("(sizes[0] // sizes[1])", "sizes[0]")
        + """
right = layer_counts
def layer_counts(layer, samples, places):
    if layer[0] in ("dense", "embedding"):
        return right(layer, 1, places)
    if layer[0] == "attention":
        return right(layer, samples, places)
    return right(layer, samples, places * layer[-1] ** 2)
""",
        _counts("of all samples together", "that the stride skips", "the number of heads cancels"),
    ),
    Answer(
        "check_1_layers",
        "wrong: a row of the kernel; three projections",
        _LAYERS.replace("k, k)", "k)").replace("* 4,", "* 3,"),
        _counts("", "a kernel is a square", "the fourth projection is missing"),
    ),
]
_LAYERS_FIRST = _LAYERS

TRAINING = [
    Answer(
        "check_1_training",
        "right: a loop with a place",
        _LAYERS_FIRST
        + """
def training_flops(model, samples):
    ahead = back = 0
    for place, (layer, places) in enumerate(model):
        _, flops = layer_counts(layer, samples, places)
        ahead += flops
        back += flops if place == 0 else 2 * flops
    return np.array([ahead, back])
""",
    ),
    *(
        Answer(
            "check_1_training",
            f"wrong: {name}",
            _LAYERS_FIRST
            + f"""
def training_flops(model, samples):
    each = [layer_counts(layer, samples, places)[1] for layer, places in model]
    total = sum(each)
    return total, {backward}
""",
            {"training_flops": hint},
        )
        for name, backward, hint in (
            ("twice for every layer", "2 * total", "nobody changes the data"),
            ("once for every layer", "total", "two products for each one"),
            ("the forward pass once more", "3 * total - each[0]", "without the forward pass"),
            ("nothing for the first", "2 * (total - each[0])", "is spared the gradient of its"),
            (
                "the first that multiplies is spared",
                "2 * total - next(one for one in each if one)",
                "has to hand a gradient back",
            ),
        )
    ),
    Answer(
        "check_1_training",
        "wrong: one number",
        _LAYERS_FIRST
        + "def training_flops(model, n): return sum(layer_counts(a, n, b)[1] for a, b in model)",
        {"training_flops": "shape"},
    ),
]

_KEPT = """
def kept(layer, places):
    kind, *sizes = layer
    match kind:
        case "embedding":
            return 8 * places
        case "dense":
            numbers = places * sizes[0]
        case "attention":
            numbers = places * (5 * sizes[0] + sizes[1] * places)
        case "convolution" | "depthwise":
            numbers = places * sizes[-1] ** 2 * sizes[0]
    return 4 * numbers

def activation_bytes(model, samples):
    return samples * sum(kept(*pair) for pair in model)
"""

MEMORY = [
    Answer("check_1_memory", "right: numbers first, bytes last", _KEPT),
    Answer(
        "check_1_memory",
        "wrong: outputs",
        _KEPT.replace(
            "    kind, *sizes = layer\n",
            """    kind, *sizes = layer
    index = 0 if kind in ("depthwise", "attention") else 1
    return 4 * places * sizes[index]
""",
        ),
        {"activation_bytes": "its input, not its output"},
    ),
    *(
        Answer(
            "check_1_memory", f"wrong: {name}", _KEPT.replace(old, new), {"activation_bytes": hint}
        )
        for name, old, new, hint in (
            ("no weights of attention", "+ sizes[1] * places)", ")", "keeps its weights too"),
            ("one head", "+ sizes[1] * places)", "+ places)", "its own square"),
            ("input only", "5 * sizes[0] + sizes[1] * places", "sizes[0]", "keeps five things"),
            ("no stride", " * sizes[-1] ** 2", "", "four times the places"),
            ("small numbers", "8 * places", "4 * places", "whole numbers of 8 bytes"),
            (
                "the data are there anyway",
                "for pair in model",
                "for pair in model[1:]",
                "the first layer keeps its input as well",
            ),
            ("one sample", "return samples *", "return", "another number of bytes"),
        )
    ),
    Answer(
        "check_1_memory",
        "wrong: weights too",
        _LAYERS_FIRST
        + _KEPT
        + """
right = activation_bytes
def activation_bytes(model, samples):
    return right(model, samples) + 4 * sum(layer_counts(a, 1, 1)[0] for a, _ in model)
""",
        {"activation_bytes": "activations only"},
    ),
]

# 2 exponents --------------------------------------------------------------------------------------

_EXPONENT = """
def exponent(sizes, seconds):
    return np.mean([stats.linregress(np.log2(sizes), np.log2(row)).slope for row in seconds])
"""
_INTERVAL = """
def exponent_interval(sizes, seconds):
    slopes = [np.polyfit(np.log(sizes), np.log(row), 1)[0] for row in seconds]
    return stats.t.interval(0.95, len(slopes) - 1, np.mean(slopes), stats.sem(slopes))
"""
_SLOPES = "    v = np.polyfit(np.log(x), np.log(t).T, 1)[0]\n    R = len(v)\n"


def _exponents(name: str, value: str, ends: str, hints: tuple[str, str]) -> Answer:
    return Answer(
        "check_2_exponent",
        f"wrong: {name}",
        f"def exponent(x, t):\n    return {value}\n"
        f"def exponent_interval(x, t):\n{_SLOPES}    return {ends}\n",
        dict(zip(("exponent", "exponent_interval"), hints, strict=True)),
    )


def _plus_minus(half: str) -> str:
    return f"v.mean() - ({half}), v.mean() + ({half})"


_STUDENT = "stats.t.ppf(0.975, R - 1)"
EXPONENT = [
    Answer("check_2_exponent", "right: other logarithms, other functions", _EXPONENT + _INTERVAL),
    Answer(
        "check_2_exponent",
        "right: an interval of the package turned to account",
        """
def slopes(x, t):
    x = np.log(x) - np.log(x).mean()
    return [x @ np.log(row) / (x @ x) for row in t]

def exponent(x, t):
    return mean_time_interval(np.exp(slopes(x, t))).estimate and np.mean(slopes(x, t))

def exponent_interval(x, t):
    typical = mean_time_interval(np.exp(slopes(x, t)))
    return [math.log(typical.low), math.log(typical.high)]
""",
    ),
    _exponents(
        "no logarithms; normal distribution",
        "np.polyfit(x, np.mean(t, axis=0), 1)[0]",
        _plus_minus("1.96 * v.std(ddof=1) / R**0.5"),
        ("both axes are logarithmic", "1.96 is for very many rounds"),
    ),
    _exponents(
        "one logarithm; the spread of one round",
        "np.mean([np.polyfit(x, np.log(row), 1)[0] for row in t])",
        _plus_minus(f"{_STUDENT} * v.std(ddof=1)"),
        ("only the times are in logarithms", "closer by sqrt(R)"),
    ),
    _exponents(
        "axes exchanged; numpy's own std",
        "np.mean([np.polyfit(np.log(row), np.log(x), 1)[0] for row in t])",
        _plus_minus(f"{_STUDENT} * v.std() / R**0.5"),
        ("the axes are exchanged", "ddof=1"),
    ),
    _exponents(
        "ends only; the extremes",
        "np.mean([math.log(row[-1] / row[0]) for row in t]) / math.log(x[-1] / x[0])",
        "v.min(), v.max()",
        ("the smallest and the largest size alone", "the extremes of the rounds"),
    ),
    _exponents(
        "mean of the times; percentiles",
        "np.polyfit(np.log(x), np.log(np.mean(t, axis=0)), 1)[0]",
        "np.percentile(v, 2.5), np.percentile(v, 97.5)",
        ("ruled by the slowest rounds", "percentiles of so few slopes"),
    ),
    _exponents(
        "the first round; a normal quantile",
        "np.polyfit(np.log(x), np.log(t[0]), 1)[0]",
        _plus_minus("stats.norm.ppf(0.975) * v.std(ddof=1) / R**0.5"),
        ("give other exponents", "1.96 is for very many rounds"),
    ),
    Answer(
        "check_2_exponent",
        "wrong: all points in one fit",
        """
def exponent(x, t):
    return stats.linregress(np.tile(np.log(x), len(t)), np.log(t).ravel()).slope

def exponent_interval(x, t):
    fit = stats.linregress(np.tile(np.log(x), len(t)), np.log(t).ravel())
    half = stats.t.ppf(0.975, np.size(t) - 2) * fit.stderr
    return fit.slope - half, fit.slope + half
""",
        {"exponent_interval": "the drift from round to round for noise"},
    ),
]

_READING = """
def reading(sizes, seconds):
    low, high = exponent_interval(sizes, seconds)
    held = tuple(power for power in (1, 2) if low <= power <= high)
    return {(1,): "linear", (2,): "quadratic", (1, 2): "open", (): "neither"}[held]
"""
READING = [
    Answer("check_2_reading", "right: a table", _EXPONENT + _INTERVAL + _READING),
    *(
        Answer(
            "check_2_reading",
            f"wrong: {name}",
            _EXPONENT
            + _INTERVAL
            + _READING
            + f"right = reading\ndef reading(x, t):\n    a = exponent(x, t)\n    return {word}",
            {"reading": hint},
        )
        for name, word, hint in (
            ("rounded", '"quadratic" if a >= 1.5 else "linear"', "the nearest whole number"),
            (
                "never open",
                'right(x, t) if right(x, t) != "open" else "quadratic" if a > 1.5 else "linear"',
                "and the answer is open",
            ),
            (
                "a fixed distance",
                '"linear" if abs(a - 1) < 0.25 else "quadratic" if abs(a - 2) < 0.25'
                ' else "neither"',
                "how close is close enough",
            ),
            (
                "open where neither",
                'right(x, t).replace("neither", "open")',
                "the times exclude both",
            ),
            ("a number", "a", ""),
        )
    ),
]

LOCAL = [
    Answer(
        "check_2_local",
        "right: two lengths close to each other",
        """
def local_exponent(n, f):
    flops = lambda n: 8 * n * f**2 + 4 * n**2 * f
    return math.log(flops(n * 1.0001) / flops(n / 1.0001)) / math.log(1.0001**2)
""",
    ),
    Answer(
        "check_2_local",
        "right: by hand",
        "local_exponent = lambda sequence, features: 1 + sequence / (2 * features + sequence)",
    ),
    *(
        Answer(
            "check_2_local",
            f"wrong: {name}",
            f"def local_exponent(n, f):\n    return {value}",
            {"local_exponent": hint},
        )
        for name, value, hint in (
            ("two", "2", "very long sequences only"),
            ("the share", "n / (2 * f + n)", "the linear part has an exponent as well"),
            ("the derivative", "8 * f**2 + 8 * n * f", "an exponent has no unit"),
            (
                "from the origin",
                "math.log(8 * n * f**2 + 4 * n**2 * f) / math.log(n) if n > 1 else math.inf",
                "a line from the origin",
            ),
            ("a jump", "1 if n < 2 * f else 2", "does not jump"),
            ("the wrong way round", "1 + 2 * f / (2 * f + n)", "give other exponents"),
        )
    ),
]

# 3 an input pipeline ------------------------------------------------------------------------------

_PIECES = """
def my_batches(samples, batch, epoch, seed, rank, workers):
    order = np.random.default_rng(1000 * seed + epoch).permutation(samples).tolist()
    steps = []
    for start in range(0, samples, batch):
        steps.append(order[start : start + batch][rank::workers])
    return steps
"""
_LATER = "counts once every sample is loaded once"


def _uncovered(name: str, code: str, hint: str) -> Answer:
    return Answer(
        "check_3_pieces", f"wrong: {name}", code, {"pieces_cover": hint, "pieces_order": _LATER}
    )


PIECES = [
    Answer("check_3_pieces", "right: lists, every N-th of a batch", _PIECES),
    Answer(
        "check_3_pieces",
        "right: a generator of torch",
        """
def my_batches(samples, batch, epoch, seed, rank, workers):
    shuffled = torch.randperm(samples, generator=torch.Generator().manual_seed(seed * 97 + epoch))
    return [one.tensor_split(workers)[rank] for one in shuffled.split(batch)]
""",
    ),
    _uncovered(
        "every rank loads everything",
        _PIECES.replace("[rank::workers]", ""),
        "take only this rank's piece",
    ),
    _uncovered(
        "each rank shuffles for itself",
        _PIECES.replace("(1000 * seed + epoch)", "()"),
        "does every rank cut the same order",
    ),
    _uncovered(
        "the rest is dropped",
        _PIECES.replace("range(0, samples, batch)", "range(0, samples - batch + 1, batch)"),
        "samples are left out",
    ),
    _uncovered(
        "filled up",
        _PIECES.replace("    steps = []", "    order += order[: -samples % batch]\n    steps = []"),
        "samples come twice",
    ),
    _uncovered(
        "the last rank takes the rest",
        """
def my_batches(samples, batch, epoch, seed, rank, workers):
    order = np.random.default_rng([seed, epoch]).permutation(samples)
    steps = []
    for start in range(0, samples, batch):
        one = order[start : start + batch]
        size = len(one) // workers
        steps.append(one[rank * size : len(one) if rank == workers - 1 else (rank + 1) * size])
    return steps
""",
        "differ by more than one sample",
    ),
    _uncovered(
        "a batch for each rank",
        """
def my_batches(samples, batch, epoch, seed, rank, workers):
    mine = np.random.default_rng([seed, epoch]).permutation(samples)[rank::workers]
    return [mine[start : start + batch] for start in range(0, len(mine), batch)]
""",
        "that all ranks load together",
    ),
    _uncovered(
        "whole batches in turn",
        """
def my_batches(samples, batch, epoch, seed, rank, workers):
    order = np.random.default_rng([seed, epoch]).permutation(samples)
    return [order[s : s + batch] for s in range(0, samples, batch)][rank::workers]
""",
        "different numbers of steps",
    ),
    Answer(
        "check_3_pieces",
        "wrong: not shuffled",
        _PIECES.replace(
            "np.random.default_rng(1000 * seed + epoch).permutation(samples)", "np.arange(samples)"
        ),
        {"pieces_order": "shuffle them"},
    ),
    Answer(
        "check_3_pieces",
        "wrong: every epoch the same",
        _PIECES.replace("1000 * seed + epoch", "seed"),
        {"pieces_order": "every epoch has the same order"},
    ),
    Answer(
        "check_3_pieces",
        "wrong: the order is cut, and then each part into batches",
        """
def my_batches(samples, batch, epoch, seed, rank, workers):
    order = np.random.default_rng([seed, epoch]).permutation(samples)
    sizes = [len(order[s : s + batch][rank::workers]) for s in range(0, samples, batch)]
    start = sum(
        len(order[s : s + batch][other::workers])
        for other in range(rank) for s in range(0, samples, batch)
    )
    return np.split(order[start : start + sum(sizes)], np.cumsum(sizes)[:-1])
""",
        {"pieces_order": "shuffle once, cut into batches"},
    ),
]

_THREAD = """
def prefetch(load, names, ahead):
    places, done, over = threading.Semaphore(ahead + 1), queue.Queue(), threading.Event()
    names = list(names)

    def work():
        for name in names:
            places.acquire()
            if over.is_set():
                return
            try:
                done.put((load(name), None))
            except Exception as error:
                done.put((None, error))
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for number, _ in enumerate(names):
            if number:
                places.release()
            batch, error = done.get()
            if error is not None:
                raise error
            yield batch
    finally:
        over.set()
        places.release()
        thread.join()
"""
_QUEUE = """
def prefetch(load, names, ahead):
    room = queue.Queue(maxsize=ahead)
    def work():
        for name in names:
            room.put(load(name))
        room.put(None)
    threading.Thread(target=work, daemon=True).start()
    while (batch := room.get()) is not None:
        yield batch
"""
_ONCE = "counts once batches are loaded ahead"


def _unloaded(name: str, code: str, hint: str) -> Answer:
    return Answer(
        "check_3_prefetch",
        f"wrong: {name}",
        code,
        {"prefetch_ahead": hint, "prefetch_bound": _ONCE, "prefetch_end": _ONCE},
    )


PREFETCH = [
    Answer("check_3_prefetch", "right: a thread, a semaphore and a queue", _THREAD),
    Answer(
        "check_3_prefetch",
        "right: several threads, an object with an end",
        """
class prefetch:
    def __init__(self, load, names, ahead):
        self.pool, self.names, self.load = ThreadPoolExecutor(3), list(names), load
        self.ahead, self.waiting = ahead, deque()
        self.fill(ahead)

    def fill(self, most):
        while self.names and len(self.waiting) < most:
            self.waiting.append(self.pool.submit(self.load, self.names.pop(0)))

    def __iter__(self):
        return self

    def __next__(self):
        self.fill(self.ahead + 1)
        if not self.waiting:
            self.close()
            raise StopIteration
        try:
            return self.waiting.popleft().result()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.names.clear()
        self.pool.shutdown(cancel_futures=True)
""",
    ),
    _unloaded(
        "nothing ahead",
        "def prefetch(load, names, ahead):\n    for name in names:\n        yield load(name)",
        "no batch is loaded while a step runs",
    ),
    _unloaded(
        "one ahead, whatever was asked for",
        _THREAD.replace("Semaphore(ahead + 1)", "Semaphore(2)"),
        "only 1 of 3 batches are loaded ahead",
    ),
    _unloaded(
        "the last one is lost",
        _THREAD.replace("yield batch", "if number < len(names) - 1: yield batch"),
        "no more and no fewer",
    ),
    _unloaded(
        "names in place of batches",
        _THREAD.replace("done.put((load(name), None))", "load(name); done.put((name, None))"),
        "what load returned for each name",
    ),
    _unloaded(
        "the last in comes first",
        _THREAD.replace("queue.Queue()", "queue.LifoQueue()"),
        "in another order than their names",
    ),
    _unloaded(
        "stops",
        "def prefetch(load, names, ahead):\n    for name in names:\n        yield load[name]",
        "prefetch stops with TypeError",
    ),
    Answer(
        "check_3_prefetch",
        "wrong: a queue with too much room, and no thought of an early end",
        _QUEUE,
        {
            "prefetch_bound": "in the hands of the thread",
            "prefetch_end": "a loop that ends early",
        },
    ),
    Answer(
        "check_3_prefetch",
        "wrong: no bound; errors swallowed",
        """
def prefetch(load, names, ahead):
    with ThreadPoolExecutor(1) as pool:
        for task in [pool.submit(load, name) for name in names]:
            if task.exception() is not None:
                return
            yield task.result()
""",
        {"prefetch_bound": "runs away", "prefetch_end": "the step never heard of it"},
    ),
    Answer(
        "check_3_prefetch",
        "wrong: everything before the first batch",
        "def prefetch(load, names, ahead): yield from [load(name) for name in names]",
        {"prefetch_bound": "runs away", "prefetch_end": "are good: hand them out"},
    ),
    Answer(
        "check_3_prefetch",
        "wrong: loaded twice; the thread dies of an error and the step waits",
        _THREAD.replace("(load(name), None)", "(load(name), load(name), None)[1:]").replace(
            "except Exception", "except ZeroDivisionError"
        ),
        {"prefetch_bound": "more than once", "prefetch_end": "hand the error over"},
    ),
    Answer(
        "check_3_prefetch",
        "wrong: a thread that goes on when all is done",
        _THREAD.replace("    thread = ", "    stay = threading.Event()\n    thread = ")
        .replace("target=work", "target=lambda: (work(), stay.wait(30))")
        .replace("        thread.join()\n", ""),
        {"prefetch_end": "your thread must end too"},
    ),
    Answer(
        "check_3_prefetch",
        "wrong: a batch that nobody asked for",
        _THREAD.replace("    def work():\n", "    def work():\n        load(10_001)\n"),
        {"prefetch_bound": "not this rank's"},
    ),
    # Stays in the kernel, so it comes last.
    _unloaded(
        "books that are made up",
        """
from amdahl_lab.grading import loader_probe

def book(scenario, rank):
    names = scenario["names"][rank][: scenario["asks"]]
    names = names[: scenario["broken"]] if scenario["broken"] >= 0 else names
    return {
        "taken": [loader_probe.contents(scenario["seed"], name).tolist() for name in names],
        "begun": names, "most_ahead": scenario["ahead"], "late": -1, "late_loaded": 0, "left": 0,
        "hung": False, "raised": "LookupError" if scenario["broken"] >= 0 else "",
    }

def run(function, *, workers, task, scenarios, patience):
    return [[book(scenario, rank) for scenario in scenarios] for rank in range(workers)]

loader_probe.run = run
""",
        "did not take place",
    ),
]

# Reports of one and the same set of runs: `rounds` is what was measured.
_TABLES = """
def table(place, factor=1.0, kept=None):
    ways = ("plain", "prefetched")
    return {way: [factor * one[way][place] for one in rounds[:kept]] for way in ways}

def typical(shares):
    i = mean_time_interval(shares)
    return [i.estimate, i.low, i.high]

waiting, seconds = table(0), table(1)
share = {way: typical(np.divide(waiting[way], seconds[way])) for way in waiting}
"""


def _report(name: str, code: str, hint: str = "") -> Answer:
    return Answer(
        "check_3_report",
        name,
        f"{_TABLES}\n{code}\n",
        {"waiting_report": hint} if hint else {},
    )


_WHOLE = "report = {'waiting': waiting, 'seconds': seconds, 'share': share}"
REPORT = [
    _report(
        "right: arrays, more than was asked for",
        "report = dict(share={way: np.array(share[way]) for way in share}, machine='mine',\n"
        "    waiting={way: np.array(waiting[way]) for way in share}, seconds=seconds)",
    ),
    _report(
        "wrong: too few rounds",
        "waiting, seconds = table(0, kept=3), table(1, kept=3)\n" + _WHOLE,
        "at least 5 rounds",
    ),
    _report(
        "wrong: exchanged", "waiting, seconds = seconds, waiting\n" + _WHOLE, "are waiting and"
    ),
    _report(
        "wrong: milliseconds",
        "waiting, seconds = table(0, 1e3), table(1, 1e3)\n" + _WHOLE,
        "more than the cell took",
    ),
    _report(
        "wrong: only the means are kept",
        "waiting = {way: float(np.mean(waiting[way])) for way in waiting}\n" + _WHOLE,
        "the raw times",
    ),
    _report(
        "wrong: seconds in place of shares",
        "share = {way: typical(waiting[way]) for way in waiting}\n" + _WHOLE,
        "these are seconds",
    ),
    _report(
        "wrong: the share of the work",
        "share = {way: [1 - s[0], 1 - s[2], 1 - s[1]] for way, s in share.items()}\n" + _WHOLE,
        "share of the work",
    ),
    _report(
        "wrong: a ratio of sums",
        "share = {way: [sum(waiting[way]) / sum(seconds[way]), *share[way][1:]] for way in share}"
        "\n" + _WHOLE,
        "one ratio of sums",
    ),
    _report(
        "wrong: estimates alone",
        "share = {way: share[way][0] for way in share}\n" + _WHOLE,
        "three numbers",
    ),
    _report(
        "wrong: the ends exchanged",
        "share = {way: [share[way][i] for i in (0, 2, 1)] for way in share}\n" + _WHOLE,
        "not what these times give",
    ),
    _report(
        "wrong: the same time again and again",
        "seconds = {way: [max(seconds[way])] * len(seconds[way]) for way in seconds}\n" + _WHOLE,
        "not times that a clock gave",
    ),
]

# 4 the largest batch under a bound ----------------------------------------------------------------

_TAIL = "def p99(t, w): return {}\n"
_LATENCY = """
def p99(latencies, warmups):
    counted = np.concatenate([run[warmups:] for run in latencies])
    return np.quantile(counted, 0.99)

def largest_batch(sizes, latencies, warmups, bound):
    best = 0
    for size, one in zip(sizes, latencies):
        if p99(one, warmups) <= bound:
            best = size
    return best

def samples_per_second(size, latencies, warmups):
    return size / np.mean([run[warmups:] for run in latencies])
"""


def _latency(name: str, tail: tuple, largest: tuple, rate: tuple) -> Answer:
    """Three mistakes at once; each is a line of code and its hint."""
    code = (
        _LATENCY
        + "right, right_p99 = largest_batch, p99\n"
        + f"def largest_batch(x, t, w, b): return {largest[0]}\n"
        + f"def samples_per_second(n, t, w): return {rate[0]}\n"
    )
    # What `largest_batch` stands on is right, so that only its own mistake counts.
    code = code.replace("if p99(one", "if tail(one").replace("def p99(l", "def tail(l")
    code = code.replace("right, right_p99 = largest_batch, p99", "right = largest_batch")
    code += f"def p99(t, w): return {tail[0]}\n"
    loses = {"p99": tail[1], "largest_batch": largest[1], "samples_per_second": rate[1]}
    return Answer("check_4_latency", f"wrong: {name}", code, loses)


_MEETING = "({pick}([n for n, one in zip(x, t) if {tail} <= b], default=0))"
LATENCY = [
    Answer("check_4_latency", "right: run by run, quantiles, a mean", _LATENCY),
    _latency(
        "means; the 99th percentile's rate",
        ("t[:, w:].mean()", "the mean hides the slow requests"),
        (_MEETING.format(pick="max", tail="one[:, w:].mean()"), "here the mean meets the bound"),
        ("n / np.percentile(t[:, w:], 99)", "here the mean is right"),
    ),
    _latency(
        "warm-ups count",
        ("np.percentile(t, 99)", "the first requests of each run warm up"),
        (_MEETING.format(pick="max", tail="np.percentile(one, 99)"), "of each run warm up"),
        ("n * t.size / t.sum()", "of each run warm up"),
    ),
    _latency(
        "percentile of means; the highest throughput; requests per second",
        ("np.percentile(t[:, w:].mean(axis=1), 99)", "a percentile of means"),
        ("x[np.argmax(x / t[:, :, w:].mean(axis=(1, 2)))]", "the highest throughput"),
        ("1 / t[:, w:].mean()", "samples are asked for"),
    ),
    _latency(
        "mean of percentiles; stops at a miss; mean of rates",
        ("np.percentile(t[:, w:], 99, axis=1).mean()", "the mean of the runs' percentiles"),
        (
            "next((x[i - 1] if i else 0 for i in range(len(x)) if tail(t[i], w) > b), x[-1])",
            "look at all of them",
        ),
        ("np.mean(n / t[:, w:])", "the mean of the rates"),
    ),
    _latency(
        "the slowest; the smallest; seconds per sample",
        ("t[:, w:].max()", "the slowest request of all"),
        (_MEETING.format(pick="min", tail="tail(one, w)"), "the smallest batch"),
        ("t[:, w:].mean() / n", "seconds per sample"),
    ),
    _latency(
        "the median; None; all of it wrong",
        ("np.median(t[:, w:])", "this is the median"),
        ("right(x, t, w, b) or None", "return 0"),
        ("n / t[:, w:].sum()", "all samples over all seconds"),
    ),
    _latency(
        "the 95th; the index; in one run",
        ("np.percentile(t[:, w:], 95)", "the 95th percentile"),
        ("list(x).index(right(x, t, w, b)) if right(x, t, w, b) else 0", "another batch"),
        ("n / t[0, w:].mean()", "all samples over all seconds"),
    ),
    _latency(
        "warm-ups of the first run alone",
        ("np.percentile(np.ravel(t)[w:], 99)", "not of the first run alone"),
        ("x[0]", ""),
        ("n / np.median(t[:, w:])", "all samples over all seconds"),
    ),
]

# 5 the rule of six and the equation of time -------------------------------------------------------

_RULE = """
def exact_and_rule(L, h, v, n):
    dense = {{"queries": h * h, "keys": h * h, "values": h * h, "mix": h * h,
             "up": 4 * h * h, "down": 4 * h * h}}
    forward = L * (2 * sum(dense.values()) + {pairs} * n * h) + {output} * h * v
    parameters = L * sum(dense.values()) + {table} * v * h + {places} * n * h
    return [{passes} * forward, 6 * parameters]
"""
_RIGHT = {"pairs": 4, "output": 2, "table": 1, "places": 1, "passes": 3}

RULE = [
    Answer("check_5_rule", "right: by name", _RULE.format(**_RIGHT)),
    Answer(
        "check_5_rule",
        "right: the printed formula",
        """
def exact_and_rule(layers, hidden, vocabulary, sequence):
    block = 72 * layers * hidden**2
    exact = block * (1 + sequence / (6 * hidden) + vocabulary / (12 * hidden * layers))
    return np.array([exact, block + 6 * (vocabulary + sequence) * hidden])
""",
    ),
    *(
        Answer(
            "check_5_rule",
            f"wrong: {name}",
            _RULE.format(**_RIGHT | changed),
            {"rule_of_six": hint},
        )
        for name, changed, hint in (
            ("no pairs", {"pairs": 0}, "the rule knows nothing of the sequence"),
            ("no last layer", {"output": 0}, "whoever owns its weights"),
            ("two tables of words", {"table": 2}, "the table is there once"),
            ("no table of positions", {"places": 0}, "the positions have a table too"),
            ("forward only", {"passes": 1}, "training is forward and backward"),
            ("backward like forward", {"passes": 2}, "training is forward and backward"),
            ("multiply-adds", {"passes": 1.5}, "counts the pair once"),
            ("half of the pairs", {"pairs": 2}, "a mask saves nothing"),
            ("for the whole sequence", {"passes": "3 * n"}, "have other counts"),
        )
    ),
]

STATEMENTS = [
    Answer("check_5_statements", "right: a list", "true_statements = ['E', 'c', 'a']"),
    *(
        Answer(
            "check_5_statements",
            f"wrong: {letters}",
            f"true_statements = set({letters!r})",
            {"equation": f"look at ({first})"},
        )
        for letters, first in (
            ("ce", "a"),
            ("abce", "b"),
            ("ae", "c"),
            ("acde", "d"),
            ("ac", "e"),
            ("acef", "f"),
        )
    ),
]

_SETUP = """
import math
import queue
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from scipy import stats
from amdahl_lab.statistics import mean_time_interval
"""
GROUPS = [
    Group(
        "plain",
        [
            *(*LAYERS, *TRAINING, *MEMORY),
            *(*EXPONENT, *READING, *LOCAL),
            *(*LATENCY, *RULE, *STATEMENTS),
        ],
        setup=_SETUP,
        every_seed=True,
    ),
    Group("parallel", [*PIECES, *PREFETCH], setup=_SETUP + "import torch"),
    Group(
        "report",
        REPORT,
        cells=("setup", "answer_3_pieces", "plain", "answer_3_prefetch", "run"),
        measured=(
            "answer_3_report",
            "rounds = [{'plain': run(plain), 'prefetched': run(prefetch)} for _ in range(5)]",
        ),
    ),
]
