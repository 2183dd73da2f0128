"""What one worker reaches: the reference for hidden parallel runs, worked out by the grader."""

from collections.abc import Sequence

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
    for _ in range(steps):
        values = [inputs]
        for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            linear = values[-1] @ weight.T + bias
            values.append(linear if index == len(weights) - 1 else np.tanh(linear))
        slope = 2 * of_sample * (values[-1] - targets) / targets.shape[1]
        for index in reversed(range(len(weights))):
            of_weight, of_bias = slope.T @ values[index], slope.sum(axis=0)
            slope = (slope @ weights[index]) * (1 - values[index] ** 2)
            weights[index] = weights[index] - rate * of_weight
            biases[index] = biases[index] - rate * of_bias
    parts = zip(weights, biases, strict=True)
    return np.concatenate([np.concatenate([w.ravel(), b.ravel()]) for w, b in parts])
