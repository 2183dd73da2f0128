"""Runs a student's training script on two real ranks with hidden data, and counts what it does."""

from collections.abc import Callable

from amdahl_lab.grading.rank_probe import drawn


def run(
    function: Callable, *, seed: int, layers: list, samples: int, batch: int, rate: float
) -> list:
    """Train with a script on two ranks.

    Parameters
    ----------
    function : callable
        The student's ``train(model, load, batch, steps, rate)``.
    seed, layers, samples : int, list of int, int
        What `rank_probe.drawn` makes data and first parameters from.
    batch, rate : int, float
        Samples of a step, on both ranks together, and the learning rate.

    Returns
    -------
    list of dict
        For each rank its parameters, losses and counts, see `parallel.counted_training`.
    """
    from amdahl_lab.parallel.counted_training import count_training

    weights, biases, inputs, targets = drawn(seed, layers, samples)
    return count_training(function, weights, biases, inputs, targets, batch=batch, rate=rate)
