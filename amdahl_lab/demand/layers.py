"""Parameters, FLOPs and bytes of single layers, counted exactly."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

Count = np.ndarray | float


@dataclass(frozen=True)
class LayerDemand:
    """What one layer asks for, for the rows or samples it was counted for.

    Parameters
    ----------
    parameters : float or array
        Numbers that are learned.
    forward_flops : float or array
        FLOPs of the forward pass; a multiplication and an addition are two.
    backward_flops : float or array
        FLOPs of the gradients with respect to the input and to the weights together.
    input_bytes, output_bytes, parameter_bytes : float or array
        Bytes that a forward pass must at least read, write and read.
    """

    parameters: Count
    forward_flops: Count
    backward_flops: Count
    input_bytes: Count
    output_bytes: Count
    parameter_bytes: Count

    @property
    def forward_bytes(self) -> Count:
        """Least memory traffic of the forward pass: input and weights in, output out."""
        return self.input_bytes + self.output_bytes + self.parameter_bytes

    def __add__(self, other: "LayerDemand") -> "LayerDemand":
        """Return what two layers ask for together; each reads and writes its own."""
        if not isinstance(other, LayerDemand):
            return NotImplemented
        return LayerDemand(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )


def dense(
    rows: ArrayLike, inputs: ArrayLike, outputs: ArrayLike, *, bias: bool = True, width: int = 4
) -> LayerDemand:
    """Count a dense layer Y = X W + b with X of shape (rows, inputs).

    Parameters
    ----------
    rows : array_like, at least 1
        Rows of the input: samples, or samples times positions.
    inputs, outputs : array_like, at least 1
        Features in and out.
    bias : bool
        Whether the layer adds a bias. Its additions are not counted as FLOPs: they ride along.
    width : int
        Bytes of one number.

    Returns
    -------
    LayerDemand
        Forward 2 rows inputs outputs FLOPs, backward twice that.

    Raises
    ------
    ValueError
        If a size is below 1 or not whole.

    Examples
    --------
    >>> layer = dense(rows=32, inputs=784, outputs=10)
    >>> int(layer.parameters), int(layer.forward_flops), int(layer.backward_flops)
    (7850, 501760, 1003520)
    """
    R, I, O = _whole(rows=rows, inputs=inputs, outputs=outputs)  # noqa: E741
    parameters = I * O + (O if bias else 0)
    forward = 2 * R * I * O
    return LayerDemand(
        parameters, forward, 2 * forward, R * I * width, R * O * width, parameters * width
    )


def convolution(
    samples: ArrayLike,
    channels_in: ArrayLike,
    channels_out: ArrayLike,
    kernel: ArrayLike,
    size_out: ArrayLike,
    *,
    stride: ArrayLike = 1,
    groups: ArrayLike = 1,
    bias: bool = True,
    width: int = 4,
) -> LayerDemand:
    """Count a square two-dimensional convolution.

    Parameters
    ----------
    samples : array_like, at least 1
        Images.
    channels_in, channels_out, kernel, size_out, stride, groups : array_like, at least 1
        Channels, side of the kernel, side of the output image, step between outputs, and groups
        of channels that do not mix (groups = channels_in for a depthwise convolution).
    bias : bool
        Whether the layer adds a bias.
    width : int
        Bytes of one number.

    Returns
    -------
    LayerDemand
        Forward 2 samples size_out^2 channels_out kernel^2 channels_in / groups FLOPs.

    Raises
    ------
    ValueError
        If a size is below 1 or not whole, or the groups do not divide the channels.

    Examples
    --------
    >>> int(convolution(1, 3, 64, kernel=7, size_out=112, stride=2, bias=False).forward_flops)
    236027904
    """
    n, ci, co, k, s, step, g = _whole(
        samples=samples,
        channels_in=channels_in,
        channels_out=channels_out,
        kernel=kernel,
        size_out=size_out,
        stride=stride,
        groups=groups,
    )
    if np.any(ci % g) or np.any(co % g):
        raise ValueError(f"groups must divide channels_in and channels_out, got {groups}")
    weights = co * k * k * ci / g
    parameters = weights + (co if bias else 0)
    forward = 2 * n * s * s * weights
    size_in = s * step
    return LayerDemand(
        parameters,
        forward,
        2 * forward,
        n * ci * size_in * size_in * width,
        n * co * s * s * width,
        parameters * width,
    )


def attention(
    samples: ArrayLike, sequence: ArrayLike, hidden: ArrayLike, *, bias: bool = True, width: int = 4
) -> LayerDemand:
    """Count self-attention: three projections, scores, weighted sum, output projection.

    The number of heads does not change the count. A causal mask is not assumed to save anything.

    Parameters
    ----------
    samples, sequence, hidden : array_like, at least 1
        Sequences b, positions s and features h.
    bias : bool
        Whether the four projections add a bias.
    width : int
        Bytes of one number.

    Returns
    -------
    LayerDemand
        Forward 8 b s h^2 + 4 b s^2 h FLOPs. Bytes include neither scores nor softmax.

    Raises
    ------
    ValueError
        If a size is below 1 or not whole.

    References
    ----------
    Korthikanti et al., arXiv:2205.05198, appendix A (6 b s h^2 for the projections, 2 b s^2 h
    for scores and for the sum, 2 b s h^2 for the output).

    Examples
    --------
    >>> int(attention(1, 2048, 12288).forward_flops)
    2680059592704
    """
    b, s, h = _whole(samples=samples, sequence=sequence, hidden=hidden)
    parameters = 4 * h * h + (4 * h if bias else 0)
    forward = 8 * b * s * h * h + 4 * b * s * s * h
    moved = b * s * h * width
    return LayerDemand(parameters, forward, 2 * forward, moved, moved, parameters * width)


def embedding(
    lookups: ArrayLike, entries: ArrayLike, features: ArrayLike, *, width: int = 4
) -> LayerDemand:
    """Count a table look-up: no FLOPs forward, one addition for each number backward.

    Parameters
    ----------
    lookups, entries, features : array_like, at least 1
        Rows looked up, rows of the table, numbers in a row.
    width : int
        Bytes of one number.

    Returns
    -------
    LayerDemand
        `parameter_bytes` are those of the rows looked up, not of the whole table.

    Raises
    ------
    ValueError
        If a size is below 1 or not whole.

    Examples
    --------
    >>> table = embedding(lookups=128, entries=1_000_000, features=64)
    >>> int(table.parameters), int(table.forward_flops), int(table.parameter_bytes)
    (64000000, 0, 32768)
    """
    n, v, f = _whole(lookups=lookups, entries=entries, features=features)
    moved = n * f * width
    return LayerDemand(v * f, 0 * moved, n * f, n * 8.0, moved, moved)


def _whole(**sizes: ArrayLike) -> list[np.ndarray | float]:
    checked = []
    for name, value in sizes.items():
        array = np.asarray(value, dtype=float)
        if array.size == 0 or not np.all((array >= 1) & (array == np.floor(array))):
            raise ValueError(f"{name} must be whole and at least 1, got {value!r}")
        checked.append(array.item() if array.ndim == 0 else array)
    return checked
