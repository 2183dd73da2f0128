"""The proof that labs show: each strategy against the serial run, in one call."""

from functools import partial

from amdahl_lab.parallel import equality
from amdahl_lab.parallel.strategies import Column, DataParallel, Row, Zero1, catalogue

PLAN = {"7": Column(), "9": Row()}  # the digits network's two dense layers
# Last bits of a float32 near 1 are 1e-7; five steps let them grow. A gradient left out shows in
# the second digit.
TOLERANCE = 1e-5


def test_every_strategy_of_the_catalogue_equals_serial_on_the_digits():
    for workers, strategies in (
        (2, catalogue.by_hand(PLAN)),
        (2, catalogue.by_torch(PLAN)),
        (4, catalogue.hybrids(PLAN)),
    ):
        found = equality.differences_by_strategy(strategies, workers=workers)
        assert found.keys() == strategies.keys()
        assert all(difference < TOLERANCE for difference in found.values()), found


class Forgetful(DataParallel):
    """Takes its own gradient for everyone's."""

    def step(self, batch):
        return super().step(batch, synchronise=False)


def test_a_wrong_strategy_is_told_from_a_right_one():
    found = equality.differences_by_strategy({"right": Zero1, "wrong": partial(Forgetful)})
    assert found["right"] < TOLERANCE < 1e-3 < found["wrong"]
