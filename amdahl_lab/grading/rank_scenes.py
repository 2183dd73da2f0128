"""What real ranks do with a student's functions and hidden data; returns plain lists.

One function for each exercise on ranks. A rank runs it with the student's functions and the
scenario that the grader drew, and returns what came out with what was sent meanwhile.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.counted import counted
from amdahl_lab.grading.rank_probe import drawn, network
from amdahl_lab.grading.slowed import slowed


def play(
    scene: str, functions: Sequence[Callable], *, workers: int, seconds: float, **scenario: Any
) -> list:
    """Run one scene on `workers` ranks, which may take so many seconds; return what each gave."""
    from amdahl_lab.parallel import run_ranks

    return run_ranks(SCENES[scene], workers, functions, scenario, timeout=seconds)


def ring(functions: Sequence[Callable], scenario: dict[str, Any]) -> list:
    """Call ``ring_all_reduce(tensor)`` on some tensors, and on a large one again and again.

    Parameters
    ----------
    functions : sequence of callable
        The student's one.
    scenario : dict
        ``seed``, ``tensors`` (shape and type of each), ``large`` (elements) and ``repeats``.

    Returns
    -------
    list
        For each tensor its elements afterwards and the calls meanwhile; at last, of the large
        one, the sum of its elements, the sum weighted by their places, and the calls.
    """
    import torch
    import torch.distributed as dist

    (ring_all_reduce,) = functions
    rank, told = dist.get_rank(), []
    for place, (shape, kind) in enumerate(scenario["tensors"]):
        values = ring_values(scenario["seed"], place, rank, shape)
        tensor = torch.tensor(values, dtype=getattr(torch, kind))
        with counted() as calls:
            ring_all_reduce(tensor)
        told.append([tensor.flatten().tolist(), calls])
    for repeat in range(scenario["repeats"]):
        values = ring_values(scenario["seed"], 1000 + repeat, rank, [scenario["large"]])
        tensor = torch.tensor(values, dtype=torch.float64)
        with counted() as calls:
            ring_all_reduce(tensor)
        weighted = tensor @ torch.arange(len(tensor), dtype=torch.float64)
        told.append([[tensor.sum().item(), weighted.item()], calls])
    return told


def ring_values(seed: int, place: int, rank: int, shape: Sequence[int]) -> np.ndarray:
    """Values of one tensor on one rank: small whole numbers, so that every sum is exact."""
    return np.random.default_rng([seed, place, rank]).integers(-500, 500, size=tuple(shape))


def buckets(functions: Sequence[Callable], scenario: dict[str, Any]) -> list:
    """Train with ``train(model, inputs, targets, total, steps, rate, bucket_bytes)``.

    Parameters
    ----------
    functions : sequence of callable
        The student's one.
    scenario : dict
        As for `rank_probe.train`, and ``bucket_bytes``.

    Returns
    -------
    list
        All parameters after the last step, and the calls.
    """
    import torch
    import torch.distributed as dist

    (train,) = functions
    rank, shards = dist.get_rank(), scenario["shards"]
    weights, biases, inputs, targets = drawn(scenario["seed"], scenario["layers"], sum(shards))
    # Every rank starts elsewhere; rank 0's start is the one that counts.
    model = network([weight * (1 - 0.1 * rank) for weight in weights], biases)
    mine = slice(sum(shards[:rank]), sum(shards[: rank + 1]))
    x, y = torch.tensor(inputs[mine]), torch.tensor(targets[mine])
    settings = [scenario[name] for name in ("steps", "rate", "bucket_bytes")]
    with counted() as calls:
        train(model, x, y, sum(shards), *settings)
    values = torch.cat([each.detach().reshape(-1) for each in model.parameters()])
    return [values.tolist(), calls]


def split_layers(functions: Sequence[Callable], scenario: dict[str, Any]) -> list:
    """Call ``cut`` and, forward and backward, ``mlp(x, w1, b1, w2, b2)`` on what it gave.

    Parameters
    ----------
    functions : sequence of callable
        The student's two.
    scenario : dict
        ``seed`` and ``sizes``: samples, inputs, hidden units, outputs.

    Returns
    -------
    list
        The parts; the outputs and the calls of the forward pass; the gradients of the inputs and
        of the parts and the calls of the backward pass; the name of what `mlp` raised. None for
        what is not there.
    """
    import torch
    import torch.distributed as dist

    cut, mlp = functions
    arrays = [torch.tensor(each) for each in layer_values(scenario["seed"], scenario["sizes"])]
    x, *whole, slope = arrays
    parts = cut(*whole, dist.get_rank(), dist.get_world_size())
    if parts is None:
        return [None, None, None, None]
    parts = [part.detach().clone().requires_grad_() for part in parts]
    x = x.clone().requires_grad_()
    held = [part.tolist() for part in parts]
    try:
        with counted() as forward:
            y = mlp(x, *parts)
        if y is None:
            return [held, None, None, None]
        value = y.tolist()
        with counted() as backward:
            y.backward(slope)
    except Exception as error:  # the parts count by themselves
        return [held, None, None, type(error).__name__]
    gradients = [None if each.grad is None else each.grad.tolist() for each in (x, *parts)]
    return [held, [value, forward], [gradients, backward], None]


def layer_values(seed: int, sizes: Sequence[int]) -> list[np.ndarray]:
    """Inputs, both layers' weights and biases, and the gradient of the loss by the outputs."""
    rng = np.random.default_rng(seed)
    samples, inputs, hidden, outputs = sizes
    shapes = [(samples, inputs), (hidden, inputs), (hidden,), (outputs, hidden), (outputs,)]
    scales = [1.0, inputs**-0.5, 0.5, hidden**-0.5, 1.0]
    arrays = [scale * rng.normal(size=shape) for shape, scale in zip(shapes, scales, strict=True)]
    return [*arrays, rng.normal(size=(samples, outputs))]


