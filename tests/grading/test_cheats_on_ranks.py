"""Cheats on ranks: what they say they sent is held against what the system saw.

The counters inside the ranks lie beside the student's code and can be forged, as they are here.
"""

import pytest

from amdahl_lab.grading.items import Marking

ON_STRATEGIES = pytest.mark.parametrize(
    "chapter", ["04_parallel_strategies"], indirect=True, scope="session"
)
SETUP = "import math, sys\nimport torch\nimport torch.distributed as dist\n"
# Writes into the counter of the scene that calls it what a ring would have sent.
FORGED_RING = """
def forge(tensor):
    N, r = dist.get_world_size(), dist.get_rank()
    part = -(-tensor.numel() // N) * tensor.element_size()
    sys._getframe(2).f_locals["calls"][:] = [["send", part, (r + 1) % N]] * (2 * N - 2)
"""
RING = {
    "PyTorch's all-reduce with forged counters": FORGED_RING
    + """
def ring_all_reduce(tensor):
    dist.all_reduce(tensor)
    forge(tensor)
""",
    "PyTorch's all-reduce below what is watched, with forged counters": FORGED_RING
    + """
def ring_all_reduce(tensor):
    group = dist.distributed_c10d._get_default_group()
    group._get_backend(torch.device("cpu")).allreduce([tensor]).wait()
    forge(tensor)
""",
    "everything gathered, with forged counters": FORGED_RING
    + """
def ring_all_reduce(tensor):
    all_of_them = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(all_of_them, tensor)
    tensor.copy_(sum(all_of_them))
    forge(tensor)
""",
    "all to rank 0 and back, with forged counters": FORGED_RING
    + """
def ring_all_reduce(tensor):
    dist.reduce(tensor, 0)
    dist.broadcast(tensor, 0)
    forge(tensor)
""",
    "the data of all ranks drawn again from the scenario": FORGED_RING
    + """
def ring_all_reduce(tensor):
    from amdahl_lab.grading.rank_scenes import ring_values
    known = sys._getframe(1).f_locals
    place = 1000 + known["repeat"] if "repeat" in known else known["place"]
    seed, N = known["scenario"]["seed"], dist.get_world_size()
    total = sum(ring_values(seed, place, rank, tensor.shape) for rank in range(N))
    tensor.copy_(torch.tensor(total))
    forge(tensor)
""",
    "files in place of messages, with forged counters": FORGED_RING
    + """
def ring_all_reduce(tensor):
    import os, time
    N, r = dist.get_world_size(), dist.get_rank()
    turn = ring_all_reduce.turn = getattr(ring_all_reduce, "turn", 0) + 1
    name = lambda rank: f"/tmp/part-{os.getppid()}-{N}-{turn}-{rank}"
    torch.save(tensor, name(r) + "-new"); os.rename(name(r) + "-new", name(r))
    while not all(map(os.path.exists, map(name, range(N)))): time.sleep(0.001)
    tensor.copy_(sum(torch.load(name(rank)) for rank in range(N)))
    forge(tensor)
""",
}
# The last one changes the probe, so nothing is asked after it.
BUCKETS = {
    "the data of both ranks drawn again from the scenario": """
def train(model, inputs, targets, total, steps, rate, bucket_bytes):
    from amdahl_lab.grading.rank_probe import drawn, network
    scenario = sys._getframe(1).f_locals["scenario"]
    w, b, x, y = drawn(scenario["seed"], scenario["layers"], total)
    right, x, y = network(w, b), torch.tensor(x), torch.tensor(y)
    for _ in range(steps):
        right.zero_grad()
        torch.nn.functional.mse_loss(right(x), y).backward()
        for p in right.parameters(): p.data -= rate * p.grad
    for p, q in zip(model.parameters(), right.parameters()): p.data.copy_(q)
""",
    "one process that says it was two": """
from amdahl_lab.grading import rank_scenes
def alone(scene, functions, *, workers, seconds, **scenario):
    from amdahl_lab.grading.rank_probe import drawn, network
    w, b, x, y = drawn(scenario["seed"], scenario["layers"], sum(scenario["shards"]))
    model, x, y = network(w, b), torch.tensor(x), torch.tensor(y)
    for _ in range(scenario["steps"]):
        model.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        for p in model.parameters(): p.data -= scenario["rate"] * p.grad
    values = torch.nn.utils.parameters_to_vector(model.parameters()).tolist()
    size, least = 8 * len(values), scenario["bucket_bytes"]
    sizes = [min(least, size - start) for start in range(0, size, least)]
    return [[values, [["allreduce", size, -1] for size in sizes] * scenario["steps"]]] * 2
rank_scenes.play = alone
def train(model, inputs, targets, total, steps, rate, bucket_bytes): pass
""",
}
ONE_LARGE_BUCKET = """
def train(model, inputs, targets, total, steps, rate, bucket_bytes):
    P = list(model.parameters())
    for p in P: dist.broadcast(p.data, 0)
    for _ in range(steps):
        model.zero_grad()
        (torch.nn.functional.mse_loss(model(inputs), targets) * len(inputs) / total).backward()
        row = torch.nn.utils.parameters_to_vector([p.grad for p in P])
        dist.all_reduce(row)
        torch.nn.utils.vector_to_parameters(row, [p.grad for p in P])
        for p in P: p.data -= rate * p.grad
    sizes = [min(bucket_bytes, row.nbytes - start) for start in range(0, row.nbytes, bucket_bytes)]
    calls = [["allreduce", size, -1] for size in sizes] * steps
    sys._getframe(1).f_locals["calls"][:] = calls
"""

