"""Answers to the exercises on bottlenecks."""

from corpus.answers import Answer, Group


def _answers(cell, *answers):
    return [Answer(cell, *answer) for answer in answers]


BOUNDS = _answers(
    "check_1_bounds",
    (
        "right: from the two times",
        """
def attainable_rate(flops, moved, peak, bandwidth):
    seconds = np.where(np.divide(flops, peak) > np.divide(moved, bandwidth),
                       np.divide(flops, peak), np.divide(moved, bandwidth))
    return (flops / seconds).tolist()

def least_batch(k, n, item, peak, bandwidth):
    fixed = item * k * n / bandwidth
    with np.errstate(divide="ignore"):
        b = np.float64(fixed) / (2 * k * n / peak - item * (k + n) / bandwidth)
    return b if b > 0 else np.inf
""",
    ),
    (
        "wrong: the sum of the times; no guard",
        """
def attainable_rate(f, q, p, b): return f / (f / p + q / b)
def least_batch(k, n, item, p, b):
    return p * item * k * n / (2 * k * n * b - p * item * (k + n))
""",
        {"attainable_rate": "the longer one counts", "least_batch": "the answer is inf"},
    ),
    (
        "wrong: no peak; weights alone",
        """
def attainable_rate(f, q, p, b): return f / q * b
def least_batch(k, n, item, p, b): return p / b * item / 2
""",
        {"attainable_rate": "faster than the peak", "least_batch": "inputs and outputs are moved"},
    ),
    (
        "wrong: always the peak; one FLOP for two",
        """
def attainable_rate(f, q, p, b): return p * np.ones_like(f)
def least_batch(k, n, item, p, b):
    more = k * n - p / b * item * (k + n)
    return p / b * item * k * n / more if more > 0 else math.inf
""",
        {"attainable_rate": "enough FLOPs for each byte", "least_batch": "two FLOPs"},
    ),
    (
        "wrong: the larger; numbers for bytes",
        """
def attainable_rate(f, q, p, b): return np.maximum(p, f / q * b)
def least_batch(k, n, item, p, b):
    more = 2 * k * n - p / b * (k + n)
    return p / b * k * n / more if more > 0 else math.inf
""",
        {"attainable_rate": "the smaller one is the bound", "least_batch": "item_bytes bytes"},
    ),
    (
        "wrong: upside down; rounded up",
        """
def attainable_rate(f, q, p, b): return np.minimum(p, q / f * b)
def least_batch(k, n, item, p, b):
    more = 2 * k * n - p / b * item * (k + n)
    return math.ceil(p / b * item * k * n / more) if more > 0 else math.inf
""",
        {"attainable_rate": "turn the ratio round", "least_batch": "not rounded"},
    ),
    (
        "wrong: seconds; None where no batch is large enough",
        """
def attainable_rate(f, q, p, b): return np.maximum(f / p, q / b)
def least_batch(k, n, item, p, b):
    more = 2 * k * n - p / b * item * (k + n)
    return p / b * item * k * n / more if more > 0 else None
""",
        {"attainable_rate": "the least time, in seconds", "least_batch": ""},
    ),
    (
        "wrong: min of arrays",
        """
def attainable_rate(f, q, p, b): return min(p, f / q * b)
def least_batch(k, n, item, p, b): return least_batch_of_the_layer
""",
        {"attainable_rate": "stops with ValueError on some", "least_batch": "stops with NameError"},
    ),
)

MEMORY = _answers(
    "check_1_memory",
    ("right: text", "memory_bound = 'B, C, D, F'"),
    (
        "wrong: large products wait for memory",
        "memory_bound = set('abcdf')",
        {"memory_bound": "(a)"},
    ),
    ("wrong: only what is no product", "memory_bound = {'c'}", {"memory_bound": "look at (b)"}),
    (
        "wrong: a batch of 64 is enough",
        "memory_bound = set('bcf')",
        {"memory_bound": "look at (d)"},
    ),
    ("wrong: the size of the result", "memory_bound = set('bcd')", {"memory_bound": "look at (f)"}),
    ("wrong: dense layers", "memory_bound = set('bcdef')", {"memory_bound": "look at (e)"}),
    ("wrong: no sums", "memory_bound = set('bdf')", {"memory_bound": "look at (c)"}),
)

