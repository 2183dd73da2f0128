"""Pruned and quantised networks: what they cost, what they still know.

The digits network "wide" is trained once. Its variants differ in the two dense layers only, which
hold nearly all of its parameters.
"""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from amdahl_lab.intervals import share_interval
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.one_worker.operators import seconds_in_row
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.workloads import Digits, digits
from amdahl_lab.records import Interval, ScalingRun

Weights = Mapping[str, np.ndarray]
BATCHES = (1, 256)
TRAINING_STEPS = 300
PATIENCE = 300.0


class SparseLinear(nn.Module):
    """A dense layer whose weights are kept as the list of those that are not zero (CSR).

    Parameters
    ----------
    layer : nn.Linear
        What it takes its weights from.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch calls the format a beta
            self.weight = layer.weight.detach().to_sparse_csr()
        self.bias = layer.bias.detach()

    def forward(self, inputs: Tensor) -> Tensor:
        """Map features, shape (n, inputs), to features, shape (n, outputs)."""
        return (self.weight @ inputs.T).T + self.bias


def pruned(model: nn.Module, share: float) -> nn.Module:
    """Set the smallest weights of each dense layer but the last to zero; the kernels stay dense."""
    model = copy.deepcopy(model)
    for layer in _dense(model)[:-1]:
        prune.l1_unstructured(layer, "weight", amount=share)
        prune.remove(layer, "weight")
    return model


def sparse(model: nn.Module, share: float) -> nn.Module:
    """Prune as `pruned` and keep only what is not zero."""
    model = pruned(model, share)
    place = list(model).index(_dense(model)[0])
    model[place] = SparseLinear(model[place])
    return model


def narrowed(model: nn.Module, share: float) -> nn.Module:
    """Take whole hidden neurons away, those with the smallest weights: a smaller dense layer."""
    model = copy.deepcopy(model)
    first, last = _dense(model)
    size = first.weight.norm(dim=1) * last.weight.norm(dim=0)
    kept = size.topk(round((1 - share) * len(size))).indices
    places = {each: place for place, each in enumerate(model)}
    narrow, out = nn.Linear(first.in_features, len(kept)), nn.Linear(len(kept), last.out_features)
    with torch.no_grad():
        narrow.weight.copy_(first.weight[kept])
        narrow.bias.copy_(first.bias[kept])
        out.weight.copy_(last.weight[:, kept])
        out.bias.copy_(last.bias)
    model[places[first]], model[places[last]] = narrow, out
    return model


def int8(model: nn.Module) -> nn.Module:
    """Keep the weights of the dense layers as eight-bit integers; round inputs on the way in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch moves this function to another package
        from torch.ao.quantization import quantize_dynamic

        return quantize_dynamic(copy.deepcopy(model), {nn.Linear}, dtype=torch.qint8)


def has_int8() -> bool:
    """Tell whether this PyTorch can quantise, and has kernels that run the result here."""
    try:
        int8(nn.Sequential(nn.Linear(8, 8)))(torch.zeros(1, 8))
    except (ImportError, AttributeError, RuntimeError, NotImplementedError):
        return False
    return True


VARIANTS: Mapping[str, Callable[[nn.Module], nn.Module]] = {
    "as trained": copy.deepcopy,
    "90% zeros, dense": partial(pruned, share=0.90),
    "90% zeros, sparse": partial(sparse, share=0.90),
    "99% zeros, sparse": partial(sparse, share=0.99),
    "90% of neurons removed": partial(narrowed, share=0.90),
    "int8": int8,
}


def available() -> tuple[str, ...]:
    """Return the names of the variants that this PyTorch can make."""
    return tuple(name for name in VARIANTS if name != "int8" or has_int8())


def trained(steps: int = TRAINING_STEPS, *, batch: int = 64, seed: int = 0) -> Weights:
    """Train the network "wide" on the digits and return its weights by name."""
    (weights,) = run_ranks(
        _trained, 1, digits("wide", batch, seed), steps, timeout=PATIENCE, seed=seed
    )
    return weights


def accuracies(weights: Weights, names: Sequence[str] | None = None) -> dict[str, Interval]:
    """Return for each variant the share of unseen digits that it reads right.

    Returns
    -------
    dict of str to Interval
        The Wilson interval is for the share of all digits like these. All variants read the same
        images, so their differences are less uncertain than it says.
    """
    names = list(names or available())
    (right,) = run_ranks(_right, 1, digits("wide"), weights, names, timeout=PATIENCE)
    return {name: share_interval(*right[name]) for name in names}


def shrunk_times(
    weights: Weights,
    rounds: int = 10,
    *,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time an answer of each variant, for one image and for many.

    Parameters
    ----------
    weights : mapping of str to ndarray
        As of `trained`.
    rounds, seed, progress
        As for `experiments.digits_scaling`; a round is a fresh process in which every variant is
        timed once at each batch, in random order.

    Returns
    -------
    ScalingRun
        One worker with one thread; phases "NAME, batch b". Its parameters hold the accuracies.
    """
    names = available()
    right = {
        f"accuracy, {name}": round(each.estimate, 4)
        for name, each in accuracies(weights, names).items()
    }
    blocks = {1: partial(_slowest, 1, 1, shrunk_block, digits("wide"), weights, names)}
    taken = _measured(blocks, rounds, seed, progress)
    return taken.run("shrunk", {"size": "wide", "threads": 1, "seed": seed, **right})


def shrunk_block(workload: Digits, weights: Weights, names: Sequence[str]) -> dict[str, float]:
    """Time one answer of each variant at each batch on this rank."""
    variants = _variants(workload, weights, names)
    images, _ = workload.load(0)
    jobs = [(name, b) for name in names for b in BATCHES]
    found = {}
    with torch.inference_mode():
        for place in torch.randperm(len(jobs)):
            name, b = jobs[place]
            found[name, b] = seconds_in_row(partial(variants[name], images[:b]))
    return {f"{name}, batch {b}": found[name, b] for name, b in jobs}


def _dense(model: nn.Module) -> list[nn.Linear]:
    return [each for each in model if isinstance(each, nn.Linear)]


def _trained(workload: Digits, steps: int) -> Weights:
    model = workload.model()
    optimizer = workload.optimizer(model)
    for number in range(steps):
        optimizer.zero_grad()
        workload.loss(model, workload.load(number)).backward()
        optimizer.step()
    return {name: each.numpy() for name, each in model.state_dict().items()}


def _variants(workload: Digits, weights: Weights, names: Sequence[str]) -> dict[str, nn.Module]:
    model = workload.model()
    model.load_state_dict({name: torch.from_numpy(each) for name, each in weights.items()})
    model.eval()
    return {name: VARIANTS[name](model) for name in names}


def _right(workload: Digits, weights: Weights, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    unseen = len(workload.labels) - workload.training_images
    with torch.inference_mode():
        return {
            name: (round(workload.accuracy(variant) * unseen), unseen)
            for name, variant in _variants(workload, weights, names).items()
        }
