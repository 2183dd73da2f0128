"""Parameters and FLOPs of a decoder-only transformer.

Symbols as in the sources: L layers, h hidden features, s positions, v vocabulary, b sequences.
"""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments

RECOMPUTE = ("none", "selective", "full")


def parameters(
    layers: ArrayLike, hidden: ArrayLike, vocabulary: ArrayLike, sequence: ArrayLike
) -> np.ndarray | float:
    """Parameters of the model: 12 L h^2 (1 + 13 / (12 h) + (v + s) / (12 L h)).

    Parameters
    ----------
    layers, hidden, vocabulary, sequence : array_like, at least 1
        L, h, v and s; the output layer shares the embedding's table.

    Returns
    -------
    ndarray or float
        Count.

    Raises
    ------
    ValueError
        If a size is below 1 or the shapes do not match.

    References
    ----------
    Narayanan et al., arXiv:2104.04473, equation (2).

    Examples
    --------
    >>> round(parameters(96, 12288, 51200, 2048) / 1e9, 1)
    174.6
    """
    L, h, v, s = _sizes(layers=layers, hidden=hidden, vocabulary=vocabulary, sequence=sequence)
    return arguments.unwrapped(12 * L * h * h * (1 + 13 / (12 * h) + (v + s) / (12 * L * h)))


def model_flops(
    samples: ArrayLike,
    layers: ArrayLike,
    hidden: ArrayLike,
    sequence: ArrayLike,
    vocabulary: ArrayLike,
) -> np.ndarray | float:
    """FLOPs that one training step needs, whatever the machine recomputes.

    Parameters
    ----------
    samples : array_like, at least 1
        Sequences B of the global batch.
    layers, hidden, sequence, vocabulary : array_like, at least 1
        L, h, s and v.

    Returns
    -------
    ndarray or float
        72 B L s h^2 (1 + s / (6 h) + v / (12 h L)).

    Raises
    ------
    ValueError
        If a size is below 1 or the shapes do not match.

    References
    ----------
    Korthikanti et al., arXiv:2205.05198, equation (7).

    Examples
    --------
    >>> round(model_flops(64, 96, 12288, 2048, 51200) / 1e18, 3)
    0.141
    """
    B, L, h, s, v = _sizes(
        samples=samples, layers=layers, hidden=hidden, sequence=sequence, vocabulary=vocabulary
    )
    return arguments.unwrapped(72 * B * L * s * h * h * (1 + s / (6 * h) + v / (12 * h * L)))


def hardware_flops(
    samples: ArrayLike,
    layers: ArrayLike,
    hidden: ArrayLike,
    sequence: ArrayLike,
    vocabulary: ArrayLike,
    recompute: str = "selective",
) -> np.ndarray | float:
    """FLOPs that a training step performs: the model's and those of recomputation.

    Parameters
    ----------
    samples, layers, hidden, sequence, vocabulary : array_like, at least 1
        As for `model_flops`.
    recompute : {"none", "selective", "full"}
        What the backward pass computes again: nothing, the attention core, every layer.

    Returns
    -------
    ndarray or float
        With "selective" 72 B L s h^2 (1 + s / (3 h) + v / (12 h L)); with "full"
        96 B L s h^2 (1 + s / (6 h) + v / (16 h L)). The equation for "selective" counts 12 b s^2 h
        where the recomputed core is 4 b s^2 h, so it says more than `model_flops` by three cores.

    Raises
    ------
    ValueError
        If a size is below 1, the shapes do not match or `recompute` is not known.

    References
    ----------
    arXiv:2205.05198, equation (8) for "selective"; arXiv:2104.04473, equation (3), for "full".
    """
    if recompute not in RECOMPUTE:
        raise ValueError(f"recompute must be one of {RECOMPUTE}, got {recompute!r}")
    if recompute == "none":
        return model_flops(samples, layers, hidden, sequence, vocabulary)
    B, L, h, s, v = _sizes(
        samples=samples, layers=layers, hidden=hidden, sequence=sequence, vocabulary=vocabulary
    )
    if recompute == "selective":
        return arguments.unwrapped(72 * B * L * s * h * h * (1 + s / (3 * h) + v / (12 * h * L)))
    return arguments.unwrapped(96 * B * L * s * h * h * (1 + s / (6 * h) + v / (16 * h * L)))


