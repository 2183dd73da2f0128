"""What the hidden checks of chapter 2 hold for right is what PyTorch counts and keeps."""

import sys

import numpy as np
import pytest

from amdahl_lab import demand

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parametrize(
    "chapter", ["02_compute_demand"], indirect=True, scope="session"
)


@pytest.fixture
def layers(assignment):
    """The module of the hidden checks that counts."""
    assert assignment.checks
    return sys.modules["hidden_checks_02_compute_demand.layers"]


class Attention(torch.nn.Module):
    """Attention as the task describes it, product by product."""

    def __init__(self, features, heads):
        super().__init__()
        self.heads = heads
        self.projections = torch.nn.ModuleList(
            torch.nn.Linear(features, features) for _ in range(4)
        )

    def forward(self, x):
        samples, places, features = x.shape
        queries, keys, values = (
            p(x).view(samples, places, self.heads, -1).transpose(1, 2) for p in self.projections[:3]
        )
        scores = queries @ keys.transpose(2, 3) / (features / self.heads) ** 0.5
        sums = torch.softmax(scores, -1) @ values
        return self.projections[3](sums.transpose(1, 2).reshape(samples, places, features))


class Depthwise(torch.nn.Module):
    """One convolution of one channel for each channel.

    For the weights' gradient of a convolution in groups PyTorch's counter forgets the groups.
    """

    def __init__(self, channels, kernel, stride):
        super().__init__()
        self.channels = torch.nn.ModuleList(
            torch.nn.Conv2d(1, 1, kernel, stride, padding=kernel // 2) for _ in range(channels)
        )

    def forward(self, x):
        parts = zip(self.channels, x.split(1, dim=1), strict=True)
        return torch.cat([channel(part) for channel, part in parts], dim=1)


def module(layer):
    match layer:
        case ["dense", inputs, outputs]:
            return torch.nn.Linear(inputs, outputs)
        case ["embedding", entries, features]:
            return torch.nn.Embedding(entries, features)
        case ["convolution", inputs, outputs, kernel, stride]:
            return torch.nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)
        case ["depthwise", channels, kernel, stride]:
            return Depthwise(channels, kernel, stride)
        case ["attention", features, heads]:
            return Attention(features, heads)


def data(layer, samples, places):
    match layer:
        case ["embedding", entries, _]:
            return torch.randint(entries, (samples, places))
        case ["convolution", channels, _, _, stride] | ["depthwise", channels, _, stride]:
            side = round(places**0.5) * stride
            return torch.randn(samples, channels, side, side)
        case [_, features, *_]:
            return torch.randn(samples, places, features)


def flops(function):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        result = function()
    return counter.get_total_flops(), result


def run(model, samples):
    """Parameters, forward and backward FLOPs and bytes kept, as PyTorch has them."""
    modules = [module(layer) for layer, _ in model]
    weights = {p.data_ptr() for part in modules for p in part.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = (tensor, storage.nbytes())
        return tensor

    def ahead():
        x = data(*model[0][:1], samples, model[0][1])
        for part, (layer, _) in zip(modules, model, strict=True):
            if layer[0] == "dense" and x.dim() == 4:
                x = x.mean((2, 3))
            x = part(x)
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward, out = flops(ahead)
        gradient = torch.ones_like(out)
    backward, _ = flops(lambda: out.backward(gradient))
    learned = sum(p.numel() for part in modules for p in part.parameters())
    return learned, forward, backward, sum(size for _, size in kept.values())


@pytest.mark.parametrize("kind", ["draw_images", "draw_text"])
def test_counts_are_those_of_pytorch(layers, kind):
    model, samples = getattr(layers, kind)(np.random.default_rng(4)), 3
    learned, forward, backward, kept = run(model, samples)
    assert learned == sum(layers.parameters(layer) for layer, _ in model)
    assert [forward, backward] == layers.training(model, samples)
    assert kept == layers.memory(model, samples)


def test_the_package_counts_alike(layers):
    for layer, counted in (
        (["dense", 7, 5], demand.dense(12, 7, 5)),
        (["attention", 8, 2], demand.attention(3, 4, 8)),
        (["embedding", 50, 6], demand.embedding(12, 50, 6)),
        (["convolution", 4, 6, 3, 1], demand.convolution(3, 4, 6, 3, 2)),
        (["depthwise", 6, 3, 1], demand.convolution(3, 6, 6, 3, 2, groups=6)),
    ):
        found = layers.counts(layer, 3, 4)
        assert found == [counted.parameters, counted.forward_flops], layer


def test_the_rule_of_six_is_the_one_of_the_package(assignment):
    (check,) = assignment.checks["check_5_rule"]
    exact, rule = check.truth(24, 1024, 50_000, 2048)
    assert exact * 2048 == demand.model_flops(1, 24, 1024, 2048, 50_000)
    # The package counts biases and norms as well, 13 for each layer and feature.
    with_biases = demand.parameters(24, 1024, 50_000, 2048)
    rest = 6 * 13 * 24 * 1024
    assert rule == pytest.approx(demand.six_parameters_tokens(with_biases, 1) - rest, rel=1e-12)