GAIN = _answers(
    "check_1_gain",
    (
        "right: by cases",
        """
def gain(stages, which, factor, overlapped):
    rest = [t for i, t in enumerate(stages) if i != which]
    if overlapped:
        return max(stages) / max([*rest, stages[which] / factor])
    return 1 / (sum(rest) + stages[which] / factor) * (sum(rest) + stages[which])
""",
    ),
    (
        "wrong: always the sum",
        """
def gain(stages, which, factor, overlapped):
    f = stages[which] / sum(stages)
    return 1 / (1 - f + f / factor)
""",
        {"gain": "the longest one sets the pace"},
    ),
    (
        "wrong: always the longest",
        """
def gain(stages, which, factor, overlapped):
    after = np.array(stages, dtype=float)
    after[which] /= factor
    return max(stages) / after.max()
""",
        {"gain": "follow one another add up"},
    ),
    (
        "wrong: all of the factor",
        """
def gain(stages, which, factor, overlapped):
    if overlapped:
        return factor if stages[which] == max(stages) else 1
    return sum(stages) / (sum(stages) - stages[which] * (1 - 1 / factor))
""",
        {"gain": "another one becomes the longest"},
    ),
    (
        "wrong: new over old",
        """
def gain(stages, which, factor, overlapped):
    whole = max if overlapped else sum
    return whole([t / factor if i == which else t for i, t in enumerate(stages)]) / whole(stages)
""",
        {"gain": "old over new"},
    ),
    (
        "wrong: exchanged",
        """
def gain(stages, which, factor, overlapped):
    whole = sum if overlapped else max
    return whole(stages) / whole([t / factor if i == which else t for i, t in enumerate(stages)])
""",
        {"gain": "exchanged"},
    ),
)

RING = _answers(
    "check_2_ring",
    (
        "right: the two terms apart",
        """
def ring_seconds(size, workers, latency, inverse_bandwidth):
    share = (workers - 1) / workers
    return 2 * share * (workers * latency + np.asarray(size) * inverse_bandwidth)
""",
    ),
    (
        "wrong: one message",
        "def ring_seconds(n, N, a, b): return a + n * b",
        {"ring_seconds": "this is one message"},
    ),
    (
        "wrong: the whole buffer each time",
        "def ring_seconds(n, N, a, b): return 2 * (N - 1) * (a + n * b)",
        {"ring_seconds": "not all of it"},
    ),
    (
        "wrong: latency once",
        "def ring_seconds(n, N, a, b): return a + 2 * (N - 1) / N * n * b",
        {"ring_seconds": "for every one of"},
    ),
    (
        "wrong: half way round",
        "def ring_seconds(n, N, a, b): return (N - 1) * (a + n / N * b)",
        {"ring_seconds": "as many again"},
    ),
    (
        "wrong: 2 N messages",
        "def ring_seconds(n, N, a, b): return 2 * N * (a + n / N * b)",
        {"ring_seconds": "keeps its own part"},
    ),
)

