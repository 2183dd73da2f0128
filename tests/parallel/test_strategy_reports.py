"""What strategies report, held against closed forms that know nothing of the code."""

import importlib
import io
import pkgutil
import time
import tokenize
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from test_strategies import BLOCKS_PLAN, FEATURES, Clicks, batches, blocks, loss, sgd
from torch import nn

from amdahl_lab import communication
from amdahl_lab.demand import state_bytes
from amdahl_lab.parallel import RankError, run_ranks, strategies
from amdahl_lab.parallel.strategies import (
    Column,
    EmbeddingSharded,
    Hybrid,
    LayerPlacement,
    Pipeline,
    Row,
    Strategy,
    TensorParallel,
    Traffic,
    Zero1,
    Zero2,
    by_torch,
)
from amdahl_lab.parallel.strategies.memory import KeptActivations, tensor_bytes
from amdahl_lab.schedule import gpipe, one_forward_one_backward

EACH = 8  # bytes of a float64
SAMPLES, WIDTH = 12, 8


# Counting collectives -------------------------------------------------------------------------


def collectives_on_a_group() -> dict:
    """Ranks 1 and 2 of three talk; their numbers in the group are 0 and 1."""
    group, rank = dist.new_group([1, 2]), dist.get_rank()
    if rank == 0:
        return {}
    me, traffic, found = rank - 1, Traffic(), {}
    ones = torch.arange(4.0, dtype=torch.float64) + 10 * me
    found["all_reduce"] = ones.clone()
    traffic.all_reduce(found["all_reduce"], group)
    found["broadcast"] = ones.clone()
    traffic.broadcast(found["broadcast"], 1, group)
    whole = ones.clone()
    traffic.reduce_scatter(whole.chunk(2)[me], whole, group)  # in place
    found["reduce_scatter"] = whole.chunk(2)[me]
    found["all_gather"] = torch.empty(4, dtype=torch.float64)
    traffic.all_gather(found["all_gather"], ones[:2].clone(), group)
    # Three numbers: the group's rank 0 keeps one and is sent one, rank 1 gets two of each.
    found["all_to_all"] = torch.empty(2 * (1 + me), dtype=torch.float64)
    traffic.all_to_all(found["all_to_all"], ones[:3].clone(), [1 + me] * 2, [1, 2], group)
    message = traffic.send(ones[:2].clone(), 1 - me, group)
    found["recv"] = traffic.recv(torch.empty(2, dtype=torch.float64), 1 - me, group)
    message.wait()
    found["counts"] = traffic
    return found


def test_collectives_on_a_group_are_right_and_counted():
    _, first, second = run_ranks(collectives_on_a_group, 3)
    sums = [10.0, 12.0, 14.0, 16.0]
    for rank in (first, second):
        assert rank["all_reduce"].tolist() == sums
        assert rank["broadcast"].tolist() == [10.0, 11.0, 12.0, 13.0]
        assert rank["all_gather"].tolist() == [0.0, 1.0, 10.0, 11.0]
    assert first["reduce_scatter"].tolist() == sums[:2]
    assert second["reduce_scatter"].tolist() == sums[2:]
    assert first["all_to_all"].tolist() == [0.0, 10.0]
    assert second["all_to_all"].tolist() == [1.0, 2.0, 11.0, 12.0]
    assert (first["recv"].tolist(), second["recv"].tolist()) == ([10.0, 11.0], [0.0, 1.0])
    for rank in (first, second):
        traffic = rank["counts"]
        assert (traffic.collectives, traffic.messages) == (5, 1)
        assert traffic.bytes == EACH * (4 + 4 + 4 + 4 + 3 + 2)
        assert set(traffic.kinds.values()) == {1}
        assert len(traffic.kinds) == 7


def test_a_group_of_one_gets_its_own_numbers_and_counts_nothing():
    def alone() -> tuple:
        traffic, whole, ones = Traffic(), torch.zeros(3), torch.ones(3)
        traffic.all_reduce(ones)
        traffic.reduce_scatter(whole, ones)
        gathered, exchanged = torch.zeros(3), torch.zeros(3)
        traffic.all_gather(gathered, ones)
        traffic.all_to_all(exchanged, ones, [3], [3])
        return traffic, [whole, gathered, exchanged]

    traffic, results = run_ranks(alone, 1)[0]
    assert traffic == Traffic()
    assert all(each.tolist() == [1.0, 1.0, 1.0] for each in results)


