"""One network's step, its operators each alone, and the same step with one of them mended."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import Tensor, nn

from amdahl_lab.parallel.comparisons.network import STAGES, prepared, stack, stored_images
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.one_worker.counting import counted_flops
from amdahl_lab.parallel.one_worker.operators import seconds_in_row
from amdahl_lab.records import ScalingRun


def profile_run(rounds: int = 10, *, seed: int = 0, progress: Progress = True) -> ScalingRun:
    """Time the whole step and each of its operators alone, side by side, on one thread.

    Parameters
    ----------
    rounds, seed, progress
        As for `operators.operator_times`.

    Returns
    -------
    ScalingRun
        Phases: "step", the network as it was; "step, fused", with the activation mended; "step,
        separable"; each of `STAGES`, forward and backward; "activation, fused"; "product", one
        1024 x 1024 matrix product, the highest rate we know how to reach. The parameters hold the
        FLOPs.
    """
    flops = {f"flops, {name}": count for name, count in step_flops().items()}
    blocks = {1: partial(_slowest, 1, 1, profile_block)}
    taken = _measured(blocks, rounds, seed, progress)
    return taken.run("profile", {"threads": 1, "seed": seed, **flops})


def profile_block() -> dict[str, float]:
    """Time every phase once on this rank, in random order."""
    turns: dict[str, list[Callable[[], object]]] = {
        "step": [_stepper(stack())],
        "step, fused": [_stepper(stack(fused=True))],
        "step, separable": [_stepper(stack(separable=True))],
        **{name: [] for name in STAGES},
        "activation, fused": [],
    }
    for fused in (False, True):
        for name, turn in _alone(stack(fused=fused)):
            if not fused:
                turns[name].append(turn)
            elif name == "activation":
                turns["activation, fused"].append(turn)
    stored, _ = stored_images()
    turns["input"].append(lambda: prepared(stored))
    turns["optimiser"].append(_updater(stack()))
    square = torch.rand(1024, 1024)
    turns["product"] = [lambda: square @ square]
    names = list(turns)
    order = [names[place] for place in torch.randperm(len(names))]
    found = {name: sum(seconds_in_row(turn) for turn in turns[name]) for name in order}
    return {name: found[name] for name in names}


def step_flops() -> dict[str, int]:
    """Count the FLOPs of a training step of each operator, and of the separable network.

    The counter of PyTorch sees products and convolutions and nothing else.
    """
    images = prepared(stored_images()[0])
    found = dict.fromkeys(("convolution", "activation", "pooling", "dense"), 0)
    x = images
    for name, layer in stack():
        counted = counted_flops(layer, x)
        first = counted.backward // 2 if x is images else 0  # nobody asks for the images' gradient
        found[name] += counted.forward + counted.backward - first
        x = layer(x).detach()
    return found


def same_outputs() -> float:
    """Return the largest difference between the network and its mended twin, on one batch."""
    before, after = (nn.Sequential(*(m for _, m in stack(fused=fused))) for fused in (False, True))
    after.load_state_dict(before.state_dict())
    images = prepared(stored_images()[0])
    with torch.no_grad():
        return (before(images) - after(images)).abs().max().item()


def _stepper(layers: list[tuple[str, nn.Module]]) -> Callable[[], None]:
    model = nn.Sequential(*(layer for _, layer in layers))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    stored, labels = stored_images()

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(prepared(stored)), labels).backward()
        optimizer.step()

    return step


def _alone(layers: list[tuple[str, nn.Module]]) -> list[tuple[str, Callable[[], object]]]:
    """Return for each layer a turn that runs it forward and backward on the input it would get."""
    turns, x = [], prepared(stored_images()[0])
    for place, (name, layer) in enumerate(layers):
        inputs = x.detach().requires_grad_(place > 0)
        outputs = layer(inputs)
        wanted = [p for p in (*layer.parameters(), inputs) if p.requires_grad]
        turns.append((name, partial(_both, layer, inputs, wanted, torch.ones_like(outputs))))
        x = outputs
    return turns


def _both(layer: nn.Module, inputs: Tensor, wanted: list[Tensor], gradient: Tensor) -> None:
    torch.autograd.grad(layer(inputs), wanted, gradient)


def _updater(layers: list[tuple[str, nn.Module]]) -> Callable[[], object]:
    parameters = [p for _, layer in layers for p in layer.parameters()]
    for each in parameters:
        each.grad = torch.full_like(each, 1e-6)
    return torch.optim.SGD(parameters, lr=1e-3, momentum=0.9).step