def tables(functions: Sequence[Callable], scenario: dict[str, Any]) -> list:
    """Call ``lookup(tables, categories, owners, shares, features)``, forward and backward.

    Parameters
    ----------
    functions : sequence of callable
        The student's one.
    scenario : dict
        ``seed``, ``rows`` of each table, ``features``, ``owners`` and ``shares``.

    Returns
    -------
    list
        The rows and the calls of the forward pass; the gradients of this rank's tables and the
        calls of the backward pass; the name of what the way back raised. None for what is not
        there.
    """
    import torch
    import torch.distributed as dist

    (lookup,) = functions
    rank, owners, shares = dist.get_rank(), scenario["owners"], scenario["shares"]
    whole, categories, slopes = table_values(
        *(scenario[name] for name in ("seed", "rows", "features", "shares"))
    )
    own = [
        torch.tensor(table).requires_grad_() if owner == rank else None
        for table, owner in zip(whole, owners, strict=True)
    ]
    mine = slice(sum(shares[:rank]), sum(shares[: rank + 1]))
    with counted() as forward:
        rows = lookup(
            own, torch.tensor(categories[mine]), [*owners], [*shares], scenario["features"]
        )
    if rows is None:
        return [None, None, None]
    value = [rows.tolist(), forward]
    try:
        with counted() as backward:
            rows.backward(torch.tensor(slopes[mine]))
    except Exception as error:  # the rows count by themselves
        return [value, None, type(error).__name__]
    gradients = [None if t is None or t.grad is None else t.grad.tolist() for t in own]
    return [value, [gradients, backward], None]


def table_values(
    seed: int, rows: Sequence[int], features: int, shares: Sequence[int]
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """All tables, the categories of all samples, and the gradient of the loss by their rows.

    The gradients are small whole numbers, so that their sums are exact.
    """
    rng, samples = np.random.default_rng(seed), sum(shares)
    tables = [rng.normal(size=(count, features)) for count in rows]
    categories = np.stack([rng.integers(count, size=samples) for count in rows], axis=1)
    slopes = rng.integers(-9, 10, size=(samples, len(rows), features)).astype(float)
    return tables, categories, slopes


def uneven(functions: Sequence[Callable], scenario: dict[str, Any]) -> list:
    """Train with ``train(model, inputs, targets, shares, steps, rate)`` on ranks of unequal speed.

    Parameters
    ----------
    functions : sequence of callable
        The student's one.
    scenario : dict
        As for `rank_probe.train`, with ``shares`` in place of ``shards``, and ``work``, the work
        of one sample on each rank.

    Returns
    -------
    list
        All parameters after the last step, how many samples went through the model in each
        forward pass, and the calls.
    """
    import torch
    import torch.distributed as dist

    (train,) = functions
    shares = scenario["shares"]
    weights, biases, inputs, targets = drawn(scenario["seed"], scenario["layers"], sum(shares))
    model = network(weights, biases)
    seen = slowed(model, scenario["work"][dist.get_rank()])
    arguments = [torch.tensor(inputs), torch.tensor(targets), list(shares)]
    with counted() as calls:
        train(model, *arguments, scenario["steps"], scenario["rate"])
    values = torch.cat([each.detach().reshape(-1) for each in model.parameters()])
    # What is no number any more, after a mean of nothing, travels as text.
    told = values.tolist() if values.isfinite().all() else "not finite"
    return [told, seen, calls]


def timed_steps(functions: Sequence[Callable], scenario: dict[str, Any]) -> list:
    """Call ``time_steps(step, warmups, steps, clock)`` with a clock that only the steps move.

    Parameters
    ----------
    functions : sequence of callable
        The student's one.
    scenario : dict
        ``durations`` (of each rank's steps in turn), ``offsets`` (of its clock), ``warmups``,
        ``steps`` and ``elements`` that a step sums over the ranks.

    Returns
    -------
    list
        What the function returned, and what the rank did in turn: ``step``, ``clock``, and the
        calls of `counted` that a step did not make, as ``[kind, bytes, peer]``.
    """
    import torch
    import torch.distributed as dist

    (time_steps,) = functions
    rank = dist.get_rank()
    seconds, now = list(scenario["durations"][rank]), [scenario["offsets"][rank]]
    buffer = torch.ones(scenario["elements"], dtype=torch.float64)
    with counted() as calls:

        def step() -> None:
            before = len(calls)
            dist.all_reduce(buffer)
            del calls[before:]
            if not seconds:
                raise RuntimeError("more steps than were asked for")
            now[0] += seconds.pop(0)
            calls.append(["step", 0, -1])

        def clock() -> float:
            calls.append(["clock", 0, -1])
            return now[0]

        value = time_steps(step, scenario["warmups"], scenario["steps"], clock)
    return [wire.plain(value), calls]


SCENES = {
    "ring": ring,
    "buckets": buckets,
    "split_layers": split_layers,
    "tables": tables,
    "timed_steps": timed_steps,
    "uneven": uneven,
}
