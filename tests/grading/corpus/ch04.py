"""Answers to the exercises on parallel strategies."""

from corpus.answers import Answer, Group

_LATER = "counts once the sums are right"


def _ring(even: str, later: str = _LATER) -> dict[str, str]:
    return {"ring_even": even} | dict.fromkeys(
        ("ring_uneven", "ring_messages", "ring_bytes"), later
    )


# A ring in its usual form; the wrong ones change one line of it.
_RING = """
def ring_all_reduce(tensor):
    r, N = dist.get_rank(), dist.get_world_size()
    parts = list(tensor.view(-1).tensor_split(N))
    def turn(k, add):
        out, mine = parts[(r - k) % N], parts[(r - k - 1) % N]
        room = torch.empty_like(mine)
        sending = dist.isend(out, (r + 1) % N)
        dist.recv(room, (r - 1) % N)
        sending.wait()
        mine.copy_(mine + room if add else room)
    for k in range(N - 1): turn(k, True)
    for k in range(N - 1): turn(N - 1 + k, False)
"""

RING = [
    Answer(
        "check_1_ring",
        "right: the other way round, padded parts, both messages in one batch",
        """
def ring_all_reduce(tensor):
    r, N = dist.get_rank(), dist.get_world_size()
    flat = tensor.flatten()
    rows = torch.zeros(N * math.ceil(flat.numel() / N), dtype=flat.dtype)
    rows[: flat.numel()] = flat
    rows = rows.view(N, -1)
    for step in range(2 * N - 2):
        arrived = torch.empty_like(rows[0])
        ops = [dist.P2POp(dist.isend, rows[(r + step) % N], (r - 1) % N),
               dist.P2POp(dist.irecv, arrived, (r + 1) % N)]
        for one in dist.batch_isend_irecv(ops):
            one.wait()
        place = (r + step + 1) % N
        rows[place] = arrived + rows[place] if step < N - 1 else arrived
    tensor.copy_(rows.view(-1)[: flat.numel()].view_as(tensor))
""",
    ),
    Answer("check_1_ring", "right: two loops, recv that waits", _RING),
    Answer(
        "check_1_ring",
        "right: rank 0 receives later, blocking calls, names of its own",
        """
from torch.distributed import get_rank, get_world_size, recv, send

def ring_all_reduce(tensor):
    me, N = get_rank(), get_world_size()
    parts = tensor.view(-1).tensor_split(N)
    for step in range(2 * N - 2):
        go, come = parts[(me - step) % N], parts[(me - step - 1) % N]
        room = torch.empty_like(come)
        if me == 0:
            send(go, 1); recv(room, N - 1)
        else:
            recv(room, me - 1); send(go, (me + 1) % N)
        come[:] = come + room if step < N - 1 else room
""",
    ),
    Answer(
        "check_1_ring",
        "wrong: every rank sends before it receives",
        _RING.replace("sending = dist.isend", "dist.send").replace("sending.wait()", "pass"),
        _ring("start the send with isend"),
    ),
    Answer(
        "check_1_ring",
        "wrong: PyTorch's own all-reduce",
        "def ring_all_reduce(tensor): dist.all_reduce(tensor)",
        _ring("a collective of PyTorch", "a collective of PyTorch"),
    ),
    Answer(
        "check_1_ring",
        "wrong: everyone gets everything",
        """
def ring_all_reduce(tensor):
    r, N = dist.get_rank(), dist.get_world_size()
    own, rooms = tensor.clone(), {k: torch.empty_like(tensor) for k in range(N) if k != r}
    work = [dist.isend(own, k) for k in rooms] + [dist.irecv(rooms[k], k) for k in rooms]
    for one in work: one.wait()
    for room in rooms.values(): tensor += room
""",
        {"ring_messages": "do whole tensors travel", "ring_bytes": "larger than a part"},
    ),
    Answer(
        "check_1_ring",
        "wrong: all to rank 0 and back",
        """
def ring_all_reduce(tensor):
    r, N = dist.get_rank(), dist.get_world_size()
    if r == 0:
        for k in range(1, N):
            room = torch.empty_like(tensor)
            dist.recv(room, k)
            tensor += room
        for k in range(1, N): dist.send(tensor, k)
    else:
        dist.send(tensor, 0)
        dist.recv(tensor, 0)
""",
        {"ring_messages": "N - 1 messages from each rank", "ring_bytes": "larger than a part"},
    ),
    Answer(
        "check_1_ring",
        "wrong: the whole tensor goes round, twice",
        """
def ring_all_reduce(tensor):
    r, N = dist.get_rank(), dist.get_world_size()
    passing = tensor.clone()
    for step in range(2 * N - 2):
        room = torch.empty_like(tensor)
        sending = dist.isend(passing, (r + 1) % N)
        dist.recv(room, (r - 1) % N)
        sending.wait()
        passing = room
        if step < N - 1: tensor += room
""",
        {"ring_bytes": "larger than a part"},
    ),
    Answer(
        "check_1_ring",
        "wrong: parts go straight to their owner, not round the ring",
        """
def ring_all_reduce(tensor):
    r, N = dist.get_rank(), dist.get_world_size()
    parts = tensor.view(-1).tensor_split(N)
    others = [k for k in range(N) if k != r]
    def exchange(outs):
        rooms = [torch.empty_like(parts[r if outs is None else k]) for k in others]
        work = [dist.isend(parts[k] if outs is None else parts[r], k) for k in others]
        work += [dist.irecv(room, k) for room, k in zip(rooms, others)]
        for one in work: one.wait()
        return rooms
    for room in exchange(None): parts[r].add_(room)
    for k, room in zip(others, exchange("all")): parts[k].copy_(room)
""",
        {"ring_messages": "to one rank only"},
    ),
    Answer(
        "check_1_ring",
        "wrong: only the first half",
        _RING.replace("    for k in range(N - 1): turn(N - 1 + k, False)\n", ""),
        _ring("N - 1 more steps hand them round"),
    ),
    Answer(
        "check_1_ring",
        "wrong: adds in the second half too",
        _RING.replace("turn(N - 1 + k, False)", "turn(N - 1 + k, True)"),
        _ring(""),
    ),
    Answer(
        "check_1_ring",
        "wrong: equal parts, the rest is dropped",
        _RING.replace(
            "list(tensor.view(-1).tensor_split(N))", "tensor.view(-1).split(tensor.numel() // N)"
        ),
        {"ring_uneven": "the last few are left out"},
    ),
    Answer(
        "check_1_ring",
        "wrong: rows of one length, which not every tensor has",
        _RING.replace("list(tensor.view(-1).tensor_split(N))", "tensor.view(N, -1)"),
        {"ring_uneven": "stops with RuntimeError"},
    ),
    Answer(
        "check_1_ring",
        "wrong: a copy is summed and returned",
        _RING.replace("tensor.view(-1)", "tensor.clone().view(-1)") + "    return tensor\n",
        _ring("in place"),
    ),
    Answer(
        "check_1_ring",
        "wrong: the mean",
        _RING + "    tensor.copy_(tensor / N)\n",
        _ring("this is the mean"),
    ),
    Answer(
        "check_1_ring",
        "wrong: the number of elements goes ahead of each part",
        _RING.replace(
            "        sending = ",
            "        note = dist.isend(torch.tensor([len(out)]), (r + 1) % N)\n"
            "        dist.recv(torch.empty(1, dtype=torch.int64), (r - 1) % N); note.wait()\n"
            "        sending = ",
        ),
        {"ring_messages": "2 (N - 1) messages", "ring_bytes": ""},
    ),
]

