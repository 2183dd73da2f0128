"""The cluster model against published tables and against what any such model must obey."""

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amdahl_lab import cluster, demand
from amdahl_lab.cluster import Plan, Plans, Transformer, a100_cluster, memory, step_time
from amdahl_lab.recorded.published import published_table, published_tables

COURSE = Path(__file__).resolve().parents[2]
FITTED = ("matmul_efficiency", "memory_efficiency", "NVLink", "InfiniBand")
GPT3 = Transformer(layers=96, hidden=12288, heads=96, sequence=2048, vocabulary=51200)


@pytest.fixture(scope="module")
def published():
    return [cluster.published_step(row) for row in published_table("published_step_times")]


def seconds(workload, plan, machine=None):
    return float(step_time(workload, machine or a100_cluster(), plan).total[0])


# ---- published numbers -------------------------------------------------------------------------


def test_four_parameters_give_the_eight_published_step_times(published):
    assert len(published) == 8
    fit = cluster.calibrate(a100_cluster(), published, FITTED)
    assert np.abs(fit.errors).mean() <= 0.025
    assert np.abs(fit.errors).max() <= 0.05
    assert fit.parameters == pytest.approx(cluster.machine.A100_FITTED, abs=2e-4)


def test_models_left_out_of_the_fit_are_predicted(published):
    errors = cluster.leave_one_out(a100_cluster(), published, FITTED)
    assert np.abs(errors).mean() <= 0.025
    assert np.abs(errors).max() <= 0.05


def test_what_is_left_out_does_not_reach_its_own_fit(published):
    errors = cluster.leave_one_out(a100_cluster(), published, FITTED)
    group = published[0].group
    own = np.array([seen.group == group for seen in published])
    slower = [
        replace(seen, seconds=2 * seen.seconds) if seen.group == group else seen
        for seen in published
    ]
    changed = cluster.leave_one_out(a100_cluster(), slower, FITTED)
    np.testing.assert_allclose(1 + changed[own], (1 + errors[own]) / 2, rtol=1e-9)


def test_the_latencies_do_not_carry_the_fit(published):
    machine = a100_cluster()
    without = replace(machine, networks=tuple(replace(n, latency=0.0) for n in machine.networks))
    for seen in published:
        with_latency = seconds(seen.workload, seen.plan)
        assert seconds(seen.workload, seen.plan, without) == pytest.approx(with_latency, rel=0.01)
    fit = cluster.calibrate(without, published, FITTED)
    assert np.abs(fit.errors).mean() <= 0.025
    assert np.abs(fit.errors).max() <= 0.05


def test_published_memory_of_the_layers(published):
    plans = {(seen.group, seen.plan.recompute): seen for seen in published}
    rows = published_table("published_memory")
    assert len(rows) == 8
    for row in rows:
        recompute = row["mode"].split(" + ")[0]
        seen = plans[row["model"], "selective" if recompute == "selective" else "full"]
        plan = replace(seen.plan, recompute=recompute)
        held = memory(seen.workload, plan, layers_only=True)
        states = (held.parameters + held.gradients + held.optimizer)[0] / 2**30
        assert states == pytest.approx(float(row["parameters_and_optimizer_gib"]), rel=0.03)
        activations = held.activations[0] / 2**30
        assert activations == pytest.approx(float(row["activations_gib"]), rel=0.03)


def test_gpipe_speedups_where_micro_batches_fill_the_pipeline():
    rows = [
        row
        for row in published_table("published_pipeline_speedup")
        if row["model"] == "Transformer" and int(row["micro_batches"]) == 32
    ]
    assert len(rows) == 3
    layer = cluster.Layer("block", forward_seconds=1.0, backward_seconds=2.0)
    model = cluster.measured([layer] * 48)
    one = Plan(global_batch=32, micro_batch=32, pipeline=2, schedule="gpipe", recompute="full")
    base = seconds(model, one, FREE)
    for row in rows:
        plan = replace(one, micro_batch=1, pipeline=int(row["accelerators"]))
        speedup = base / seconds(model, plan, FREE)
        assert speedup == pytest.approx(float(row["speedup"]), rel=0.08)