FIT = _answers(
    "check_2_fit",
    (
        "right: median of slopes between sizes, then of what is left",
        """
def fit_link(sizes, seconds, workers):
    times = np.median(seconds, axis=0)
    b = np.median(np.diff(times)[2:] / np.diff(sizes)[2:])
    for _ in range(3):
        a = np.median((times - b * sizes)[:2])
        b = np.median(((times - a) / sizes)[3:])
    return np.array([a, b * workers]) / 2 / (workers - 1)
""",
    ),
    (
        "right: the quickest rounds, weighted by hand",
        """
def fit_link(sizes, seconds, workers):
    times = np.min(seconds, axis=0)
    design = np.stack([2 * (workers - 1) + 0 * sizes, 2 * (workers - 1) / workers * sizes], axis=1)
    return np.linalg.lstsq(design / times[:, None], np.ones(len(sizes)), rcond=None)[0]
""",
    ),
    (
        "wrong: means",
        """
def fit_link(sizes, seconds, workers):
    times = seconds.mean(axis=0)
    b, a = np.polyfit(sizes, times, 1, w=1 / times)
    return a / 2 / (workers - 1), b * workers / 2 / (workers - 1)
""",
        {"fit_latency": "mixes two modes"},
    ),
    (
        "wrong: all errors alike",
        """
def fit_link(sizes, seconds, workers):
    b, a = np.polyfit(sizes, np.median(seconds, axis=0), 1)
    return a / 2 / (workers - 1), b * workers / 2 / (workers - 1)
""",
        {"fit_latency": "the largest sizes rule"},
    ),
    (
        "wrong: means, all errors alike",
        """
def fit_link(sizes, seconds, workers):
    b, a = np.polyfit(np.tile(sizes, len(seconds)), seconds.ravel(), 1)
    return a / 2 / (workers - 1), b * workers / 2 / (workers - 1)
""",
        {"fit_latency": "mixes two modes"},
    ),
    (
        "wrong: the line of the buffer",
        """
def fit_link(sizes, seconds, workers):
    times = np.median(seconds, axis=0)
    b, a = np.polyfit(sizes, times, 1, w=1 / times)
    return a, b
""",
        {"fit_latency": "for each of its", "fit_inverse_bandwidth": "each byte of the buffer"},
    ),
    (
        "wrong: the smallest message is the latency",
        """
def fit_link(sizes, seconds, workers):
    times = np.median(seconds, axis=0)
    return times[0] / 2 / (workers - 1), times[-1] / sizes[-1] * workers / 2 / (workers - 1)
""",
        {"fit_latency": "the bytes take time too"},
    ),
    (
        "wrong: bandwidth, and in the other order",
        """
def fit_link(sizes, seconds, workers):
    times = np.median(seconds, axis=0)
    b, a = np.polyfit(sizes, times, 1, w=1 / times)
    return a / 2 / (workers - 1), 1 / (b * workers / 2 / (workers - 1))
""",
        {"fit_inverse_bandwidth": "this is the bandwidth"},
    ),
    (
        "wrong: the other order",
        """
def fit_link(sizes, seconds, workers):
    times = np.median(seconds, axis=0)
    b, a = np.polyfit(sizes, times, 1, w=1 / times)
    return b * workers / 2 / (workers - 1), a / 2 / (workers - 1)
""",
        {"fit_latency": "is another", "fit_inverse_bandwidth": "latency first"},
    ),
    (
        "wrong: the latency alone",
        """
def fit_link(sizes, seconds, workers):
    times = np.median(seconds, axis=0)
    return np.polyfit(sizes, times, 1, w=1 / times)[1] / 2 / (workers - 1)
""",
        {"fit_latency": "has shape ()", "fit_inverse_bandwidth": "has shape ()"},
    ),
)

