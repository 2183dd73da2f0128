"""What one worker reaches: the reference for hidden parallel runs, worked out by the grader."""

from collections.abc import Iterable, Sequence

import numpy as np

from amdahl_lab.grading.rank_probe import drawn


def serial_parameters(
    seed: int,
    layers: Sequence[int],
    shards: Sequence[int],
    steps: int,
    rate: float,
    weights_of_shards: Sequence[float] | None = None,
) -> np.ndarray:
    """Parameters that one worker with all samples reaches, in numpy alone.

    Parameters
    ----------
    seed, layers, steps, rate
        As for `rank_probe.train`.
    shards : sequence of int
        Number of samples of each shard.
    weights_of_shards : sequence of float, optional
        Weight of each shard's mean gradient in the sum; its share of the samples if left out,
        which is the mean over all samples. Others are mistakes worth recognising.

    Returns
    -------
    ndarray
        All parameters after the last step, weights before biases in each layer.
    """
    sizes = np.array(shards)
    shares = sizes / sizes.sum() if weights_of_shards is None else np.array(weights_of_shards)
    weights, biases, inputs, targets = drawn(seed, list(layers), int(sizes.sum()))
    # Each sample's weight in the loss; a shard's own loss is the mean over its samples.
    of_sample = np.repeat(shares / sizes, sizes)[:, None]
    batches = [(inputs, targets, of_sample)] * steps
    return descent(weights, biases, batches, rate)[0]


def batched_descent(
    seed: int,
    layers: Sequence[int],
    samples: int,
    batch: int,
    rate: float,
    parts: Sequence[float] = (1.0,),
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and losses of one worker that takes a new batch at every step.

    Parameters
    ----------
    seed, layers, rate
        As for `rank_probe.train`.
    samples, batch : int
        Number of all samples, and of those in one step.
    parts : sequence of float
        Weights of the mean gradients of the equal parts of each batch, one after the other,
        times their number: (1, 1) is the mean over both halves, (2, 0) the first half alone.

    Returns
    -------
    parameters, losses : ndarray, shape (n,) and (steps,)
    """
    weights, biases, inputs, targets = drawn(seed, list(layers), samples)
    of_sample = np.repeat(np.array(parts) / batch, batch // len(parts))[:, None]
    batches = [
        (inputs[start : start + batch], targets[start : start + batch], of_sample)
        for start in range(0, samples, batch)
    ]
    return descent(weights, biases, batches, rate)


def descent(
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    batches: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]],
    rate: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent on the weighted mean of squares, one step for each batch.

    Parameters
    ----------
    weights, biases : sequence of ndarray
        First parameters of dense layers with tanh between them.
    batches : iterable of (inputs, targets, of_sample)
        Samples, and of shape (samples, 1) each sample's weight in the loss.
    rate : float
        Learning rate.

    Returns
    -------
    parameters : ndarray
        All parameters after the last step, weights before biases in each layer.
    losses : ndarray
        The loss of each step, before it was taken.
    """
    weights, biases, losses = list(weights), list(biases), []
    for inputs, targets, of_sample in batches:
        values = [inputs]
        for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            linear = values[-1] @ weight.T + bias
            values.append(linear if index == len(weights) - 1 else np.tanh(linear))
        missed = values[-1] - targets
        losses.append(np.sum(of_sample * missed**2) / targets.shape[1])
        slope = 2 * of_sample * missed / targets.shape[1]
        for index in reversed(range(len(weights))):
            of_weight, of_bias = slope.T @ values[index], slope.sum(axis=0)
            slope = (slope @ weights[index]) * (1 - values[index] ** 2)
            weights[index] = weights[index] - rate * of_weight
            biases[index] = biases[index] - rate * of_bias
    parts = zip(weights, biases, strict=True)
    return np.concatenate([np.concatenate([w.ravel(), b.ravel()]) for w, b in parts]), np.array(
        losses
    )