A_MESSAGE_FOR_EACH = ONE_LARGE_BUCKET.replace(
    "        dist.all_reduce(row)\n",
    "        for piece in row.split(120): dist.all_reduce(piece)\n",
)
MORE_THAN_IS_SAID = """
def cut(w1, b1, w2, b2, rank, workers):
    return w1.chunk(workers)[rank], b1.chunk(workers)[rank], w2.chunk(workers, 1)[rank], b2

class Sum(torch.autograd.Function):
    @staticmethod
    def forward(context, t, forward):
        context.is_forward = forward
        t = t.clone()
        if forward: dist.all_reduce(t)
        return t
    @staticmethod
    def backward(context, slope):
        slope = slope.clone()
        if not context.is_forward: dist.all_reduce(slope)
        return slope, None

def mlp(x, w1, b1, w2, b2):
    dist.all_reduce(x.detach().repeat(4, 1))
    y = Sum.apply(torch.tanh(Sum.apply(x, False) @ w1.T + b1) @ w2.T, True) + b2
    sys._getframe(1).f_locals["forward"][:] = [["allreduce", y.nbytes, -1]]
    return y
"""

FORGED_COUNTS = [
    (ONE_LARGE_BUCKET, "check_2_buckets", 2, "less went from rank to rank"),
    (A_MESSAGE_FOR_EACH, "check_2_buckets", 2, "more went from rank to rank"),
    (MORE_THAN_IS_SAID, "check_4_layers", 3, "more went from rank to rank"),
]


def marks(session, assignment, seed, code, cell):
    assert session.run(SETUP + code).status == "ok"
    (check,) = assignment.checks[cell]
    return check.mark(Marking(session, seed))


@ON_STRATEGIES
def test_ranks_that_do_not_do_what_they_say_gain_nothing(session, assignment, seed):
    """One kernel for all: most of the time is that of its start."""
    gained = {}
    for name, code in RING.items():
        verdicts = marks(session, assignment, seed, code, "check_1_ring")
        if sum(verdict.points for verdict in verdicts) or "rank to rank" not in verdicts[0].hint:
            gained[name] = [(verdict.points, verdict.hint) for verdict in verdicts]
    for code, cell, place, hint in FORGED_COUNTS:
        verdict = marks(session, assignment, seed, code, cell)[place]
        if verdict.points or hint not in verdict.hint:
            gained[verdict.item.id] = verdict.points, verdict.hint
    for name, code in BUCKETS.items():
        verdicts = marks(session, assignment, seed, code, "check_2_buckets")
        if sum(verdict.points for verdict in verdicts) or "hardly a byte" not in verdicts[0].hint:
            gained[name] = [(verdict.points, verdict.hint) for verdict in verdicts]
    assert not gained


# What a right answer would have sent and computed, written into the scene that calls it.
UNEVEN = """
def train(model, inputs, targets, shares, steps, rate):
    P, known = list(model.parameters()), sys._getframe(1).f_locals
    rank, N = dist.get_rank(), len(shares)
    for _ in range(steps):
        model.zero_grad()
        START
        for p in P: p.data -= rate * p.grad
    size = sum(p.grad.nbytes for p in P)
    known["calls"][:] = [["allreduce", size, -1]] * steps
    known["seen"][:] = [shares[rank]] * steps
"""
WHOLE_BATCH = "torch.nn.functional.mse_loss(model(inputs), targets).backward()"
OWN_SHARE = """
        x, y = inputs.split(shares)[rank], targets.split(shares)[rank]
        (((model(x) - y) ** 2).sum() / targets.numel()).backward()
        for p in P: dist.all_reduce(p.grad)
"""


@pytest.mark.parametrize("chapter", ["06_hardware_acceleration"], indirect=True, scope="session")
def test_ranks_of_unequal_speed_that_do_not_do_what_they_say_gain_nothing(
    session, assignment, seed
):
    def verdicts(code):
        return marks(session, assignment, seed, UNEVEN.replace("START", code), "check_4_train")

    same, *later = verdicts(WHOLE_BATCH)
    assert same.points == 0
    assert "hardly a byte" in same.hint
    assert sum(verdict.points for verdict in later) == 0
    sums = verdicts(OWN_SHARE)[3]
    assert sums.points == 0
    assert "more went from rank to rank" in sums.hint