_SLOWEST = """
def expected_step(times, workers):
    x = np.sort(times)
    i = np.arange(1, len(x) + 1) / len(x)
    return sum(x * (i ** workers - (i - 1 / len(x)) ** workers))
"""
STRAGGLERS = _answers(
    "check_3_stragglers",
    (
        "right: a mean as a sum of chances to be later",
        """
def expected_step(times, workers):
    x = np.sort(times)
    later = 1 - (np.arange(1, len(x)) / len(x)) ** workers
    return x[0] + np.dot(np.diff(x), later)

def expected_slow_step(times, workers, factor):
    x = np.concatenate([[0], np.sort(np.r_[times, factor * np.array(times)])])
    chance = [np.mean(times <= t) ** (workers - 1) * np.mean(factor * times <= t) for t in x[:-1]]
    return sum((1 - c) * gap for c, gap in zip(chance, np.diff(x)))

def ways_out(workers, factor):
    others = workers - 1
    return factor, 1 + 1 / others, workers * factor / (others * factor + 1)
""",
    ),
    (
        "wrong: means",
        """
def expected_step(times, workers): return np.mean(times)
def expected_slow_step(times, workers, factor):
    return np.mean(times) * (workers - 1 + factor) / workers
def ways_out(n, k): return [k, 1.0, n / (n - 1 + 1 / k)]
""",
        {
            "expected_step": "one worker's mean",
            "expected_slow_step": "not thinned out",
            "ways_out": "N shares on N - 1",
        },
    ),
    (
        "wrong: the worst; all slow; a worker of k",
        """
def expected_step(times, workers): return np.max(times)
"""
        + _SLOWEST.replace("expected_step", "_slowest")
        + """
def expected_slow_step(times, workers, factor): return factor * _slowest(times, workers)
def ways_out(n, k): return [k, n / (n - 1), n / (n - 1 + k)]
""",
        {
            "expected_step": "the longest time of all",
            "expected_slow_step": "one worker is slow, not all",
            "ways_out": "1/k of the work",
        },
    ),
    (
        "wrong: the worst of more than one; the largest of means; a mean of times",
        """
def expected_step(times, workers): return np.max(times) if workers > 1 else np.mean(times)
"""
        + _SLOWEST.replace("expected_step", "_slowest")
        + """
def expected_slow_step(times, workers, factor):
    return max(_slowest(times, workers - 1), factor * np.mean(times))
def ways_out(n, k): return [(n - 1 + k) / n, n / (n - 1), n / (n - 1 + 1 / k)]
""",
        {
            "expected_step": "the longest time of all",
            "expected_slow_step": "more than the largest of the means",
            "ways_out": "all wait for the slow worker",
        },
    ),
    (
        "wrong: a sum; nobody slow; speeds",
        """
def expected_step(times, workers): return workers * np.mean(times)
"""
        + _SLOWEST.replace("expected_step", "_slowest")
        + """
def expected_slow_step(times, workers, factor): return _slowest(times, workers - 1)
def ways_out(n, k): return [1 / k, (n - 1) / n, (n - 1 + 1 / k) / n]
""",
        {
            "expected_step": "do not add up",
            "expected_slow_step": "the slow worker is missing",
            "ways_out": "these are speeds",
        },
    ),
    (
        "wrong: mean and spread; the slow worker alone; shares by the mean of times",
        """
def expected_step(times, workers): return np.mean(times) + np.std(times)
def expected_slow_step(times, workers, factor): return factor * np.mean(times)
def ways_out(n, k): return [k, n / (n - 1), (n - 1 + k) / n]
""",
        {
            "expected_step": "do not know N",
            "expected_slow_step": "the other workers are missing",
            "ways_out": "the sum of the speeds",
        },
    ),
    (
        "wrong: the quickest; one worker too many; two ways",
        """
def expected_step(times, workers):
    x = -np.sort(-np.asarray(times))
    i = np.arange(len(x) + 1) / len(x)
    return x @ np.diff(i ** workers)
def expected_slow_step(times, workers, factor):
    x = np.sort(np.r_[times, factor * times])
    chance = [np.mean(times <= t) ** workers * np.mean(factor * times <= t) for t in x]
    return x @ np.diff(chance, prepend=0)
def ways_out(n, k): return [k, n / (n - 1)]
""",
        {
            "expected_step": "the smallest of N draws",
            "expected_slow_step": "N workers in all",
            "ways_out": "an array of shape (3,)",
        },
    ),
)