FREE = cluster.Machine(
    name="links that cost nothing",
    peak_flops=1.0,
    memory_bandwidth=1.0,
    memory=1e12,
    networks=(cluster.Network("wire", math.inf, 0.0, 1e30),),
)


def test_resnet50_has_its_published_size():
    layers = cluster.resnet50().layers
    assert sum(layer.parameters for layer in layers) == 25_557_032  # torchvision's count
    # He et al., arXiv:1512.03385, table 1, 3.8e9 multiply-adds with the stride in the first
    # convolution; 4.09e9 with it in the second, as torchvision reports.
    assert sum(layer.forward_flops for layer in layers) / 2 == pytest.approx(4.09e9, rel=0.002)


def test_published_tables_name_their_sources():
    bibliography = (COURSE / "book" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"^@\w+\{([\w-]+),", bibliography, re.MULTILINE))
    wanted = r"arXiv:\d{4}\.\d{5}|epoch-research/|[\w.-]+/[\w.-]+@[0-9a-f]{8,}"  # at a commit
    for name in published_tables():
        for source in (row["source"] for row in published_table(name)):
            assert re.match(wanted, source) or re.match(r"[\w-]*", source).group() in keys, source
    with pytest.raises(ValueError, match="published_memory"):
        published_table("memory")


# ---- what any such model must obey -------------------------------------------------------------


def test_compute_on_one_perfect_worker_is_the_model_flops():
    machine = cluster.Machine(
        "only arithmetic", 1e15, 1e30, 1e15, (cluster.Network("none", math.inf, 0, 1e30),)
    )
    step = step_time(GPT3, machine, Plan(global_batch=2))
    assert step.compute[0] == pytest.approx(demand.model_flops(2, 96, 12288, 2048, 51200) / 1e15)


def test_full_recomputation_costs_the_published_flops():
    machine = cluster.Machine(
        "only arithmetic", 1e15, 1e30, 1e15, (cluster.Network("none", math.inf, 0, 1e30),)
    )
    step = step_time(GPT3, machine, Plan(global_batch=2, recompute="full"))
    flops = demand.hardware_flops(2, 96, 12288, 2048, 51200, "full")
    assert step.compute[0] == pytest.approx(flops / 1e15)


@pytest.mark.parametrize(("stages", "micro_batches"), [(2, 4), (8, 8), (16, 64)])
@pytest.mark.parametrize("schedule", ["gpipe", "1f1b"])
def test_the_bubble_of_equal_stages_is_exact(stages, micro_batches, schedule):
    layer = cluster.Layer("block", forward_seconds=1.0, backward_seconds=2.0)
    plan = Plan(global_batch=micro_batches, pipeline=stages, schedule=schedule)
    step = step_time(cluster.measured([layer] * 16), FREE, plan)
    share = step.bubble[0] / step.total[0]
    assert share == pytest.approx((stages - 1) / (micro_batches + stages - 1), rel=1e-9)


def test_chunks_divide_the_bubble():
    plain = Plan(global_batch=64, tensor=8, pipeline=8)
    steps = [step_time(GPT3, FREE, replace(plain, chunks=v)).bubble[0] for v in (1, 2, 3)]
    np.testing.assert_allclose(steps, steps[0] / np.array([1, 2, 3]), rtol=1e-9)


def random_plans(count, rng):
    def pick(*values):
        return rng.choice(np.array(values, dtype=float), count)

    pipeline = pick(1, 2, 4, 8)
    return Plans(
        global_batch=256,
        micro_batch=pick(1, 2, 4),
        data=pick(1, 2, 4, 8),
        tensor=pick(1, 2, 4, 8),
        pipeline=pipeline,
        chunks=np.where(pipeline > 1, pick(1, 2, 3), 1),
        sharding=pick(0, 1, 2, 3),
        recompute=pick(0, 1, 2),
        sequence_parallel=pick(0, 1) > 0,
        overlap=pick(0, 0.5, 1),
    )