# Counting a step ------------------------------------------------------------------------------


def even() -> nn.Sequential:
    """Return four pairs of dense layer and tanh, eight wide, that up to four ranks divide."""
    pairs = [(nn.Linear(WIDTH, WIDTH), nn.Tanh()) for _ in range(4)]
    return nn.Sequential(*(layer for pair in pairs for layer in pair))


def mean_square(model, batch):
    inputs, targets = batch
    return nn.functional.mse_loss(model(inputs), targets)


def even_batch() -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    shape = (SAMPLES, WIDTH)
    return tuple(torch.randn(shape, generator=rng, dtype=torch.float64) for _ in range(2))


def adam(model) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), 0.01)


def report(cut, model=even, optimizer=adam, batch=None, of=mean_square) -> dict:
    model = model().double()
    training = cut(model, optimizer(model), of)
    training.watched_step(even_batch() if batch is None else batch)
    traffic = training.traffic
    return {
        "kinds": dict(traffic.kinds),
        "collectives": traffic.collectives,
        "messages": traffic.messages,
        "bytes": traffic.bytes,
        "memory": training.memory,
        "setup": training.setup_traffic,
        "live": getattr(training, "most_live", None),
        "gathered": getattr(training, "gathered", None),
    }


def reports(cuts: dict) -> dict:
    return {name: report(*arguments) for name, arguments in cuts.items()}


PARAMETERS = 4 * (WIDTH * WIDTH + WIDTH)
EVEN_PLAN = {"0": Column(), "2": Row(), "4": Column(), "6": Row()}
ADAM_EACH = (EACH, EACH, 2 * EACH)
ACTIVATION = SAMPLES * WIDTH * EACH  # bytes of one layer's outputs for the whole batch


@pytest.mark.parametrize("workers", [2, 4])
def test_state_that_is_cut_costs_what_the_formulas_say(workers):
    """Against Rajbhandari et al.'s bytes, and the two halves of an all-reduce."""
    cuts = {"1": (Zero1,), "2": (Zero2,), "3": (by_torch.FullySharded,)}
    for rank in run_ranks(reports, workers, cuts):
        for stage, told in rank.items():
            memory = told["memory"]
            held = memory.parameters + memory.gradients + memory.optimizer_state
            expected = state_bytes(PARAMETERS, workers, int(stage), ADAM_EACH)
            if stage == "2":
                # Before the last gradient is given away it is there whole, with its padded copy,
                # and all shards but its own are: the first layer's weight comes last.
                expected += 2 * EACH * WIDTH * WIDTH - EACH * WIDTH * WIDTH // workers
            assert held == expected, stage
        size = PARAMETERS * EACH
        for stage, pieces in (("1", 1), ("2", 8)):
            told = rank[stage]
            assert told["kinds"] == {"reduce_scatter": pieces, "all_gather": pieces}
            assert told["bytes"] == 2 * size
        both = communication.reduce_scatter_seconds(
            size, workers, 0, 1
        ) + communication.all_gather_seconds(size, workers, 0, 1)
        assert both == communication.all_reduce_seconds(size, workers, 0, 1)
        assert rank["3"]["kinds"] == {"reduce_scatter": 1, "all_gather": 1}
        assert rank["3"]["bytes"] == 2 * size
        assert rank["3"]["gathered"] == size


@pytest.mark.parametrize("workers", [2, 4])
def test_fsdp_in_parts_gathers_a_layer_at_a_time_and_sends_half_as_much_again(workers):
    """Rajbhandari et al., section 7.2.2: three buffers instead of two."""
    parts = partial(by_torch.FullySharded, parts=("0", "2", "4", "6"))
    for rank in run_ranks(reports, workers, {"parts": (parts,), "whole": (by_torch.FullySharded,)}):
        parts, whole = rank["parts"], rank["whole"]
        memory = parts["memory"]
        held = memory.parameters + memory.gradients + memory.optimizer_state
        assert held == state_bytes(PARAMETERS, workers, 3, ADAM_EACH)
        assert parts["kinds"] == {"all_gather": 2 * 4, "reduce_scatter": 4}
        assert parts["bytes"] == 3 * PARAMETERS * EACH
        assert parts["gathered"] == PARAMETERS * EACH // 4
        # The backward pass asks for the outputs of each tanh and for all weights but the first.
        outputs, weight = ACTIVATION // workers, WIDTH * WIDTH * EACH
        assert whole["memory"].activations == 4 * outputs + 3 * weight
        # Here a weight is gone once its layer is through; the last, beside three outputs, is most.
        assert parts["memory"].activations == 3 * outputs + weight


