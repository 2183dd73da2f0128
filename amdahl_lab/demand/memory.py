"""Memory of training: what one worker holds of parameters, gradients, optimiser, activations."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments
from amdahl_lab.demand.transformer import RECOMPUTE

# Bytes for each parameter: weight, gradient, optimiser (master weight, two moments of Adam).
MIXED_ADAM = (2, 2, 12)
MEGATRON_ADAM = (2, 4, 12)  # gradients are summed in single precision


def state_bytes(
    parameters: ArrayLike,
    workers: ArrayLike = 1,
    sharding: ArrayLike = 0,
    bytes_each: tuple[float, float, float] = MIXED_ADAM,
) -> np.ndarray | float:
    """Bytes of model state on one of N data-parallel workers.

    Parameters
    ----------
    parameters : array_like, above 0
        Parameters that this worker would hold without sharding.
    workers : array_like, at least 1
        Data-parallel workers N.
    sharding : array_like of 0, 1, 2 or 3
        What is cut into N parts: nothing; the optimiser state; the gradients too; all.
    bytes_each : three floats
        Bytes for each parameter of weight, gradient and optimiser state.

    Returns
    -------
    ndarray or float
        Bytes.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Rajbhandari et al., "ZeRO", arXiv:1910.02054, section 5 and figure 1: 16 P, 4 P + 12 P / N,
    2 P + 14 P / N and 16 P / N bytes for mixed precision and Adam.

    Examples
    --------
    >>> [round(float(x) / 1e9, 1) for x in state_bytes(7.5e9, 64, [0, 1, 2, 3])]
    [120.0, 31.4, 16.6, 1.9]
    """
    P = arguments.positive("parameters", parameters)
    N = arguments.at_least_one("workers", workers)
    stage = np.asarray(sharding)
    if not np.isin(stage, (0, 1, 2, 3)).all():
        raise ValueError(f"sharding must be 0, 1, 2 or 3, got {sharding!r}")
    arguments.together(parameters=P, workers=N, sharding=stage)
    weight, gradient, optimizer = bytes_each
    return arguments.unwrapped(
        P
        * (
            weight / np.where(stage >= 3, N, 1)
            + gradient / np.where(stage >= 2, N, 1)
            + optimizer / np.where(stage >= 1, N, 1)
        )
    )


def activation_bytes_per_layer(
    samples: ArrayLike,
    sequence: ArrayLike,
    hidden: ArrayLike,
    heads: ArrayLike,
    tensor: ArrayLike = 1,
    *,
    sequence_parallel: bool = False,
    recompute: str = "none",
) -> np.ndarray | float:
    """Bytes that one transformer layer keeps for one micro-batch's backward pass.

    Sixteen-bit activations, one-byte dropout masks, scores kept (no fused attention).

    Parameters
    ----------
    samples, sequence, hidden, heads : array_like, at least 1
        Sequences b of the micro-batch, positions s, features h, attention heads a.
    tensor : array_like, at least 1
        Tensor-parallel workers t.
    sequence_parallel : bool
        Whether what tensor parallelism leaves whole is cut along the sequence.
    recompute : {"none", "selective", "full"}
        What is not kept: nothing, the attention core, all but the layer's input.

    Returns
    -------
    ndarray or float
        Bytes on one worker.

    Raises
    ------
    ValueError
        If a size is below 1, the shapes do not match or `recompute` is not known.

    References
    ----------
    Korthikanti et al., arXiv:2205.05198: equation (1) for t = 1, (2) for tensor parallelism,
    (4) with sequence parallelism, (6) with selective recomputation too, each for one layer.

    Examples
    --------
    >>> activation_bytes_per_layer(1, 2048, 12288, 96) / 2**30
    2.671875
    """
    if recompute not in RECOMPUTE:
        raise ValueError(f"recompute must be one of {RECOMPUTE}, got {recompute!r}")
    b = arguments.at_least_one("samples", samples)
    s = arguments.at_least_one("sequence", sequence)
    h = arguments.at_least_one("hidden", hidden)
    a = arguments.at_least_one("heads", heads)
    t = arguments.at_least_one("tensor", tensor)
    arguments.together(samples=b, sequence=s, hidden=h, heads=a, tensor=t)
    whole = 1 / t if sequence_parallel else 1.0
    if recompute == "full":
        return arguments.unwrapped(2 * s * b * h * whole)
    core = 5 * a * s / h if recompute == "none" else 0.0
    return arguments.unwrapped(s * b * h * (10 * whole + (24 + core) / t))


def scores_crossover(hidden: ArrayLike, heads: ArrayLike) -> np.ndarray | float:
    """Sequence length at which attention's scores are half of the activations that are kept.

    Parameters
    ----------
    hidden, heads : array_like, at least 1
        Features h and attention heads a.

    Returns
    -------
    ndarray or float
        Positions, 34 h / (5 a), not rounded: it depends on the features of one head alone.

    Raises
    ------
    ValueError
        If a size is below 1 or the shapes do not match.

    References
    ----------
    Follows from Korthikanti et al., arXiv:2205.05198, equation (1): s b h (34 + 5 a s / h).

    Examples
    --------
    >>> scores_crossover(768, 12)
    435.2
    """
    h = arguments.at_least_one("hidden", hidden)
    a = arguments.at_least_one("heads", heads)
    arguments.together(hidden=h, heads=a)
    return arguments.unwrapped(34 * h / (5 * a))