SIMULATED = _answers(
    "check_3_stragglers",
    (
        "right: simulated",
        """
_rng = np.random.default_rng()
def expected_step(times, workers):
    return _rng.choice(times, (workers, 200_000)).max(axis=0).mean()

def expected_slow_step(times, workers, factor):
    drawn = _rng.choice(times, (workers, 200_000))
    drawn[0] *= factor
    return float(drawn.max(axis=0).mean())

def ways_out(workers, factor):
    return np.array([factor, workers / (workers - 1), workers / (workers - 1 + 1 / factor)])
""",
    ),
)

BYTES = _answers(
    "check_5_bytes",
    (
        "right: shapes as arrays",
        """
def power_sgd_bytes(shapes, rank):
    total = 0
    for shape in shapes:
        n = shape[0]
        m = int(np.prod(shape)) // n
        total += 4 * min(n * m, rank * (n + m)) if len(shape) > 1 else 4 * n
    return np.int64(total)
""",
    ),
    (
        "wrong: always factors",
        """
def power_sgd_bytes(shapes, rank):
    return sum(4 * (rank * (s[0] + math.prod(s[1:])) if len(s) > 1 else s[0]) for s in shapes)
""",
        {"power_sgd_bytes": "is sent as it is"},
    ),
    (
        "wrong: numbers",
        """
def power_sgd_bytes(shapes, rank):
    return sum(min(math.prod(s), rank * (s[0] + math.prod(s[1:]))) if len(s) > 1 else s[0]
               for s in shapes)
""",
        {"power_sgd_bytes": "each of them has 4 bytes"},
    ),
    (
        "wrong: biases are small",
        """
def power_sgd_bytes(shapes, rank):
    return sum(4 * min(math.prod(s), rank * (s[0] + math.prod(s[1:]))) for s in shapes
               if len(s) > 1)
""",
        {"power_sgd_bytes": "one axis are sent too"},
    ),
    (
        "wrong: the last axis is kept",
        """
def power_sgd_bytes(shapes, rank):
    return sum(4 * min(math.prod(s), rank * (s[-1] + math.prod(s[:-1]))) if len(s) > 1
               else 4 * s[0] for s in shapes)
""",
        {"power_sgd_bytes": "the first is kept"},
    ),
    (
        "wrong: one factor",
        """
def power_sgd_bytes(shapes, rank):
    return sum(4 * min(math.prod(s), rank * s[0]) if len(s) > 1 else 4 * s[0] for s in shapes)
""",
        {"power_sgd_bytes": "both factors"},
    ),
    (
        "wrong: factors of a vector",
        """
def power_sgd_bytes(shapes, rank):
    return sum(4 * min(math.prod(s), rank * (s[0] + math.prod(s[1:]))) if len(s) > 1
               else 4 * rank for s in shapes)
""",
        {"power_sgd_bytes": "have no factors"},
    ),
)