def test_columns_say_what_single_plans_say():
    plans = random_plans(9000, np.random.default_rng(0))  # more than two blocks
    machine = a100_cluster().with_parameters(jitter=0.05)
    columns, held = step_time(GPT3, machine, plans), memory(GPT3, plans)
    for index in (0, 4095, 4096, 8999):
        plan = plans.plan(index)
        assert seconds(GPT3, plan, machine) == pytest.approx(columns.total[index], rel=1e-12)
        assert memory(GPT3, plan).total[0] == pytest.approx(held.total[index], rel=1e-12)
        assert plan.workers == plans.workers[index]


def test_more_of_anything_costly_never_speeds_a_step_up():
    plans = random_plans(2000, np.random.default_rng(1))
    base = a100_cluster()
    fast = step_time(GPT3, base, plans).total
    for slower in (
        base.with_parameters(matmul_efficiency=0.4),
        base.with_parameters(NVLink=0.1),
        base.with_parameters(InfiniBand=0.05),
        base.with_parameters(memory_efficiency=0.3),
        base.with_parameters(jitter=0.1),
    ):
        assert np.all(step_time(GPT3, slower, plans).total >= fast)
    hidden = step_time(GPT3, base, replace(plans, overlap=1.0)).total
    shown = step_time(GPT3, base, replace(plans, overlap=0.0)).total
    assert np.all(hidden <= shown)


def test_no_plan_beats_the_arithmetic():
    plans = random_plans(2000, np.random.default_rng(2))
    least = demand.model_flops(256, 96, 12288, 2048, 51200) / (312e12 * plans.workers)
    assert np.all(step_time(GPT3, a100_cluster(), plans).total > least)


def test_sharding_sends_and_holds_what_its_paper_counts():
    # arXiv:1910.02054, section 7: stages 0 to 2 send the same, stage 3 half as much again, for
    # gradients and weights of one width and one micro-batch.
    model = Transformer(12, 1024, 16, 512, 1024, gradient_bytes=2)
    plans = [Plan(global_batch=8, data=8, sharding=stage) for stage in range(4)]
    sent = np.array([step_time(model, FREE_SLOW, plan).data[0] for plan in plans])
    np.testing.assert_allclose(sent / sent[0], [1, 1, 1, 1.5], rtol=1e-9)
    held = memory(model, Plans.of(*plans))
    states = held.parameters + held.gradients + held.optimizer
    # figure 1: (2 + 2 + 12) P; 4 P + 12 P / 8; 2 P + 14 P / 8; 16 P / 8
    np.testing.assert_allclose(states / states[0], np.array([16, 5.5, 3.75, 2]) / 16, rtol=1e-9)


FREE_SLOW = replace(FREE, networks=(cluster.Network("wire", math.inf, 0.0, 1e9),))


def test_overlap_hides_no_more_than_there_is():
    plan = Plan(global_batch=8, data=8, overlap=1.0)
    assert step_time(GPT3, FREE, plan).data[0] == 0
    bare = step_time(GPT3, a100_cluster(), replace(plan, overlap=0.0)).data[0]
    hidden = step_time(GPT3, a100_cluster(), plan).data[0]
    backward = GPT3.work(Plans.of(plan), a100_cluster()).backward[0]
    assert hidden == pytest.approx(max(bare - backward, 0), rel=1e-9)


def test_part_filled_waves_cost_a_whole_wave():
    machine = replace(a100_cluster(), multiprocessors=4, tile=(2, 2))
    assert machine.padding(4, 4) == 1  # four tiles on four units
    assert machine.padding(4, 6) == pytest.approx(8 / 6)  # six tiles take two waves
    assert machine.padding(1, 1) == 16  # one number keeps a unit for a whole tile, and four units
    assert replace(machine, multiprocessors=0).padding(3, 5) == 1


@pytest.mark.parametrize("extent", [1, 8])
def test_groups_inside_a_node_use_its_network(extent):
    machine = a100_cluster()
    assert machine.link(extent)[1] == machine.networks[0].inverse_bandwidth
    assert machine.link(9)[1] == machine.networks[1].inverse_bandwidth


