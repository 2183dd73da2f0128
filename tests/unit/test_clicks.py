"""The click log has the structure that it states, and its quality has the right two ends."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from amdahl_lab import demand
from amdahl_lab.parallel.workloads import CLICKS_SIZES, clicks
from amdahl_lab.parallel.workloads.click_log import (
    CATEGORIES,
    COUNTS,
    HELD_OUT,
    ZIPF_EXPONENT,
    ClickLog,
    click_log,
)


def all_numbers() -> np.ndarray:
    return click_log().parsed(np.arange(len(click_log())))


def test_lines_are_read_as_they_are_written():
    lines = click_log().text.splitlines()
    assert len(lines) == len(click_log())
    for number in (0, 1, 777, len(lines) - 1):
        expected = [int(field) for field in lines[number].split("\t")]
        assert click_log().parsed(np.array([number]))[0].tolist() == expected
    assert click_log().parsed(np.array([], dtype=int)).shape == (0, 1 + COUNTS + len(CATEGORIES))


def test_clicks_fall_with_the_chances_that_the_log_states():
    clicked, chances = all_numbers()[:, 0], click_log().chances
    assert set(clicked) == {0, 1}
    for group in np.array_split(np.argsort(chances), 10):
        error = np.sqrt((chances[group] * (1 - chances[group])).sum()) / len(group)
        assert abs(clicked[group].mean() - chances[group].mean()) < 4 * error
    assert chances.min() < 0.01 < 0.9 < chances.max()


def test_categories_are_as_frequent_as_zipf_says():
    tokens = all_numbers()[:, 1 + COUNTS :]
    for column, categories in zip(tokens.T, CATEGORIES, strict=True):
        seen = np.sort(np.unique(column, return_counts=True)[1])[::-1]
        assert len(seen) <= categories
        assert np.unique(column % categories).size == len(seen)  # no two in one row of a full table
        ranks = np.arange(1, 9)
        slope = np.polyfit(np.log(ranks), np.log(seen[:8]), 1)[0]
        assert slope == pytest.approx(-ZIPF_EXPONENT, abs=0.06)


def test_frequent_categories_are_spread_over_the_largest_table():
    """So that a worker with a share of the rows has about that share of the look-ups."""
    rows = all_numbers()[:, 1 + COUNTS] % CATEGORIES[0]
    frequent = np.argsort(np.bincount(rows, minlength=CATEGORIES[0]))[::-1][:200]
    halves = (frequent < CATEGORIES[0] // 2).mean()
    assert 0.35 < halves < 0.65


def test_batches_hold_training_lines_and_quality_the_others():
    read = []

    class Watched(ClickLog):
        def parsed(self, lines):
            read.append(lines)
            return super().parsed(lines)

    log = click_log()
    workload = replace(clicks("small", 50_000), log=Watched(log.text, log.starts, log.chances))
    workload.load(0)
    workload.quality(workload.model())
    loaded, tested = read
    assert len(loaded) == 50_000
    assert loaded.max() < len(log) - HELD_OUT == tested.min()
    assert tested.size == HELD_OUT


class Oracle(torch.nn.Module):
    """Odds for the held-out lines that are known beforehand."""

    def __init__(self, chances: np.ndarray) -> None:
        super().__init__()
        self.odds = torch.from_numpy(np.log(chances / (1 - chances)))

    def forward(self, numbers, categories):
        return self.odds


def test_quality_is_one_for_the_truth_and_nothing_for_the_mean():
    workload = clicks("small")
    chances = workload.log.chances[workload.training_lines :]
    assert workload.quality(Oracle(chances)) == pytest.approx(1, abs=1e-9)
    assert workload.quality(Oracle(np.full_like(chances, chances.mean()))) == pytest.approx(0)
    odds = np.log(chances / (1 - chances))
    for bent in (0.8, 1.2):  # odds that are too careful or too bold
        assert 0.8 < workload.quality(Oracle(1 / (1 + np.exp(-bent * odds)))) < 1


def test_the_best_log_loss_is_that_of_the_clicks_that_fell():
    workload = clicks()
    held_out = np.arange(workload.training_lines, len(workload.log))
    clicked, chances = workload.log.parsed(held_out)[:, 0], workload.log.chances[held_out]
    surprise = -np.log(np.where(clicked == 1, chances, 1 - chances))
    mean, best = workload.log_loss_bounds
    assert abs(surprise.mean() - best) < 4 * surprise.std() / np.sqrt(HELD_OUT)
    assert mean - best > 0.15  # there is something to learn


@pytest.mark.parametrize("size", CLICKS_SIZES)
def test_the_closed_forms_count_its_parameters_and_what_torch_computes(size):
    batch, workload = 5, clicks(size, batch=5)
    most_rows, features, bottom, top = CLICKS_SIZES[size]
    tables = [demand.embedding(batch, min(each, most_rows), features) for each in CATEGORIES]
    vectors = len(CATEGORIES) + 1
    below = [COUNTS, *bottom, features]
    above = [features + vectors * (vectors - 1) // 2, *top, 1]
    layers = [
        demand.dense(batch, inputs, outputs)
        for widths in (below, above)
        for inputs, outputs in pairwise(widths)
    ]
    model = workload.model()
    expected = sum(each.parameters for each in (*tables, *layers))
    assert sum(each.numel() for each in model.parameters()) == expected
    with FlopCounterMode(display=False) as counter:
        workload.loss(model, workload.load(0)).backward()
    computed = sum(each.forward_flops + each.backward_flops for each in layers)
    to_the_counts = layers[0].backward_flops / 2  # a gradient that nobody asks for
    products = 2 * batch * vectors * vectors * features
    assert counter.get_total_flops() == computed - to_the_counts + 3 * products


def test_only_rows_that_were_looked_up_change():
    workload = clicks("small", 20)
    model, batch = workload.model(), workload.load(0)
    optimizer = workload.optimizer(model)
    table = model.tables.tables[0].weight
    before = table.detach().clone()
    workload.loss(model, batch).backward()
    optimizer.step()
    changed = (table != before).any(1).nonzero().flatten()
    assert set(changed.tolist()) == set(batch[1][:, 0].tolist())