def six_parameters_tokens(model_parameters: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
    """Rule of thumb for the FLOPs of training: six for each parameter and token.

    Parameters
    ----------
    model_parameters, tokens : array_like, above 0
        Parameters P and tokens D that were trained on.

    Returns
    -------
    ndarray or float
        6 P D. It leaves attention's s^2 out, which is s / (6 h) of the layers' FLOPs.

    Raises
    ------
    ValueError
        If an argument is not above 0 or the shapes do not match.

    References
    ----------
    Kaplan et al., "Scaling Laws for Neural Language Models", arXiv:2001.08361, section 2.1.

    Examples
    --------
    >>> f"{six_parameters_tokens(175e9, 300e9):.3g}"
    '3.15e+23'
    """
    P = arguments.positive("model_parameters", model_parameters)
    D = arguments.positive("tokens", tokens)
    arguments.together(model_parameters=P, tokens=D)
    return arguments.unwrapped(6 * P * D)


def flops_by_kind(
    samples: ArrayLike,
    layers: ArrayLike,
    hidden: ArrayLike,
    sequence: ArrayLike,
    vocabulary: ArrayLike,
) -> dict[str, np.ndarray | float]:
    """FLOPs of one training step, forward and backward, by what they are spent on.

    Parameters
    ----------
    samples, layers, hidden, sequence, vocabulary : array_like, at least 1
        As for `model_flops`, which is the sum.

    Returns
    -------
    dict of str to ndarray or float
        "projections" 24 B L s h^2 (query, key, value, output), "perceptron" 48 B L s h^2,
        "attention core" 12 B L s^2 h (scores and weighted sum), "head" 6 B s h v.

    Raises
    ------
    ValueError
        If a size is below 1 or the shapes do not match.

    References
    ----------
    Korthikanti et al., arXiv:2205.05198, appendix A.

    Examples
    --------
    >>> parts = flops_by_kind(1, 96, 12288, 2048, 51200)
    >>> {kind: round(part / sum(parts.values()), 3) for kind, part in parts.items()}
    {'projections': 0.323, 'perceptron': 0.646, 'attention core': 0.027, 'head': 0.004}
    """
    B, L, h, s, v = _sizes(
        samples=samples, layers=layers, hidden=hidden, sequence=sequence, vocabulary=vocabulary
    )
    return {
        "projections": arguments.unwrapped(24 * B * L * s * h * h),
        "perceptron": arguments.unwrapped(48 * B * L * s * h * h),
        "attention core": arguments.unwrapped(12 * B * L * s * s * h),
        "head": arguments.unwrapped(6 * B * s * h * v),
    }


def attention_crossover(
    layers: ArrayLike, hidden: ArrayLike, vocabulary: ArrayLike
) -> np.ndarray | float:
    """Sequence length at which the part that is quadratic in it is half of all FLOPs.

    Parameters
    ----------
    layers, hidden, vocabulary : array_like, at least 1
        L, h and v.

    Returns
    -------
    ndarray or float
        Positions, 6 h + v / (2 L), not rounded.

    Raises
    ------
    ValueError
        If a size is below 1 or the shapes do not match.

    References
    ----------
    Follows from Korthikanti et al., arXiv:2205.05198, equation (7): s / (6 h) = 1 + v / (12 h L).

    Examples
    --------
    >>> round(attention_crossover(96, 12288, 51200))
    73995
    """
    L, h, v = _sizes(layers=layers, hidden=hidden, vocabulary=vocabulary)
    return arguments.unwrapped(6 * h + v / (2 * L))


def _sizes(**sizes: ArrayLike) -> list[np.ndarray]:
    checked = {name: arguments.at_least_one(name, value) for name, value in sizes.items()}
    arguments.together(**checked)
    return list(checked.values())
