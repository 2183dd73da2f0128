"""Data parallel training is the serial training, whatever the number of ranks."""

from functools import partial

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.strategies import DataParallel, OverlappedDataParallel
from amdahl_lab.parallel.strategies.by_torch import DataParallelByTorch

STEPS = 6
FEATURES = 5
# Sums in another order differ in the last bits of a float64; a wrong weight of one sample in
# eleven, or one gradient left out, moves a parameter by more than 1e-4.
TOLERANCE = 1e-12


class Tied(nn.Module):
    """An encoder whose decoder is the same matrix, with one layer that is not trained."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(FEATURES, 7)
        self.frozen = nn.Linear(7, 7).requires_grad_(False)
        self.leave = nn.Linear(7, FEATURES)
        self.leave.weight = nn.Parameter(self.enter.weight.detach().T.clone())
        self.again = nn.Linear(FEATURES, 7)
        self.again.weight = self.enter.weight  # tied
        self.norm = nn.LayerNorm(7)
        self.register_buffer("scale", torch.rand(()))

    def forward(self, inputs):
        hidden = self.norm(self.frozen(torch.tanh(self.enter(inputs))))
        return self.scale * self.again(self.leave(hidden)).sum(1)


def batches(samples: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    rng = np.random.default_rng(3)
    return [
        (
            torch.from_numpy(rng.normal(size=(samples, FEATURES))),
            torch.from_numpy(rng.normal(size=samples)),
        )
        for _ in range(STEPS)
    ]


def loss(model, batch):
    inputs, targets = batch
    return nn.functional.mse_loss(model(inputs), targets)


VARIANTS = {
    "flat": DataParallel,
    "shared": partial(DataParallel, transport="shared"),
    "one bucket": OverlappedDataParallel,
    "several buckets": partial(OverlappedDataParallel, bucket_bytes=300),
    "a bucket each": partial(OverlappedDataParallel, bucket_bytes=1),
    "DDP": DataParallelByTorch,
    "DDP, several buckets": partial(DataParallelByTorch, bucket_bytes=300),
}


def trained(samples: int, variant: str = "flat") -> dict:
    """Train on a rank; every rank draws parameters of its own first."""
    model = Tied().double()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.05, 0.9)
    training = VARIANTS[variant](model, optimizer, loss)
    parts = [training.step(batch) for batch in batches(samples)]
    return {
        "start": start,
        "end": model.state_dict(),
        "losses": parts,
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "traffic": training.traffic,
        "setup": training.setup_traffic,
        "tensors": [*model.parameters(), *model.buffers()],
        "tied": model.again.weight is model.enter.weight,
    }


def serially(start: dict, samples: int) -> tuple[dict, list[float]]:
    """Train in this process with nothing but torch."""
    model = Tied().double()
    model.load_state_dict(start)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.05, 0.9)
    losses = []
    for batch in batches(samples):
        optimizer.zero_grad()
        value = loss(model, batch)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return model.state_dict(), losses


# With 3 samples on 4 ranks one rank has nothing.
UNEVEN = [(1, 11), (2, 11), (3, 11), (4, 3)]


@pytest.mark.parametrize(
    ("workers", "samples", "variant"),
    [
        *((4, samples, "flat") for samples in (8, 11)),
        *((*case, variant) for case in UNEVEN for variant in VARIANTS),
    ],
)
def test_it_equals_the_serial_run(workers, samples, variant):
    ranks = run_ranks(trained, workers, samples, variant, seed=1)
    assert all(rank["tied"] for rank in ranks)
    if workers > 1:  # the trap: ranks that start apart
        assert not torch.equal(ranks[0]["start"]["enter.weight"], ranks[1]["start"]["enter.weight"])
    expected, losses = serially(ranks[0]["start"], samples)
    for rank in ranks:
        for name, value in expected.items():
            torch.testing.assert_close(rank["end"][name], value, rtol=0, atol=TOLERANCE, msg=name)
    parts = np.sum([rank["losses"] for rank in ranks], axis=0)
    np.testing.assert_allclose(parts, losses, rtol=0, atol=TOLERANCE)
    moved = (expected["enter.weight"] - ranks[0]["start"]["enter.weight"]).abs().max()
    assert moved > 1e-2  # the tolerance is no loose one
    assert torch.equal(expected["frozen.weight"], ranks[0]["start"]["frozen.weight"])


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("variant", ["flat", "shared", "one bucket"])
def test_it_counts_one_collective_and_its_bytes_in_each_step(workers, variant):
    for rank in run_ranks(trained, workers, 11, variant):
        times = 0 if workers == 1 else 1
        assert rank["traffic"].collectives == times * STEPS
        assert rank["traffic"].bytes == times * STEPS * rank["trainable"] * 8
        assert rank["setup"].collectives == times * len(rank["tensors"])
        assert rank["setup"].bytes == times * 8 * sum(tensor.numel() for tensor in rank["tensors"])


def test_without_synchronisation_the_copies_drift_apart():
    def drift() -> torch.Tensor:
        model = Tied().double()
        training = DataParallel(model, torch.optim.SGD(model.enter.parameters(), 0.05), loss)
        training.step(batches(11)[0], synchronise=False)
        assert training.traffic.collectives == 0
        return model.enter.weight.detach()

    first, second = run_ranks(drift, 2)
    assert (first - second).abs().max() > 1e-4


def test_nothing_to_train_is_refused():
    def frozen() -> None:
        model = nn.Linear(2, 2).requires_grad_(False)
        DataParallel(model, torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1), loss)

    with pytest.raises(RuntimeError, match="model must have parameters to train"):
        run_ranks(frozen, 1)


@pytest.mark.parametrize(
    ("size", "buckets"),
    # Four layers of 8 x 8 weights and 8 biases in float64: 512 and 64 bytes, in turn.
    [(1, 8), (575, 8), (576, 4), (1152, 2), (1 << 20, 1)],
)
def test_buckets_are_as_many_as_their_size_says(size, buckets):
    def sent() -> tuple:
        model = nn.Sequential(*[nn.Linear(8, 8) for _ in range(4)]).double()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        training = OverlappedDataParallel(model, optimizer, square, size)
        for _ in range(3):
            training.step((torch.ones(4, 8).double(),))
        return training.traffic.collectives, training.traffic.bytes

    assert run_ranks(sent, 2) == [(3 * buckets, 3 * 4 * 576)] * 2


def test_a_bucket_leaves_before_the_backward_pass_ends():
    """When the first layer's gradient arrives, the last layer's bucket is under way."""

    def under_way() -> list[int]:
        model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        training = OverlappedDataParallel(model, optimizer, square, 1)
        seen = []
        model[0].weight.register_hook(lambda _: seen.append(training.traffic.collectives))
        training.step((torch.ones(4, 8),))
        return [*seen, training.traffic.collectives]

    for early, all_of_them in run_ranks(under_way, 2):
        assert 2 <= early < all_of_them == 4


def test_a_parameter_that_the_loss_does_not_use_holds_nobody_up():
    def unused() -> tuple[float, int]:
        model = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)])
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        training = OverlappedDataParallel(model, optimizer, lambda m, b: square(m[0], b), 1)
        last = [training.step((torch.ones(4, 8),)) for _ in range(2)][-1]
        return last, training.traffic.collectives

    first, second = run_ranks(unused, 2, timeout=20)
    assert first == second
    assert first[1] == 2 * 4  # the unused layer's buckets too, or ranks would differ in number


def test_the_update_waits_for_every_bucket():
    """Buckets that are summed only when somebody waits for them: nobody may be forgotten."""

    class Lazy:
        def __init__(self, bucket):
            self.bucket = bucket

        def wait(self):
            dist.all_reduce(self.bucket)

    def waited() -> torch.Tensor:
        model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        training = OverlappedDataParallel(model, optimizer, square, 1)
        training.traffic.start_all_reduce = Lazy
        training.step((torch.arange(32.0).view(4, 8) / 32,))
        return torch.cat([each.detach().flatten() for each in model.parameters()])

    first, second = run_ranks(waited, 2)
    assert torch.equal(first, second)


def test_the_shared_transport_sends_nothing_through_gloo():
    def silent() -> int:
        model = nn.Linear(8, 8)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        training = DataParallel(model, optimizer, square, transport="shared")
        dist.all_reduce = None
        training.step((torch.ones(4, 8),))
        return training.traffic.collectives

    assert run_ranks(silent, 2) == [1, 1]


def square(model, batch):
    return model(batch[0]).square().mean()


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (partial(DataParallel, transport="pigeon"), "transport must be one of .*, got 'pigeon'"),
        (partial(OverlappedDataParallel, bucket_bytes=0), "bucket_bytes must be at least 1, got 0"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(cut, words):
    def build() -> None:
        model = nn.Linear(2, 2)
        with pytest.raises(ValueError, match=words):
            cut(model, torch.optim.SGD(model.parameters(), 0.1), loss)

    run_ranks(build, 1)