PAYS = _answers(
    "check_5_pays",
    (
        "right: two times, and a search for where they meet",
        """
def _ring(n, N, a, b): return 2 * (N - 1) * (a + n / N * b)

def seconds_saved(full, sent, collectives, codec, workers, latency, inverse_bandwidth):
    first = _ring(sent, workers, latency, inverse_bandwidth)
    others = (collectives - 1) * _ring(0, workers, latency, inverse_bandwidth)
    return _ring(full, workers, latency, inverse_bandwidth) - first - others - codec

def break_even_bandwidth(full, sent, collectives, codec, workers, latency):
    if sent >= full:
        return 0
    low, high = 1e-15, 1.0
    for _ in range(200):
        middle = math.sqrt(low * high)
        if seconds_saved(full, sent, collectives, codec, workers, latency, middle) > 0:
            high = middle
        else:
            low = middle
    return 1 / low
""",
    ),
    (
        "wrong: packing is free; seconds per byte",
        """
def seconds_saved(f, s, c, t, n, a, b):
    return 2 * (n - 1) / n * (f - s) * b - (c - 1) * 2 * (n - 1) * a
def break_even_bandwidth(f, s, c, t, n, a):
    if s >= f: return 0.0
    return (t + (c - 1) * 2 * (n - 1) * a) / (2 * (n - 1) / n * (f - s))
""",
        {"seconds_saved": "codec is missing", "break_even_bandwidth": "is bytes per second"},
    ),
    (
        "wrong: bytes of the buffer",
        """
def seconds_saved(f, s, c, t, n, a, b): return (f - s) * b - (c - 1) * 2 * (n - 1) * a - t
def break_even_bandwidth(f, s, c, t, n, a):
    return max(0, (f - s) / (t + (c - 1) * 2 * (n - 1) * a))
""",
        {
            "seconds_saved": "times the bytes of the buffer",
            "break_even_bandwidth": "times the bytes of the buffer",
        },
    ),
    (
        "wrong: bytes of the buffer and no latency; below 0",
        """
def seconds_saved(f, s, c, t, n, a, b): return (f - s) * b - t
def break_even_bandwidth(f, s, c, t, n, a):
    return 2 * (n - 1) / n * (f - s) / (t + (c - 1) * 2 * (n - 1) * a)
""",
        {
            "seconds_saved": "times the bytes of the buffer",
            "break_even_bandwidth": "the answer is 0",
        },
    ),
    (
        "wrong: the latency of one all-reduce",
        """
def seconds_saved(f, s, c, t, n, a, b): return 2 * (n - 1) / n * (f - s) * b - t
def break_even_bandwidth(f, s, c, t, n, a): return max(0, 2 * (n - 1) / n * (f - s) / t)
""",
        {"seconds_saved": "its own messages", "break_even_bandwidth": "earned back too"},
    ),
    (
        "wrong: all collectives are new; bytes that are sent",
        """
def seconds_saved(f, s, c, t, n, a, b):
    return 2 * (n - 1) / n * (f - s) * b - c * 2 * (n - 1) * a - t
def break_even_bandwidth(f, s, c, t, n, a):
    return 2 * (n - 1) / n * s / (t + (c - 1) * 2 * (n - 1) * a)
""",
        {"seconds_saved": "only the further ones", "break_even_bandwidth": "not those"},
    ),
    (
        "wrong: clipped",
        """
def seconds_saved(f, s, c, t, n, a, b):
    return max(0, 2 * (n - 1) / n * (f - s) * b - (c - 1) * 2 * (n - 1) * a - t)
def break_even_bandwidth(f, s, c, t, n, a): return seconds_saved
""",
        {"seconds_saved": "do not clip", "break_even_bandwidth": "not a number"},
    ),
    (
        "wrong: the time with compression",
        """
def seconds_saved(f, s, c, t, n, a, b):
    return 2 * (n - 1) * (c * a + s / n * b) + t
def break_even_bandwidth(f, s, c, t, n, a): return max(0, (f - s) / t)
""",
        {
            "seconds_saved": "the time with compression",
            "break_even_bandwidth": "times the bytes of the buffer",
        },
    ),
)

STATEMENTS = _answers(
    "check_5_statements",
    ("right: a list", "true_statements = ['E', 'b', 'd']"),
    ("wrong: half the time", "true_statements = set('abde')", {"statements": "look at (a)"}),
    ("wrong: latency", "true_statements = set('de')", {"statements": "look at (b)"}),
    ("wrong: hidden", "true_statements = set('bcde')", {"statements": "look at (c)"}),
    ("wrong: faster links", "true_statements = set('be')", {"statements": "look at (d)"}),
    ("wrong: nothing is lost", "true_statements = set('bd')", {"statements": "look at (e)"}),
)

_ITEMS = ("mend_bucket", "mend_loss", "mend_copies", "mend_loading", "mend_buffer", "mend_needless")