# ---- lists of layers ---------------------------------------------------------------------------


def test_measured_layers_come_back_as_their_sum():
    layers = [
        cluster.Layer("a", forward_seconds=1e-3, backward_seconds=2e-3, fixed_seconds=5e-4),
        cluster.Layer("b", forward_seconds=4e-3, backward_seconds=8e-3, fixed_seconds=5e-4),
    ]
    model = cluster.measured(layers)
    assert seconds(model, Plan(global_batch=32, micro_batch=32), FREE) == pytest.approx(
        32 * 15e-3 + 1e-3
    )
    assert seconds(model, Plan(global_batch=32, micro_batch=8), FREE) == pytest.approx(
        32 * 15e-3 + 4 * 1e-3
    )


def test_measured_layers_refuse_what_would_count_twice():
    with pytest.raises(ValueError, match="'a' must have measured seconds"):
        cluster.measured([cluster.Layer("a", parameters=3)])
    with pytest.raises(ValueError, match="'a' must have seconds or FLOPs"):
        cluster.measured([cluster.Layer("a", forward_seconds=1, forward_flops=1)])


def test_cuts_are_the_best_of_all_cuts():
    rng = np.random.default_rng(3)
    for _ in range(30):
        weights = rng.uniform(0, 1, 8)
        for parts in (1, 2, 3):
            cuts = cluster.layered.balanced_cuts(tuple(weights), parts)
            got = np.add.reduceat(weights, cuts[:-1]).max()
            best = min(
                np.add.reduceat(weights, [0, *inner]).max()
                for inner in itertools.combinations(range(1, 8), parts - 1)
            )
            assert got == pytest.approx(best, rel=1e-12)


def test_embedding_tables_are_cut_over_the_data_workers():
    model = cluster.recommendation(tables=8, entries=1000, features=16, bottom=(32, 16))
    one = memory(model, Plan(global_batch=64, micro_batch=8))
    four = memory(model, Plan(global_batch=64, micro_batch=8, data=4))
    tables = 8 * 1000 * 16 * 4
    assert one.parameters[0] - four.parameters[0] == pytest.approx(tables * 3 / 4)
    assert step_time(model, a100_cluster(), Plan(global_batch=64, data=4)).exchange[0] > 0
    assert step_time(model, a100_cluster(), Plan(global_batch=64)).exchange[0] == 0


# ---- the timeline ------------------------------------------------------------------------------


def test_the_timeline_agrees_with_the_closed_form_on_every_published_plan(published):
    for seen in published:
        step = step_time(seen.workload, a100_cluster(), seen.plan)
        passes = (step.total - step.data - step.optimizer - step.waiting)[0]
        line = cluster.timeline(seen.workload, a100_cluster(), seen.plan)
        assert line.seconds == pytest.approx(passes, rel=0.005)


@pytest.mark.parametrize("schedule", ["gpipe", "1f1b"])
@pytest.mark.parametrize("recompute", ["none", "full"])
def test_the_timeline_agrees_with_the_closed_form_on_cut_networks(schedule, recompute):
    plan = Plan(
        global_batch=512, micro_batch=32, pipeline=4, schedule=schedule, recompute=recompute
    )
    block = cluster.Layer(
        "b", forward_seconds=1.0, backward_seconds=2.0, fixed_seconds=1.0, output_bytes=1e9
    )
    model = cluster.measured([block] * 8)
    step = step_time(model, FREE_SLOW, plan)
    line = cluster.timeline(model, FREE_SLOW, plan)
    assert step.pipeline[0] > 0
    assert line.seconds == pytest.approx(step.total[0], rel=0.005)


def test_the_fullest_worker_holds_what_the_timeline_counts(published):
    for seen in published:
        counted = cluster.pipeline_of(seen.plan).peak_live().max()
        assert cluster.workload.chunks_in_flight(Plans.of(seen.plan))[0] == counted


