"""Times of a bare all-reduce: what they are of, and that they grow with the bytes."""

import numpy as np
import pytest

from amdahl_lab.parallel import links
from amdahl_lab.parallel.links import all_reduce_times


def test_each_size_has_one_time_for_each_round_and_many_bytes_take_longer():
    times = all_reduce_times([4, 4_000_000], workers=3, rounds=5)
    assert {size: seconds.shape for size, seconds in times.items()} == {4: (5,), 4_000_000: (5,)}
    assert np.median(times[4_000_000]) > np.median(times[4]) > 0
    assert np.median(times[4_000_000]) > 1e-4  # 8 MB in and out of each rank can't take less


def test_the_slowest_rank_decides_and_the_first_round_is_left_out(monkeypatch):
    ranks = [np.array([[9.0, 9.0], [1.0, 4.0], [2.0, 5.0]]), np.array([[9, 9], [3.0, 2], [1, 7.0]])]
    monkeypatch.setattr(links, "run_ranks", lambda *_: ranks)
    times = all_reduce_times([8, 16], rounds=2)
    assert times[8].tolist() == [3.0, 2.0]
    assert times[16].tolist() == [4.0, 7.0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sizes": [4], "workers": 1}, "workers must be at least 2"),
        ({"sizes": []}, "sizes must be different multiples of 4 bytes, got \\[\\]"),
        ({"sizes": [4, 6]}, "sizes must be different multiples of 4 bytes"),
        ({"sizes": [4, 4]}, "sizes must be different multiples of 4 bytes"),
        ({"sizes": [0]}, "sizes must be different multiples of 4 bytes"),
        ({"sizes": [4], "rounds": 1}, "rounds must be at least 2, got 1"),
        ({"sizes": [4], "turns": 0}, "turns must be at least 1, got 0"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(arguments, words):
    with pytest.raises(ValueError, match=words):
        all_reduce_times(**arguments)