# Scripts with and without bottlenecks, put together from the parts that they differ in.
_SCRIPT = """
def train(model, load, batch, steps, rate):
    rank, N = dist.get_rank(), dist.get_world_size()
    half = batch // N
    parameters = list(model.parameters())
    size = sum(p.numel() for p in parameters)
    bucket = torch.empty(size + 1, dtype=torch.float64)
    losses = torch.zeros(steps, dtype=torch.float64)
    for step in range(steps):
        {load}
        model.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        {reduce}
        start = 0
        with torch.no_grad():
            for p in parameters:
                p.sub_(bucket[start : start + p.numel()].view_as(p), alpha=rate)
                start += p.numel()
        {loss}
    return losses
"""
_OWN = "first = step * batch + rank * half; x, y = load(first, first + half)"
_ALL = (
    "x, y = load(step * batch, step * batch + batch)\n"
    "        x, y = x[rank * half :][:half], y[rank * half :][:half]"
)
_CAT_INTO = """
        flat = [p.grad.flatten() for p in parameters] + [loss.detach().view(1)]
        torch.cat(flat, out=bucket)
        dist.all_reduce(bucket)
        bucket /= N
"""
_CAT = _CAT_INTO.replace("torch.cat(flat, out=bucket)", "bucket = torch.cat(flat)")
_IN_BUCKET = "losses[step] = bucket[-1]"


def _script(load=_OWN, reduce=_CAT_INTO, loss=_IN_BUCKET):
    return _SCRIPT.format(load=load, reduce=reduce.strip(), loss=loss)