# ---- plans and their limits --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"global_batch": 10, "data": 3}, "global_batch must be a multiple"),
        ({"global_batch": 8, "tensor": 0}, "tensor must be whole"),
        ({"global_batch": 8, "sharding": 5}, "sharding must be 0, 1, 2 or 3"),
        ({"global_batch": 8, "chunks": 2}, "chunks must be 1 unless"),
        ({"global_batch": 6, "pipeline": 4, "chunks": 2}, "chunks must be 1 unless"),
        ({"global_batch": 8, "recompute": "some"}, "recompute must be one of"),
        ({"global_batch": 8, "schedule": "zero"}, "schedule must be one of"),
        ({"global_batch": 8, "overlap": 1.5}, "overlap must be 0 to 1"),
    ],
)
def test_impossible_plans_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Plan(**wrong)


def test_workloads_refuse_plans_that_do_not_cut_them():
    with pytest.raises(ValueError, match="divisor of 96"):
        step_time(GPT3, FREE, Plan(global_batch=8, pipeline=7))
    with pytest.raises(ValueError, match="divisor of 96 heads"):
        step_time(GPT3, FREE, Plan(global_batch=8, tensor=5))
    with pytest.raises(ValueError, match="tensor must be 1"):
        step_time(cluster.resnet50(), FREE, Plan(global_batch=8, tensor=2))


def test_calibration_refuses_more_parameters_than_it_may_have(published):
    with pytest.raises(ValueError, match="parameters must be 1 to 2"):
        cluster.calibrate(a100_cluster(), published[:2], FITTED)
    with pytest.raises(ValueError, match="parameter must be one of"):
        a100_cluster().with_parameters(luck=1.0)


# ---- the search --------------------------------------------------------------------------------

SMALL = Transformer(layers=24, hidden=4096, heads=32, sequence=2048, vocabulary=51200)


def test_the_search_finds_the_best_of_all_candidates():
    machine = a100_cluster()
    plans = cluster.candidates(SMALL, machine, 64)
    total, held = step_time(SMALL, machine, plans).total, memory(SMALL, plans).total
    fits = (held <= machine.memory) & (plans.workers <= 64)
    fastest = cluster.search(SMALL, machine, 64, workers=64)
    assert fastest.seconds == total[fits].min()
    cheapest = cluster.search(SMALL, machine, 64, workers=64, objective="cheapest")
    assert cheapest.price == (total * plans.workers)[fits].min()
    smallest = cluster.search(SMALL, machine, 64, workers=64, objective="smallest")
    assert smallest.plan.workers == plans.workers[fits].min()
    assert seconds(SMALL, fastest.plan, machine) == pytest.approx(fastest.seconds)


def test_a_deadline_is_kept():
    free = cluster.search(SMALL, a100_cluster(), 64, workers=64, objective="cheapest")
    hurried = cluster.search(
        SMALL, a100_cluster(), 64, workers=64, objective="cheapest", seconds=free.seconds / 2
    )
    assert hurried.seconds <= free.seconds / 2
    assert hurried.price >= free.price


def test_when_nothing_fits_the_error_says_what_by_how_much_and_what_would():
    with pytest.raises(cluster.NoPlanFitsError, match=r"memory, .* GiB") as caught:
        cluster.search(GPT3, a100_cluster(), 64, workers=8)
    error = caught.value
    assert set(error.excess) == {"memory"}
    relaxed = cluster.search(
        GPT3,
        a100_cluster(),
        64,
        workers=8,
        memory_limit=80 * 2**30 * error.excess["memory"] * 1.0001,
    )
    assert relaxed.memory == pytest.approx(error.nearest.memory)
    tighter = 80 * 2**30 * error.excess["memory"] * 0.999
    with pytest.raises(cluster.NoPlanFitsError):
        cluster.search(GPT3, a100_cluster(), 64, workers=8, memory_limit=tighter)


def test_the_search_refuses_unknown_aims():
    with pytest.raises(ValueError, match="objective must be one of"):
        cluster.search(SMALL, a100_cluster(), 64, workers=8, objective="best")
    with pytest.raises(ValueError, match="workers must be above 0"):
        cluster.search(SMALL, a100_cluster(), 64, workers=0)