_TRAIN_HEAD = """
def train(model, inputs, targets, total, steps, rate, bucket_bytes):
    P = list(model.parameters())
    for p in P: dist.broadcast(p.data, 0)
    for _ in range(steps):
        for p in P: p.grad = None
        torch.nn.functional.mse_loss(model(inputs), targets).backward()
"""
_UPDATE = """
        for p in P: p.data -= rate * p.grad
"""
_SUM = """
        row = torch.nn.utils.parameters_to_vector([p.grad for p in P]) * (len(inputs) / total)
        for start in range(0, len(row), bucket_bytes // 8):
            dist.all_reduce(row[start : start + bucket_bytes // 8])
        torch.nn.utils.vector_to_parameters(row, [p.grad for p in P])
"""
_UNTIL = "once the parameters are right for shards"


def _buckets(equal: str | None, unequal: str) -> dict[str, str]:
    lost = {"buckets_unequal": unequal, "buckets_number": _UNTIL, "buckets_size": _UNTIL}
    return lost if equal is None else {"buckets_equal": equal} | lost


BUCKETS = [
    Answer(
        "check_2_buckets",
        "right: the sum over samples, an optimiser, all buckets started before one is waited for",
        """
def train(model, inputs, targets, total, steps, rate, bucket_bytes):
    with torch.no_grad():
        start = torch.nn.utils.parameters_to_vector(model.parameters())
        dist.broadcast(start, src=0)
        torch.nn.utils.vector_to_parameters(start, model.parameters())
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        ((model(inputs) - targets) ** 2).mean(dim=1).sum().div(total).backward()
        row = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
        waiting = [dist.all_reduce(b, async_op=True) for b in row.split(bucket_bytes // 8)]
        for work in waiting:
            work.wait()
        start = 0
        for p in model.parameters():
            p.grad.copy_(row[start : start + p.numel()].view(p.shape))
            start += p.numel()
        optimizer.step()
""",
    ),
    Answer("check_2_buckets", "right: the gradients weighted", _TRAIN_HEAD + _SUM + _UPDATE),
    Answer(
        "check_2_buckets",
        "wrong: the plain mean over the ranks",
        _TRAIN_HEAD + _SUM.replace("(len(inputs) / total)", "0.5") + _UPDATE,
        _buckets(None, "whatever the size of its shard"),
    ),
    Answer(
        "check_2_buckets",
        "wrong: the means are summed",
        _TRAIN_HEAD + _SUM.replace(" * (len(inputs) / total)", "") + _UPDATE,
        _buckets("means are summed", "means are summed"),
    ),
    Answer(
        "check_2_buckets",
        "wrong: the sum over the samples, not divided",
        _TRAIN_HEAD + _SUM.replace("(len(inputs) / total)", "len(inputs)") + _UPDATE,
        _buckets("not divided by the total", "not divided by the total"),
    ),
    Answer(
        "check_2_buckets",
        "wrong: the ranks start apart",
        _TRAIN_HEAD.replace("for p in P: dist.broadcast(p.data, 0)", "pass") + _SUM + _UPDATE,
        _buckets("because they start apart", "because they start apart"),
    ),
    Answer(
        "check_2_buckets",
        "wrong: each trains alone after a common start",
        _TRAIN_HEAD + _UPDATE,
        _buckets("each rank trains alone", "each rank trains alone"),
    ),
    Answer(
        "check_2_buckets",
        "wrong: no step is taken",
        _TRAIN_HEAD + _SUM,
        _buckets("no step was taken", "no step was taken"),
    ),
    Answer(
        "check_2_buckets",
        "wrong: only rank 0 gets the sum",
        _TRAIN_HEAD + _SUM.replace("dist.all_reduce(", "dist.reduce(dst=0, tensor=") + _UPDATE,
        _buckets("every rank needs the same", "every rank needs the same"),
    ),
    Answer(
        "check_2_buckets",
        "wrong: one all-reduce for all gradients",
        _TRAIN_HEAD + _SUM.replace("bucket_bytes // 8", "len(row)") + _UPDATE,
        {"buckets_size": "larger than bucket_bytes"},
    ),
    Answer(
        "check_2_buckets",
        "wrong: an all-reduce for each parameter",
        _TRAIN_HEAD
        + """
        for p in P:
            p.grad *= len(inputs) / total
            dist.all_reduce(p.grad)
"""
        + _UPDATE,
        {"buckets_number": "side by side first", "buckets_size": "larger than bucket_bytes"},
    ),
    Answer(
        "check_2_buckets",
        "wrong: buckets end where a parameter ends",
        _TRAIN_HEAD
        + """
        for p in P:
            row = p.grad.view(-1)
            row *= len(inputs) / total
            for start in range(0, len(row), bucket_bytes // 8):
                dist.all_reduce(row[start : start + bucket_bytes // 8])
"""
        + _UPDATE,
        {"buckets_number": "side by side first"},
    ),
    Answer(
        "check_2_buckets",
        "wrong: bytes taken for elements",
        _TRAIN_HEAD + _SUM.replace("bucket_bytes // 8", "bucket_bytes") + _UPDATE,
        {"buckets_size": "larger than bucket_bytes"},
    ),
    Answer(
        "check_2_buckets",
        "wrong: the number of samples is summed as well",
        _TRAIN_HEAD
        + "        count = torch.tensor([len(inputs)]); dist.all_reduce(count)"
        + _SUM.replace("/ total", "/ count.item()")
        + _UPDATE,
        {"buckets_number": "more all-reduces than"},
    ),
    Answer(
        "check_2_buckets",
        "wrong: buckets are gathered",
        _TRAIN_HEAD
        + _SUM.replace(
            "dist.all_reduce(row[start : start + bucket_bytes // 8])",
            "part = row[start : start + bucket_bytes // 8]\n"
            "            both = [torch.empty_like(part), torch.empty_like(part)]\n"
            "            dist.all_gather(both, part); part.copy_(both[0] + both[1])",
        )
        + _UPDATE,
        {"buckets_number": "other calls than", "buckets_size": "fewer bytes"},
    ),
]

