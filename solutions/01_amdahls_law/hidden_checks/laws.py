"""Right and wrong laws of speedup, written out once more, apart from `amdahl_lab.laws`."""

import math


def speedup(workers, serial_fraction):
    """Amdahl's law."""
    return workers / (1 + serial_fraction * (workers - 1))


def serial_fraction(measured, workers):
    """The law solved for the serial fraction."""
    return (workers / measured - 1) / (workers - 1)


def workers_needed(target, serial):
    """The law solved for the workers."""
    if target == 1:
        return 1.0
    return target * (1 - serial) / (1 - target * serial) if target * serial < 1 else math.inf


def outline_time(workers, s):
    """Speedup from the outline's run time U / (P f) + I, with f = U / (U + I)."""
    return 1 / (1 / workers + s)


def outline_speedup(workers, s):
    """The outline's ((U + I) / U) / (1 + I / (P f U))."""
    f = 1 - s
    return (1 / f) / (1 + s / (workers * f * f))


def outline_factor(workers, s):
    """The outline's 1 / (1 - (1 - P) / N)."""
    return 1 / (1 - s / workers)
