"""Compressed gradients: the loss falls, the copies stay equal, the bytes are the formulas'."""

from functools import partial

import pytest
import torch
from torch import nn

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.strategies import compression
from amdahl_lab.parallel.strategies.by_torch import DataParallelByTorch

WIDTH, LAYERS, STEPS = 32, 2, 30
NUMBERS = LAYERS * (WIDTH * WIDTH + WIDTH)  # in one step


def trained(compress) -> dict:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH))
    inputs = torch.randn(64, WIDTH)
    batch = inputs, inputs.roll(1, 1).tanh()
    training = DataParallelByTorch(
        model,
        torch.optim.SGD(model.parameters(), 2.0),
        lambda model, batch: nn.functional.mse_loss(model(batch[0]), batch[1]),
        compression=compress,
    )
    losses = [training.step(batch) for _ in range(STEPS)]
    flat = torch.cat([each.detach().flatten() for each in model.parameters()])
    return {"losses": torch.tensor(losses), "flat": flat, "traffic": training.traffic}


@pytest.mark.parametrize(
    ("compress", "allowed"),
    # bfloat16 rounds by at most 1/256, far less than what is learnt; two columns of 32 lose more.
    [(compression.bf16, 1.05), (partial(compression.power_sgd, rank=2), 2.0)],
)
def test_the_loss_still_falls_and_the_copies_stay_equal(compress, allowed):
    ranks = run_ranks(trained, 2, compress)
    exact = sum(rank["losses"] for rank in run_ranks(trained, 2, None))
    losses = sum(rank["losses"] for rank in ranks)
    assert losses[-1] < 0.7 * losses[0]
    assert losses[-1] < allowed * exact[-1]
    assert not torch.equal(losses, exact)  # it did compress
    assert torch.equal(ranks[0]["flat"], ranks[1]["flat"])


def test_bf16_sends_two_bytes_for_each_number():
    traffic = run_ranks(trained, 2, compression.bf16)[0]["traffic"]
    assert traffic.bytes == STEPS * 2 * NUMBERS
    assert traffic.collectives == STEPS  # all in one bucket


@pytest.mark.parametrize("rank", [1, 4])
def test_power_sgd_sends_two_factors_for_each_matrix(rank):
    traffic = run_ranks(trained, 2, partial(compression.power_sgd, rank=rank, start=3))[0][
        "traffic"
    ]
    thin = LAYERS * (2 * WIDTH * rank + WIDTH)  # two factors of each matrix, and the biases
    assert traffic.bytes == 4 * (3 * NUMBERS + (STEPS - 3) * thin)
    assert traffic.collectives == 3 + 3 * (STEPS - 3)


def test_one_rank_sends_nothing():
    for compress in (compression.bf16, compression.power_sgd):
        traffic = run_ranks(trained, 1, compress)[0]["traffic"]
        assert (traffic.collectives, traffic.bytes) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"rank": 0}, "rank must be at least 1"), ({"start": 1}, "start must be at least 2")],
)
def test_what_is_out_of_range_is_refused_by_name(arguments, words):
    with pytest.raises(ValueError, match=words):
        compression.power_sgd(None, **arguments)
