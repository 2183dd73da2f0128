"""Collectives against the bytes and steps of algorithms that are played out."""

import numpy as np
import pytest

from amdahl_lab import communication as c


def ring_all_reduce(buffers):
    """Play a ring all-reduce; return the buffers after it, and messages and bytes per worker."""
    N = len(buffers)
    parts = [np.array_split(np.array(buffer, dtype=float), N) for buffer in buffers]
    messages = numbers = 0
    for phase in range(2):
        for step in range(N - 1):
            moving = [(w, (w - step + phase) % N) for w in range(N)]
            sent = {w: parts[w][part].copy() for w, part in moving}
            messages += 1
            numbers += max(len(part) for part in sent.values())
            for w, part in moving:
                to = (w + 1) % N
                parts[to][part] = parts[to][part] + sent[w] if phase == 0 else sent[w]
    return [np.concatenate(p) for p in parts], messages, numbers


@pytest.mark.parametrize("workers", [2, 3, 4, 8])
def test_ring_costs_what_a_played_ring_sends(workers):
    size = 24 * workers
    buffers = np.random.default_rng(0).normal(size=(workers, size))
    result, messages, numbers = ring_all_reduce(buffers)
    np.testing.assert_allclose(
        result, np.broadcast_to(buffers.sum(axis=0), result[0].shape)[None].repeat(workers, axis=0)
    )
    assert c.all_reduce_seconds(size, workers, 1.0, 0.0) == pytest.approx(messages)
    assert c.all_reduce_seconds(size, workers, 0.0, 1.0) == pytest.approx(numbers)


def test_all_reduce_is_a_reduce_scatter_and_an_all_gather():
    cost = (1e6, 7, 1e-5, 1e-9)
    both = c.reduce_scatter_seconds(*cost) + c.all_gather_seconds(*cost)
    assert c.all_reduce_seconds(*cost) == pytest.approx(both, rel=1e-12)


@pytest.mark.parametrize("algorithm", c.ALL_REDUCES)
def test_one_worker_sends_nothing(algorithm):
    assert c.all_reduce_seconds(1e9, 1, 1.0, 1.0, algorithm) == 0
    assert c.broadcast_seconds(1e9, 1, 1.0, 1.0) == 0
    assert c.all_to_all_seconds(1e9, 1, 1.0, 1.0) == 0


def test_large_rings_send_two_buffers_and_never_more():
    N = 2.0 ** np.arange(1, 20)
    cost = c.all_reduce_seconds(1.0, N, 0.0, 1.0)
    assert np.all(np.diff(cost) > 0)
    assert np.all(cost < 2)
    assert cost[-1] == pytest.approx(2, rel=1e-5)


def test_tree_wins_for_a_small_buffer_and_ring_for_a_large_one():
    small, large = 8.0, 1e9
    ring = [c.all_reduce_seconds(n, 64, 1e-5, 1e-9, "ring") for n in (small, large)]
    tree = [c.all_reduce_seconds(n, 64, 1e-5, 1e-9, "tree") for n in (small, large)]
    assert tree[0] < ring[0]
    assert ring[1] < tree[1]


def test_two_levels_of_one_speed_send_the_bytes_of_one_ring():
    link = (0.0, 1e-9)
    flat = c.all_reduce_seconds(1e9, 64, *link)
    assert c.two_level_all_reduce_seconds(1e9, 8, 8, link, link) == pytest.approx(flat, rel=1e-12)


def test_a_slow_outer_network_costs_its_share_only():
    inner, outer = (0.0, 1e-9), (0.0, 1e-8)
    two = c.two_level_all_reduce_seconds(1e9, 8, 8, inner, outer)
    assert two == pytest.approx(2 * 7 / 8 + 2 * 7 / 8 / 8 * 10, rel=1e-12)
    assert two < c.all_reduce_seconds(1e9, 64, *outer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 2, 0, 0), "size must be"),
        ((1, 0, 0, 0), "workers must be"),
        ((1, 2, -1, 0), "latency must be"),
        ((1, 2, 0, np.nan), "inverse_bandwidth must be"),
        (([1, 2], [1, 2, 3], 0, 0), "shapes do not match"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        c.all_reduce_seconds(*arguments)


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(ValueError, match="algorithm must be one of"):
        c.all_reduce_seconds(1, 2, 0, 0, "star")