TRAIN = _answers(
    "check_4_train",
    ("right: the loss travels with the gradients", _script()),
    (
        "right: the library's data parallelism, losses read at the end",
        """
def train(model, load, batch, steps, rate):
    rank, half = dist.get_rank(), batch // 2
    both = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    losses = []
    for first in range(rank * half, steps * batch, batch):
        x, y = load(first, first + half)
        optimizer.zero_grad()
        loss = ((both(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    everyone = torch.stack(losses) / 2
    dist.all_reduce(everyone)
    return [loss.item() for loss in everyone]
""",
    ),
    (
        "right: samples loaded ahead, messages that travel while others are computed",
        """
def train(model, load, batch, steps, rate):
    rank = dist.get_rank()
    half = batch // 2
    shards = [load(i * batch + rank * half, i * batch + (rank + 1) * half) for i in range(steps)]
    ps = list(model.parameters())
    flat = torch.empty(sum(p.numel() for p in ps), dtype=torch.float64)
    pieces = flat.split([p.numel() for p in ps])
    history = []
    for x, y in shards:
        loss = (model(x) - y).square().mean()
        for piece, gradient in zip(pieces, torch.autograd.grad(loss, ps)):
            piece.copy_(gradient.flatten())
        message = dist.all_reduce(flat, async_op=True)
        history.append(loss.detach() / 2)
        message.wait()
        with torch.no_grad():
            for p, piece in zip(ps, pieces):
                p.add_(piece.view_as(p), alpha=-rate / 2)
    total = torch.tensor([float(loss) for loss in history], dtype=torch.float64)
    dist.all_reduce(total)
    return total.numpy()
""",
    ),
    (
        "wrong: nothing is mended",
        "train = train_slowly",
        {
            "mend_bucket": "each pays the latency",
            "mend_loss": "a loss is sent",
            "mend_copies": "lists or arrays",
            "mend_loading": "more than its own half",
            "mend_buffer": "counts once",
            "mend_needless": "stay alike",
        },
    ),
    (
        "wrong: one bucket by way of NumPy, whole batches, a barrier, half of the losses",
        _script(
            load=_ALL,
            reduce="""
        everything = np.concatenate([p.grad.numpy().ravel() for p in parameters] + [[0.0]])
        bucket = torch.from_numpy(everything)
        dist.all_reduce(bucket)
        bucket /= N
""",
            loss="losses[step] = loss.detach() / N\n        dist.barrier()",
        ).replace("return losses", "dist.all_reduce(losses)\n    return losses[::2]"),
        {
            "mend_loss": "one number for each step",
            "mend_copies": "lists or arrays",
            "mend_loading": "more than its own half",
            "mend_buffer": "of the size of all gradients",
            "mend_needless": "as it is",
        },
    ),
    (
        "wrong: a message for each parameter, a loss of one's own, parameters sent again",
        _script(
            reduce="""
        for p in parameters:
            dist.all_reduce(p.grad)
        torch.cat([p.grad.flatten() / N for p in parameters] + [loss.detach().view(1)], out=bucket)
""",
            loss="losses[step] = loss.detach()\n"
            "        for p in parameters: dist.broadcast(p.data, 0)",
        ),
        {
            "mend_bucket": "each pays the latency",
            "mend_loss": "the mean over the whole batch",
            "mend_buffer": "counts once",
            "mend_needless": "stay alike",
        },
    ),
    (
        "wrong: a new bucket each step, the loss printed",
        _script(reduce=_CAT, loss=_IN_BUCKET + "\n        f'{loss:.3f}'"),
        {"mend_loss": "a number is taken out", "mend_buffer": "of the size of all gradients"},
    ),
    (
        "wrong: samples one by one, some of the gradient number by number",
        _script(
            load="first = step * batch + rank * half\n"
            "        rows = [load(i, i + 1) for i in range(first, first + half)]\n"
            "        x, y = (torch.cat(parts) for parts in zip(*rows))",
            reduce="""
        last = [float(g) for g in parameters[-2].grad.flatten()]
        parameters[-2].grad = torch.tensor(last, dtype=torch.float64).view(10, -1)
        bucket = torch.cat([p.grad.flatten() for p in parameters] + [loss.detach().view(1)])
        dist.all_reduce(bucket)
        bucket /= N
""",
        ),
        {
            "mend_loss": "a number is taken out",
            "mend_copies": "one by one",
            "mend_loading": "one a step is enough",
            "mend_buffer": "of the size of all gradients",
        },
    ),
    (
        "wrong: fewer bits",
        _script(
            reduce=_CAT_INTO.replace(
                "dist.all_reduce(bucket)",
                "short = bucket.float(); dist.all_reduce(short); bucket.copy_(short)",
            )
        ),
        dict.fromkeys(_ITEMS, "in the first digits only"),
    ),
    (
        "wrong: each rank trains alone",
        _script(reduce=_CAT_INTO.replace("dist.all_reduce(bucket)\n        bucket /= N", "")),
        dict.fromkeys(_ITEMS, "trains alone"),
    ),
    (
        "wrong: the sum",
        _script(reduce=_CAT_INTO.replace("bucket /= N", "")),
        dict.fromkeys(_ITEMS, "summed over the ranks"),
    ),
    (
        "wrong: both ranks take the first half",
        _script(load="x, y = load(step * batch, step * batch + half)"),
        dict.fromkeys(_ITEMS, "each of them on one rank"),
    ),
    (
        "wrong: stops",
        "def train(model, load, batch, steps, rate): load(0, steps * batch + 1)",
        dict.fromkeys(_ITEMS, "stops with RankError"),
    ),
)

GROUPS = [
    Group(
        "plain",
        [
            *BOUNDS,
            *MEMORY,
            *GAIN,
            *RING,
            *FIT,
            *STRAGGLERS,
            *BYTES,
            *PAYS,
            *STATEMENTS,
        ],
        setup="import math\nimport numpy as np",
        every_seed=True,
    ),
    Group(
        "parallel",
        [*SIMULATED, *TRAIN],
        setup="import numpy as np\nimport torch\nimport torch.distributed as dist",
        cells=("train_slowly",),
    ),
]