_SCHEDULES = ("schedule_bubble", "schedule_memory", "schedule_tight")


def _unrunnable(hint: str) -> dict[str, str]:
    return {"schedule_runs": hint} | dict.fromkeys(_SCHEDULES, "once every schedule can be run")


SCHEDULE = [
    Answer(
        "check_3_schedule",
        "right: by counting what is owed",
        """
def schedule(S, M, K):
    def stage(s):
        f = b = 0
        while b < M:
            if f < M and f - b < min(K, S - s):
                yield "F", f
                f += 1
            else:
                yield "B", b
                b += 1
    return [list(stage(s)) for s in range(S)]
""",
    ),
    Answer(
        "check_3_schedule",
        "right: in pairs on the middle stages where two fit, which beats 1F1B",
        """
def schedule(S, M, K):
    def stage(s):
        room = min(S - s, K)
        if K == 2 and 0 < s < S - 1 and S > 2:
            pairs = [range(k, min(k + 2, M)) for k in range(0, M, 2)]
            return [(kind, m) for pair in pairs for kind in "FB" for m in pair]
        fs, bs, out = [("F", m) for m in range(M)], [("B", m) for m in range(M)], []
        out, fs = fs[:room], fs[room:]
        for k, back in enumerate(bs):
            out += [back, *fs[k : k + 1]]
        return tuple(out)
    return tuple(map(stage, range(S)))
""",
    ),
    Answer(
        "check_3_schedule",
        "wrong: GPipe",
        "def schedule(S, M, K):\n"
        "    return [[(k, m) for k in 'FB' for m in range(M)] for s in range(S)]",
        {"schedule_memory": "that is GPipe", "schedule_tight": "that is GPipe"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: one micro-batch after the other",
        "def schedule(S, M, K):\n"
        "    return [[(k, m) for m in range(M) for k in 'FB'] for s in range(S)]",
        {
            "schedule_bubble": "one micro-batch at a time",
            "schedule_tight": "one micro-batch at a time",
        },
    ),
    Answer(
        "check_3_schedule",
        "wrong: one forward pass too few before taking turns",
        """
def schedule(S, M, K):
    out = []
    for s in range(S):
        a = min(max(S - s - 1, 1), K, M)
        order = [("F", m) for m in range(a)]
        for m in range(M):
            order += [("B", m)] + ([("F", m + a)] if m + a < M else [])
        out.append(order)
    return out
""",
        {"schedule_bubble": "before its first backward pass can arrive"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: the bound is not kept",
        """
def schedule(S, M, K):
    out = []
    for s in range(S):
        a = min(S - s, M)
        order = [("F", m) for m in range(a)]
        for m in range(M):
            order += [("B", m)] + ([("F", m + a)] if m + a < M else [])
        out.append(order)
    return out
""",
        {"schedule_memory": "more micro-batches than", "schedule_tight": "more micro-batches than"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: forward goes first when taking turns, so one too many is live",
        """
def schedule(S, M, K):
    out = []
    for s in range(S):
        a = min(S - s, K, M)
        order = [("F", m) for m in range(a)]
        for m in range(M):
            order += ([("F", m + a)] if m + a < M else []) + [("B", m)]
        out.append(order)
    return out
""",
        {"schedule_memory": "too many forward passes", "schedule_tight": "too many forward passes"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: all stages may hold the bound, blocks of it",
        """
def schedule(S, M, K):
    blocks = [range(start, min(start + K, M)) for start in range(0, M, K)]
    one = [(kind, m) for block in blocks for kind in "FB" for m in block]
    return [one for s in range(S)]
""",
        {"schedule_bubble": "the bubble is larger"},
    ),
    Answer(
        "check_3_schedule",
        "wrong: stages counted from the other end",
        """
def schedule(S, M, K):
    out = []
    for s in range(S):
        a = min(s + 1, K, M)
        order = [("F", m) for m in range(a)]
        for m in range(M):
            order += [("B", m)] + ([("F", m + a)] if m + a < M else [])
        out.append(order)
    return out
""",
        _unrunnable("the pipeline stands still"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: a backward pass before anything is owed",
        "def schedule(S, M, K):\n"
        "    return [[(k, m) for m in range(M) for k in 'BF'] for s in range(S)]",
        _unrunnable("the pipeline stands still"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: the last stage goes backward before it went forward",
        """
def schedule(S, M, K):
    plain = [[(k, m) for m in range(M) for k in "FB"] for s in range(S - 1)]
    return [*plain, [(k, m) for m in range(M) for k in "BF"]]
""",
        _unrunnable("the pipeline stands still"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: what is left over at the end is forgotten",
        """
def schedule(S, M, K):
    out = []
    for s in range(S):
        a = min(S - s - 1, K, M)
        order = [("F", m) for m in range(a)]
        for m in range(M - a):
            order += [("F", m + a), ("B", m)]
        out.append(order)
    return out
""",
        _unrunnable("a pass is missing"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: micro-batches counted from 1",
        "def schedule(S, M, K):\n"
        "    return [[(k, m + 1) for m in range(M) for k in 'FB'] for s in range(S)]",
        _unrunnable("from 0 to M - 1"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: one list of triples",
        "def schedule(S, M, K):\n"
        "    return [(s, k, m) for s in range(S) for k in 'FB' for m in range(M)]",
        _unrunnable("one list for each stage"),
    ),
    Answer(
        "check_3_schedule",
        "wrong: words in place of pairs",
        "def schedule(S, M, K):\n"
        "    return [[f'{k}{m}' for k in 'FB' for m in range(M)] for s in range(S)]",
        _unrunnable("each pass is a pair"),
    ),
]

_CUT = """
def cut(w1, b1, w2, b2, rank, workers):
    return (w1.chunk(workers)[rank], b1.chunk(workers)[rank],
            w2.chunk(workers, dim=1)[rank], b2)
"""
_WAYS = """
class In(torch.autograd.Function):
    @staticmethod
    def forward(context, x): return x.clone()
    @staticmethod
    def backward(context, g):
        g = g.clone(); dist.all_reduce(g); return g

class Out(torch.autograd.Function):
    @staticmethod
    def forward(context, y):
        y = y.clone(); dist.all_reduce(y); return y
    @staticmethod
    def backward(context, g): return g
"""
_MLP = """
def mlp(x, w1, b1, w2, b2):
    return Out.apply(torch.tanh(In.apply(x) @ w1.T + b1) @ w2.T) + b2
"""
_CUT_LATER = "once the parts are right"
_FORWARD_LATER = "once the outputs are right"


def _parts(hint: str) -> dict[str, str]:
    later = dict.fromkeys(("layers_forward", "layers_backward", "layers_sums"), _CUT_LATER)
    return {"layers_cut": hint} | later


def _outputs(hint: str) -> dict[str, str]:
    later = dict.fromkeys(("layers_backward", "layers_sums"), _FORWARD_LATER)
    return {"layers_forward": hint} | later


LAYERS = [
    Answer("check_4_layers", "right: chunks and clones", _CUT + _WAYS + _MLP),
    Answer(
        "check_4_layers",
        "right: hooks in place of functions, functional linear, views",
        """
def cut(w1, b1, w2, b2, rank, workers):
    w1, b1 = (t.unflatten(0, (workers, -1))[rank] for t in (w1, b1))
    return [w1, b1, w2.unflatten(1, (workers, -1))[:, rank], b2]

def add_up(g):
    g = g.contiguous().clone()
    dist.all_reduce(g)
    return g

def mlp(x, w1, b1, w2, b2):
    F = torch.nn.functional
    x = x * 1
    x.register_hook(add_up)
    share = F.linear(torch.tanh(F.linear(x, w1, b1)), w2)
    total = share.detach().clone()
    dist.all_reduce(total)
    return share + (total - share.detach()) + b2
""",
    ),
    Answer(
        "check_4_layers",
        "wrong: the first layer cut along its inputs",
        """
def cut(w1, b1, w2, b2, rank, workers):
    return w1.chunk(workers, 1)[rank], b1, w2.chunk(workers, 1)[rank], b2
"""
        + _WAYS
        + _MLP.replace("In.apply(x)", "In.apply(x).chunk(2, 1)[dist.get_rank()]"),
        _parts("tanh of a share is no share"),
    ),
    Answer(
        "check_4_layers",
        "wrong: both layers cut along their outputs",
        """
def cut(w1, b1, w2, b2, rank, workers):
    return [each.chunk(workers)[rank] for each in (w1, b1, w2, b2)]
"""
        + _WAYS
        + "def mlp(x, w1, b1, w2, b2): return x",
        _parts("the second layer is cut along its outputs"),
    ),
    Answer(
        "check_4_layers",
        "wrong: nothing is cut",
        "def cut(w1, b1, w2, b2, rank, workers): return w1, b1, w2, b2\n"
        "def mlp(x, w1, b1, w2, b2): return torch.tanh(x @ w1.T + b1) @ w2.T + b2",
        _parts("the whole first layer"),
    ),
    Answer(
        "check_4_layers",
        "wrong: the second bias is cut too",
        _CUT.replace(", b2)", ", b2.chunk(workers)[rank])") + _WAYS + _MLP,
        _parts("the second bias stays whole"),
    ),
    Answer(
        "check_4_layers",
        "wrong: the first bias stays whole",
        _CUT.replace("b1.chunk(workers)[rank]", "b1") + _WAYS + _MLP,
        _parts("cut it with them"),
    ),
    Answer(
        "check_4_layers",
        "wrong: every rank has the first half",
        _CUT.replace("[rank]", "[0]") + _WAYS + _MLP,
        _parts("rank 0 has the first half"),
    ),
    Answer(
        "check_4_layers",
        "wrong: a transpose is missing",
        _CUT + _WAYS + _MLP.replace("@ w1.T", "@ w1"),
        _outputs("mlp stops with RuntimeError"),
    ),
    Answer(
        "check_4_layers",
        "wrong: only cut is written",
        _CUT + "def mlp(x, w1, b1, w2, b2): ...",
        {
            "layers_forward": "not written yet",
            "layers_backward": "not written yet",
            "layers_sums": "not written yet",
        },
    ),
    Answer(
        "check_4_layers",
        "wrong: the second bias counts on each rank",
        _CUT + _WAYS + _MLP.replace("w2.T) + b2", "w2.T + b2)"),
        _outputs("counts N times"),
    ),
    Answer(
        "check_4_layers",
        "wrong: the shares are not summed",
        _CUT + _WAYS + _MLP.replace("Out.apply", ""),
        _outputs("has its share of the outputs"),
    ),
    Answer(
        "check_4_layers",
        "wrong: the second bias is forgotten",
        _CUT + _WAYS + _MLP.replace(" + b2", ""),
        _outputs("the second bias is missing"),
    ),
    Answer(
        "check_4_layers",
        "wrong: the shares' mean",
        _CUT + _WAYS + _MLP.replace("Out.apply(", "0.5 * Out.apply(b2 + "),
        _outputs(""),
    ),
    Answer(
        "check_4_layers",
        "wrong: the gradient of x is not summed",
        _CUT + _WAYS + _MLP.replace("In.apply(x)", "x"),
        {"layers_backward": "only this rank's share", "layers_sums": "on the way backward, and"},
    ),
    Answer(
        "check_4_layers",
        "wrong: summed on the way back as well, as PyTorch's own function does",
        _CUT
        + _WAYS
        + """
from torch.distributed.nn.functional import all_reduce
def mlp(x, w1, b1, w2, b2):
    return all_reduce(torch.tanh(In.apply(x) @ w1.T + b1) @ w2.T) + b2
""",
        {"layers_backward": "N times too large", "layers_sums": "more than one collective"},
    ),
    Answer(
        "check_4_layers",
        "wrong: the graph ends at the all-reduce",
        _CUT
        + """
def mlp(x, w1, b1, w2, b2):
    y = (torch.tanh(x @ w1.T + b1) @ w2.T).detach()
    dist.all_reduce(y)
    return y + b2
""",
        {"layers_backward": "a gradient is missing", "layers_sums": "on the way backward, and"},
    ),
    Answer(
        "check_4_layers",
        "wrong: more is summed than is needed",
        _CUT
        + _WAYS.replace(
            "y = y.clone(); dist.all_reduce(y); return y",
            "both = torch.cat([y, y]); dist.all_reduce(both); return both[: len(y)]",
        )
        + _MLP,
        {"layers_sums": "on the way forward is larger"},
    ),
    Answer(
        "check_4_layers",
        "wrong: the hidden units are gathered",
        _CUT
        + _WAYS
        + """
def mlp(x, w1, b1, w2, b2):
    h = torch.tanh(In.apply(x) @ w1.T + b1)
    both = [torch.empty_like(h), torch.empty_like(h)]
    dist.all_gather(both, h.detach().contiguous())
    return Out.apply(h @ w2.T) + b2
""",
        {"layers_sums": "more than one collective on the way forward"},
    ),
]

_STATE = """
def state_bytes(P, data, tensor, pipeline, zero):
    shared = [1, 1 / data]
    held = 12 * shared[int(zero > 0)] + 2 * shared[int(zero > 1)] + 2 * shared[int(zero > 2)]
    return P / tensor / pipeline * held
"""
_EXPOSED = """
def exposed_seconds(backward, c, B):
    return max(c, B * c - backward * (B - 1) / B)
"""
_STEP = """
def step_seconds(compute, plan, M, exposed):
    d, t, p, _ = plan
    return exposed + compute * (M + p - 1) / (M * d * t * p)
"""
_CHEAPEST = """
def cheapest_plan(plans, exposed, P, memory, compute, M):
    prices = [(np.prod(plan[:3]) * step_seconds(compute, plan, M, e), k)
              for k, (plan, e) in enumerate(zip(plans, exposed))
              if state_bytes(P, *plan) <= memory]
    return min(prices)[1] if prices else -1
"""

PLANS = [
    Answer(
        "check_5_plan", "right: closed forms, one line each", _STATE + _EXPOSED + _STEP + _CHEAPEST
    ),
    Answer(
        "check_5_plan",
        "wrong: cut over all workers; all that does not fit; no bubble; the fastest",
        """
def state_bytes(P, d, t, p, z):
    N = d * t * p
    return P * (2 / (N if z >= 3 else 1) + 2 / (N if z >= 2 else 1) + 12 / (N if z >= 1 else 1))

def exposed_seconds(backward, c, B):
    return max(0, B * c - backward)

def step_seconds(compute, plan, M, exposed):
    return compute / np.prod(plan[:3]) + exposed

def cheapest_plan(plans, exposed, P, memory, compute, M):
    best, least = -1, math.inf
    for k, (d, t, p, z) in enumerate(plans):
        each = [12 / (d if z else 1), 2 / (d if z > 1 else 1), 2 / (d if z > 2 else 1)]
        held = P / (t * p) * sum(each)
        seconds = compute / (d * t * p) * (M + p - 1) / M + exposed[k]
        if held <= memory and seconds < least:
            best, least = k, seconds
    return best
""",
        {
            "plan_state": "data-parallel workers only",
            "plan_exposed": "the last bucket is ready only when",
            "plan_step": "the bubble is missing",
            "plan_cheapest": "the fastest plan that fits",
        },
    ),
    Answer(
        "check_5_plan",
        "wrong: whole model on each; starts at once; 1 + bubble; memory ignored",
        """
def state_bytes(P, d, t, p, z):
    return P * (2 / (d if z >= 3 else 1) + 2 / (d if z >= 2 else 1) + 12 / (d if z >= 1 else 1))

def exposed_seconds(backward, c, B):
    return max(c, B * c - backward)

def step_seconds(compute, plan, M, exposed):
    d, t, p, z = plan
    return compute / (d * t * p) * (1 + (p - 1) / (M + p - 1)) + exposed

def cheapest_plan(plans, exposed, P, memory, compute, M):
    price = [compute * (M + p - 1) / M + d * t * p * e for (d, t, p, z), e in zip(plans, exposed)]
    return int(np.argmin(price))
""",
        {
            "plan_state": "before ZeRO cuts anything",
            "plan_exposed": "before the first bucket is ready",
            "plan_step": "do not multiply by 1 + bubble",
            "plan_cheapest": "it has to fit into memory",
        },
    ),
    Answer(
        "check_5_plan",
        "wrong: always cut; nothing hidden; only the stages; the fewest workers",
        """
def state_bytes(P, d, t, p, z):
    return 16 * P / (d * t * p)

def exposed_seconds(backward, c, B):
    return c * B

def step_seconds(compute, plan, M, exposed):
    d, t, p, z = plan
    return compute / p * (M + p - 1) / M + exposed

def cheapest_plan(plans, exposed, P, memory, compute, M):
    best, fewest = -1, math.inf
    for k, (d, t, p, z) in enumerate(plans):
        each = [12 / (d if z else 1), 2 / (d if z > 1 else 1), 2 / (d if z > 2 else 1)]
        held = P / (t * p) * sum(each)
        if held <= memory and d * t * p < fewest:
            best, fewest = k, d * t * p
    return best
""",
        {
            "plan_state": "keeps a whole copy on every worker",
            "plan_exposed": "is hidden",
            "plan_step": "product of all three",
            "plan_cheapest": "the fewest workers are not always",
        },
    ),
    Answer(
        "check_5_plan",
        "wrong: the small parts first; one bucket; no communication; without ZeRO",
        """
def state_bytes(P, d, t, p, z):
    held = [2, 2, 12]
    return P / (t * p) * sum(n / d if i < z else n for i, n in enumerate(held))

def exposed_seconds(backward, c, B):
    return c

def step_seconds(compute, plan, M, exposed):
    d, t, p, z = plan
    return compute / (d * t * p) * (M + p - 1) / M

def cheapest_plan(plans, exposed, P, memory, compute, M):
    best, least = -1, math.inf
    for k, (d, t, p, z) in enumerate(plans):
        price = compute * (M + p - 1) / M + d * t * p * exposed[k]
        if 16 * P / (t * p) <= memory and price < least:
            best, least = k, price
    return best
""",
        {
            "plan_state": "the largest part goes first",
            "plan_exposed": "queue up",
            "plan_step": "comes on top",
            "plan_cheapest": "count the state with it",
        },
    ),
    Answer(
        "check_5_plan",
        "wrong: each stage of ZeRO by itself; the bubble of all; no plan",
        """
def state_bytes(P, d, t, p, z):
    parts = {1: 12, 2: 2, 3: 2}
    whole = 16 - parts.get(z, 0)
    return P / (t * p) * (whole + parts.get(z, 0) / d)

def exposed_seconds(backward, c, B):
    return c if c * B < backward else c * B

def step_seconds(compute, plan, M, exposed):
    d, t, p, z = plan
    return (compute / (d * t * p) + exposed) * (M + p - 1) / M

def cheapest_plan(plans, exposed, P, memory, compute, M):
    best, least = None, math.inf
    for k, (d, t, p, z) in enumerate(plans):
        each = [12 / (d if z else 1), 2 / (d if z > 1 else 1), 2 / (d if z > 2 else 1)]
        held = P / (t * p) * sum(each)
        price = compute * (M + p - 1) / M + d * t * p * exposed[k]
        if held <= memory and price < least:
            best, least = k, price
    return best
""",
        {
            "plan_state": "keeps what the one before cut",
            "plan_exposed": "when is each ready",
            "plan_step": "only the passes wait in the bubble",
            "plan_cheapest": "return -1",
        },
    ),
]

_SETUP = """
import math
import numpy as np
import torch
import torch.distributed as dist
"""
GROUPS = [
    Group("plain", [*SCHEDULE, *PLANS], setup=_SETUP, every_seed=True),
    Group("ranks", [*RING, *BUCKETS, *LAYERS], setup=_SETUP),
]