def test_state_that_does_not_divide_is_padded_to_the_ranks():
    """7 x 5 + 7 + 7 + 1 numbers over three ranks: 51 in one bucket, or 36 + 9 + 9 + 3."""

    def odd() -> nn.Sequential:
        return nn.Sequential(nn.Linear(FEATURES, 7), nn.Tanh(), nn.Linear(7, 1))

    batch = batches(11)[0]
    cuts = {cut: (partial(cut), odd, adam, batch, loss) for cut in (Zero1, Zero2)}
    for rank in run_ranks(reports, 3, {cut.__name__: each for cut, each in cuts.items()}):
        one, two = rank["Zero1"], rank["Zero2"]
        assert one["bytes"] == 2 * 51 * EACH
        assert one["memory"].parameters == one["memory"].gradients == 51 * EACH
        assert one["memory"].optimizer_state == 2 * 17 * EACH
        assert (two["collectives"], two["bytes"]) == (8, 2 * 57 * EACH)
        assert two["memory"].parameters == 57 * EACH
        assert two["memory"].optimizer_state == 2 * 19 * EACH


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_tensor_parallelism_sums_once_each_way_for_each_pair(workers):
    cuts = {
        "even": (partial(TensorParallel, plan=EVEN_PLAN),),
        "blocks": (
            partial(TensorParallel, plan=BLOCKS_PLAN),
            blocks,
            sgd,
            batches(SAMPLES)[0],
            loss,
        ),
    }
    if workers > 1:
        cuts["torch"] = (partial(by_torch.TensorParallelByTorch, plan=EVEN_PLAN),)
    for rank in run_ranks(reports, workers, cuts):
        # Two pairs; nobody asks for the gradient of the data, so the first sums forward only.
        sums = 3 if workers > 1 else 0
        for name in rank.keys() - {"blocks"}:
            assert rank[name]["collectives"] == sums
            assert rank[name]["bytes"] == sums * ACTIVATION
        # Megatron's count: two forward and two backward for each of two blocks. Query, key and
        # value share one.
        sums = 8 if workers > 1 else 0
        assert rank["blocks"]["kinds"] == ({"all_reduce": sums} if sums else {})
        assert rank["blocks"]["bytes"] == sums * SAMPLES * FEATURES * 8 * EACH
        # Of each pair the two matrices and the first bias are cut, the second bias is whole.
        numbers = 2 * ((2 * WIDTH * WIDTH + WIDTH) // workers + WIDTH)
        for name in rank.keys() - {"blocks"}:
            memory = rank[name]["memory"]
            assert memory.parameters == memory.gradients == numbers * EACH
            assert memory.optimizer_state == 2 * numbers * EACH


@pytest.mark.parametrize(("stages", "micro_batches"), [(2, 1), (2, 6), (4, 2), (4, 6), (3, 4)])
def test_pipelines_keep_and_send_what_the_bounds_say(stages, micro_batches):
    layers = (4, 2, 2) if stages == 3 else None
    given = {"micro_batches": micro_batches, "layers": layers}
    cuts = {
        "gpipe": (partial(Pipeline, order=gpipe, **given),),
        "1f1b": (partial(Pipeline, order=one_forward_one_backward, **given),),
        "placement": (partial(LayerPlacement, layers=layers),),
    }
    if micro_batches >= stages:  # the library wants so many
        cuts["torch"] = (partial(by_torch.PipelineByTorch, **given),)
    one = ACTIVATION // micro_batches
    for stage, rank in enumerate(run_ranks(reports, stages, cuts)):
        pairs = {2: [2, 2], 3: [2, 1, 1], 4: [1, 1, 1, 1]}[stages][stage]
        neighbours = (stage > 0) + (stage < stages - 1)
        live = {
            "gpipe": micro_batches,
            "1f1b": min(stages - stage, micro_batches),  # Narayanan et al. 2021, section 2.2.1
            "placement": 1,
        }
        for name, most in live.items():
            told, messages = rank[name], 1 if name == "placement" else micro_batches
            assert told["live"] == most, (name, stage)
            assert told["collectives"] == 0
            assert told["messages"] == neighbours * messages
            assert told["kinds"].get("recv", 0) == neighbours * messages
            assert told["bytes"] == neighbours * ACTIVATION  # however many messages carry it
            # A pair keeps its tanh's outputs; what came from another rank is kept as well.
            kept = (pairs + (stage > 0)) * (ACTIVATION if name == "placement" else one)
            assert told["memory"].activations == most * kept, (name, stage)
            numbers = pairs * (WIDTH * WIDTH + WIDTH)
            assert told["memory"].parameters == told["memory"].gradients == numbers * EACH
            assert told["memory"].optimizer_state == 2 * numbers * EACH
        if "torch" in rank:
            # Its first step tells the neighbours the shapes, in messages of its own.
            assert rank["torch"]["messages"] >= neighbours * micro_batches
            assert rank["torch"]["memory"].parameters == numbers * EACH


def test_tied_ends_of_a_pipeline_send_each_other_their_gradient():
    def tied() -> nn.Sequential:
        model = even()
        model[6].weight = model[0].weight
        return model

    for stage, rank in enumerate(run_ranks(reports, 4, {"": (Pipeline, tied)})):
        extra = 1 if stage in (0, 3) else 0
        assert rank[""]["messages"] == 4 * ((stage > 0) + (stage < 3)) + extra


def test_sharded_embeddings_send_categories_rows_and_gradients():
    batch = batches(11, clicks=True)[0]
    ranks = run_ranks(reports, 3, {"": (EmbeddingSharded, Clicks, sgd, batch, loss)})
    # Tables of 11, 3, 7, 7 and 2 rows, the two sevens tied: 11 to rank 0, 7 and 7 to rank 1, then
    # 3 and 2 to rank 2, which has the fewest rows each time.
    tables, rows, trained = [1, 2, 2], [11, 7, 5], [11, 7, 3]
    shares, features = [4, 4, 3], 3
    dense = (15 + FEATURES) * 4 + 4 + 4 + 1
    for rank, told in enumerate(each[""] for each in ranks):
        assert told["kinds"] == {"all_to_all": 3, "all_reduce": 1}
        categories = shares[rank] * 5
        found = 11 * tables[rank] * features
        gradients = shares[rank] * 5 * features
        assert told["bytes"] == EACH * (categories + found + gradients + dense)
        memory = told["memory"]
        assert memory.parameters == EACH * (rows[rank] * features + dense)
        assert memory.gradients == EACH * (trained[rank] * features + dense)
        assert memory.optimizer_state == memory.gradients  # one momentum each


def test_a_mesh_sends_what_its_two_sides_send():
    cuts = {
        "tensor": (partial(Hybrid, copies=2, cut=partial(TensorParallel, plan=EVEN_PLAN)),),
        "pipeline": (partial(Hybrid, copies=2, cut=Pipeline),),
    }
    for told in run_ranks(reports, 4, cuts):
        numbers = 2 * ((2 * WIDTH * WIDTH + WIDTH) // 2 + WIDTH)
        assert told["tensor"]["kinds"] == {"all_reduce": 3 + 1}
        assert told["tensor"]["bytes"] == 3 * ACTIVATION // 2 + numbers * EACH
        assert told["tensor"]["memory"].parameters == numbers * EACH
        assert told["pipeline"]["kinds"] == {"send": 4, "recv": 4, "all_reduce": 1}
        assert told["pipeline"]["bytes"] == ACTIVATION // 2 + PARAMETERS // 2 * EACH


# Timeline -------------------------------------------------------------------------------------


def test_the_timeline_holds_the_phases_in_the_planned_order():
    def phases() -> list:
        model = even().double()
        training = Pipeline(model, adam(model), mean_square, micro_batches=4)
        training.step(even_batch())
        training.timeline.restart()
        training.step(even_batch())
        return [
            (each.name, each.micro_batch, each.start, each.end) for each in training.timeline.phases
        ]

    expected = [
        # Warm-up of one forward, then one of each in turn: Narayanan et al. 2021, figure 4.
        "F0 F1 B0 F2 B1 F3 B2 B3",
        "F0 B0 F1 B1 F2 B2 F3 B3",
    ]
    for rank, found in enumerate(run_ranks(phases, 2)):
        passes = [
            f"{name[0].upper()}{m}" for name, m, *_ in found if name in ("forward", "backward")
        ]
        assert " ".join(passes) == expected[rank]
        names = [name for name, *_ in found]
        assert names[-1] == "update"
        assert names.count("send") == names.count("recv") == 4
        times = [moment for *_, start, end in found for moment in (start, end)]
        assert times == sorted(times)
        assert times[0] >= 0


def test_phases_last_as_long_as_what_they_hold():
    def slept() -> float:
        timeline = strategies.MeasuredTimeline()
        timeline.restart()
        with timeline.phase("nap"):
            time.sleep(0.05)
        return timeline.phases[0].seconds

    before = time.perf_counter()
    assert 0.05 <= run_ranks(slept, 1)[0] < time.perf_counter() - before


# Memory ---------------------------------------------------------------------------------------


def test_memory_counts_shared_storage_once_and_activations_while_they_are_kept():
    weight = torch.zeros(4, 4, dtype=torch.float64, requires_grad=True)
    inputs = torch.ones(2, 4, dtype=torch.float64)
    assert tensor_bytes([weight, weight.T, weight[0], None]) == 16 * EACH
    with KeptActivations([weight, inputs]) as kept:
        outputs = torch.tanh(torch.tanh(inputs @ weight))
        assert kept.peak == 2 * 2 * 4 * EACH
        outputs.sum().backward()
        torch.tanh(inputs @ weight).sum().backward()
        assert kept.peak == 2 * 2 * 4 * EACH  # the first were given back by then
    torch.tanh(torch.ones(99, 4, dtype=torch.float64) @ weight)
    assert kept.peak == 2 * 2 * 4 * EACH


# Reading ---------------------------------------------------------------------------------------


def code_lines(path: Path) -> int:
    """Count lines that hold code: no blanks, comments or docstrings."""
    lines, statement = set(), True
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            statement = True
        elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER):
            if not (statement and token.type == tokenize.STRING):
                lines.update(range(token.start[0], token.end[0] + 1))
            statement = False
    return len(lines)


def test_a_strategy_by_hand_can_be_read_in_class():
    found = {}
    for module in pkgutil.iter_modules(strategies.__path__, f"{strategies.__name__}."):
        loaded = importlib.import_module(module.name)
        own = [
            value
            for value in vars(loaded).values()
            if isinstance(value, type)
            and issubclass(value, Strategy)
            and value.__module__ == module.name
        ]
        if own and own != [Strategy]:
            found[module.name.rpartition(".")[2]] = code_lines(Path(loaded.__file__))
    assert found.pop("by_torch")  # the library's, not to be read line by line
    assert len(found) >= 9
    assert max(found.values()) <= 60, found


# Wrong arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cut", "workers", "told"),
    [
        (partial(TensorParallel, plan={"1": Column()}), 2, "plan must name linear layers"),
        (partial(TensorParallel, plan={"0": Column(4)}), 3, "at least one for each of 3 ranks"),
        (partial(TensorParallel, plan={"0": Column(3)}), 2, "units of 3"),
        (partial(by_torch.TensorParallelByTorch, plan=EVEN_PLAN), 3, "parts of one size"),
        (partial(Pipeline, layers=(3, 4)), 2, "that add up to 8"),
        (partial(Pipeline, layers=(8, 0)), 2, "each at least 1"),
        (partial(Pipeline, micro_batches=0), 2, "micro_batches must be"),
        (partial(by_torch.PipelineByTorch, micro_batches=5), 2, "must divide the 12 samples"),
        (partial(Hybrid, copies=2, cut=Pipeline), 3, "copies must divide the 3 ranks"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(cut, workers, told):
    with pytest.raises(RankError, match=told):
        run_ranks(report, workers, cut)


def test_a_parameter_that_is_tied_is_cut_everywhere_or_nowhere():
    def tied() -> nn.Sequential:
        model = even()
        model[4].weight = model[0].weight
        return model

    for plan in ({"0": Column(), "2": Row()}, {"0": Column(), "2": Row(), "4": Row()}):
        with pytest.raises(RankError, match="plan must cut"):
            run_ranks(report, 2, partial(TensorParallel, plan=plan), tied)


def test_an_optimizer_with_two_groups_is_refused_where_one_is_needed():
    def two_groups(model) -> torch.optim.Optimizer:
        first, *others = model.parameters()
        return torch.optim.SGD([{"params": [first]}, {"params": others, "lr": 0.1}], 0.01)

    with pytest.raises(RankError, match="optimizer must have one group of parameters, got 2"):
        run_ranks(report, 1, Zero1, even, two_groups)