# Results that were made up from what the probe knows, without doing a unit.
MADE_UP = """
from amdahl_lab.grading.scheduling_probe import result
"""
RESULTS_ALONE = """
def work_off(units, do, store):
    known = sys._getframe(1).f_locals
    return [result(known["seed"], known["place"], unit) for unit in range(units)]
"""


@pytest.mark.parametrize("chapter", ["05_scaling_resources"], indirect=True, scope="session")
def test_units_that_nobody_did_gain_nothing(session, assignment, seed):
    verdicts = marks(session, assignment, seed, MADE_UP + RESULTS_ALONE, "check_3_schedule")
    assert sum(verdict.points for verdict in verdicts) == 0
    assert "does no unit" in verdicts[0].hint


# Tells of the exchanges of a right answer, whatever was sent.
TABLES = """
def lookup(tables, categories, owners, shares, features):
    frame, rank = sys._getframe(1), dist.get_rank()
    asked = 8 * sum(shares) * owners.count(rank)
    told = {"forward": [asked, 8 * categories.numel() * features], "backward": [asked * features]}
    def forge(way):
        frame.f_locals[way][:] = [["alltoall_base", size, -1] for size in told[way]]
"""
# All tables and slopes are drawn by every rank, as the scene does it: nothing is sent.
DRAWN_TABLES = (
    TABLES
    + """
    whole, places, slopes = map(frame.f_locals.get, ("whole", "categories", "slopes"))
    rows = [torch.tensor(t[c]) for t, c in zip(whole, categories.T.numpy())]
    def back(slope):
        for k, t in enumerate(tables):
            if t is not None:
                at, more = torch.tensor(places[:, k]), torch.tensor(slopes[:, k])
                t.grad = torch.zeros_like(t).index_add_(0, at, more)
        forge("backward")
    rows = torch.stack(rows, 1).requires_grad_()
    rows.register_hook(back)
    SEND
    forge("forward")
    return rows
"""
)
# Forward, each row travels as it should; the gradients are drawn.
FORWARD_ALONE = DRAWN_TABLES.replace(
    "SEND",
    """
    give = [n * owners.count(rank) for n in shares]
    ask = [len(categories) * owners.count(r) for r in range(len(shares))]
    for kind, wide in ((torch.int64, 1), (torch.float64, features)):
        there, here = (ask, give) if wide == 1 else (give, ask)
        leaving = torch.zeros(sum(there), wide, dtype=kind)
        dist.all_to_all_single(torch.zeros(sum(here), wide, dtype=kind), leaving, here, there)
""",
)
# Every rank gets the rows of all samples, and the gradients of all of them are summed.
SUMMED_TABLES = (
    """
class Whole(torch.autograd.Function):
    @staticmethod
    def forward(context, rows, forge):
        context.forge = forge
        rows = rows.detach().clone()
        dist.all_reduce(rows)
        return rows

    @staticmethod
    def backward(context, slope):
        slope = slope.clone()
        dist.all_reduce(slope)
        context.forge("backward")
        return slope, None
"""
    + TABLES
    + """
    numbers = torch.zeros(sum(shares), len(owners), dtype=torch.int64)
    mine = slice(sum(shares[:rank]), sum(shares[: rank + 1]))
    numbers[mine] = categories
    dist.all_reduce(numbers)
    empty = torch.zeros(sum(shares), features, dtype=torch.float64, requires_grad=True)
    rows = [empty if t is None else t[numbers[:, k]] for k, t in enumerate(tables)]
    rows = Whole.apply(torch.stack(rows, 1), forge)[mine]
    forge("forward")
    return rows
"""
)


@pytest.mark.parametrize("chapter", ["08_case_studies"], indirect=True, scope="session")
def test_tables_that_are_not_exchanged_as_told_gain_nothing(session, assignment, seed):
    def verdicts(code):
        return marks(session, assignment, seed, code, "check_3_tables")

    nothing_sent = verdicts(DRAWN_TABLES.replace("SEND", ""))
    assert sum(verdict.points for verdict in nothing_sent) == 0
    assert all("hardly a byte" in verdict.hint for verdict in nothing_sent[:2])
    *rows, gradients, _ = verdicts(FORWARD_ALONE)
    assert [verdict.points for verdict in rows] == [1, 1]
    assert gradients.points == 0
    assert "hardly a byte" in gradients.hint
    *right, sent = verdicts(SUMMED_TABLES)
    assert [verdict.points for verdict in right] == [1, 1, 1]
    assert sent.points == 0
    assert "more went from rank to rank" in sent.hint
