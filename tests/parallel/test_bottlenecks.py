"""What a step waits for: operators do what they are counted for, ranks wait for the slowest."""

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch.utils.flop_counter import FlopCounterMode

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.bottlenecks import allocation, exchange, roofline, waits
from amdahl_lab.parallel.bottlenecks.layout import layout_block
from amdahl_lab.parallel.workloads import digits


@pytest.fixture
def small_tensors(monkeypatch):
    """The same operators on tensors of 1 MiB, so that a test takes no second."""
    monkeypatch.setattr(roofline, "WIDTH", 512)
    monkeypatch.setattr(roofline, "ELEMENTS", 512 * 512)


def test_products_and_convolutions_have_the_flops_that_torch_counts(small_tensors):
    for name, operator in roofline.operators().items():
        if not name.startswith(("matrix product", "convolution", "dense, batch 16")):
            continue
        with FlopCounterMode(display=False) as counter:
            operator.call()
        assert counter.get_total_flops() == operator.flops, name


def test_the_counts_of_the_large_tensors_need_none_of_them():
    counts = roofline.counts()
    # three numbers of 4 bytes move for each of the 2**24 results of the triad
    assert counts[roofline.STREAM] == (2 * 2**24, 12 * 2**24)
    assert counts["transposed copy"] == (0, 8 * 2**24)
    # a square product has n / 6 FLOPs per byte
    flops, moved = counts["matrix product, 1,024"]
    assert flops / moved == pytest.approx(1024 / 6)
    assert len(counts) >= 10


def test_an_operator_moves_its_bytes_no_faster_than_memory_can():
    names = ("sum", "ReLU", "transposed copy")
    ranks = run_ranks(roofline.roofline_block, 2, names)
    for seconds in ranks:
        assert set(seconds) == set(names)
        for name in names:  # no core of today reads 1 TB/s
            assert roofline.counts()[name][1] / seconds[name] < 1e12


def test_numbers_far_apart_take_longer_than_numbers_in_a_row():
    (seconds,) = run_ranks(layout_block, 1)
    # 16 lines in place of one for the same 16 numbers: a factor of 9 here, never below 1.5
    assert seconds["stride 16"] > 1.5 * seconds["stride 1"]


def test_returned_memory_faults_in_again_in_every_step():
    kept = allocation.page_faults(1, returned=False, steps=1)
    returned = allocation.page_faults(1, returned=True, steps=1)
    if np.isnan(returned) or not run_ranks(allocation.hand_memory_back, 1)[0]:
        pytest.skip("this C library has no such settings")
    # one activation of 1,024 x 136 x 64 numbers is 34 MiB: 8,704 pages of 4 KiB
    assert returned > 8_704
    assert kept < returned / 4  # the heap may still grow once


def test_a_straggler_trains_as_if_there_were_none():
    def parameters(workload, slower):
        taken = []

        class Noted(waits.DataParallel):
            def __init__(self, model, *others):
                super().__init__(model, *others)
                taken.append(self)

        waits.DataParallel = Noted
        waits.straggler_block(workload, 1, slower)
        return [each.detach().clone() for each in taken[0].model.parameters()]

    workload = digits("small", 64)
    plain, slow = (run_ranks(parameters, 2, workload, amount)[1] for amount in (0.0, 1.5))
    for one, other in zip(plain, slow, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_rank_with_more_work_holds_the_other_up():
    workload = digits("medium", 512)
    equal, heavy = (waits._straggling(2, workload, 4, slower) for slower in (0.0, 4.0))
    # five times the work of one rank: well above 3 when undisturbed
    assert heavy["step"] > 1.3 * equal["step"]
    assert heavy["fastest"] < heavy["compute"]


def test_links_and_jitter_keep_every_value_with_its_rank_or_size():
    run = waits.links_run((4096, 65536), rounds=3)
    times = waits.seconds_by_size(run)
    assert list(times) == [4096, 65536]
    assert all(len(row) == 3 for row in times.values())
    jitter = waits.jitter_run(rounds=4, batch=32)
    assert jitter.phases == ("rank 0", "rank 1")
    assert jitter.rounds == 4


def test_loading_is_timed_alone_in_turn_and_overlapped():
    (run,) = waits.prefetch_runs((16,), rounds=2, batch=256, steps=2, progress=False).values()
    assert set(run.phases) == {"load", "compute", "step", "overlapped"}


def test_compression_sends_what_it_says_and_trains():
    sent = exchange.bytes_sent(digits("small", 32))
    parameters = sum(each.numel() for each in digits("small").model().parameters())
    assert sent["float32"] == 4 * parameters
    assert sent["bf16"] == 2 * parameters
    assert sent["PowerSGD"] < sent["bf16"]
    losses = exchange.losses("medium", steps=60, batch=64)
    for name, row in losses.items():
        assert row[0] == pytest.approx(np.log(10), abs=0.1)  # ten digits, nothing learned yet
        assert row[-10:].mean() < 0.9 * row[0], name


def test_an_exchange_is_timed_in_every_way():
    seconds = exchange._exchange(2, digits("small", 32), turns=2, seed=0)
    assert set(seconds) == {
        "after",
        "overlapped",
        "compute",
        "communication",
        *exchange.COMPRESSIONS,
    }


def test_extra_work_is_on_rank_0_alone():
    def calls(workload, slower):
        seen = []
        loss = type(workload).loss
        type(workload).loss = lambda self, model, batch: (
            seen.append(len(batch[0])) or loss(self, model, batch)
        )
        waits.straggler_block(workload, 1, slower)
        return dist.get_rank(), seen

    (_, first), (_, second) = run_ranks(calls, 2, digits("small", 32), 0.5)
    assert second == [16] * len(second)
    assert first == [16, 8] * (len(second) + 1)  # and one step while the other rests
