"""The book's text and its model: nothing held out is seen, counted, causal, fit to be cut."""

import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from amdahl_lab import demand
from amdahl_lab.parallel.workloads import TEXT_SIZES, text
from amdahl_lab.parallel.workloads.writing import CHARACTERS
from amdahl_lab.recorded.text import FOLDER, book_text
from amdahl_lab.recorded.text.snapshot import snapshot


def written(numbers: torch.Tensor) -> str:
    return "".join(CHARACTERS[number] for number in numbers.tolist())


def test_the_snapshot_is_small_plain_and_holds_nothing_out_that_it_trains_on():
    training, held_out = book_text()
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 200_000
    assert set(training + held_out) <= set(CHARACTERS)
    assert len(held_out) > len(training) / 20
    assert not {*training.split("\n\n")} & {*held_out.split("\n\n")}
    stretches = {training[start : start + 80] for start in range(len(training))}
    assert not any(held_out[start : start + 80] in stretches for start in range(len(held_out) - 80))


def test_a_snapshot_takes_prose_and_nothing_else(tmp_path):
    page, notebook = tmp_path / "chapters" / "01" / "index.md", tmp_path / "book" / "check.ipynb"
    hidden = tmp_path / "book" / "_ext" / "hidden.md"
    for path in (page, notebook, hidden):
        path.parent.mkdir(parents=True, exist_ok=True)
    paragraphs = [f"Paragraph {number} – naïve 定律." for number in range(1, 21)]
    page.write_text("---\ntitle: front matter\n---\n\n" + "\n\n".join([*paragraphs, paragraphs[0]]))
    cells = [
        {"cell_type": "markdown", "source": ["From a ", "notebook."]},
        {"cell_type": "code", "source": ["print('code')"]},
    ]
    notebook.write_text(json.dumps({"cells": cells}))
    hidden.write_text("Not a page.")
    files = snapshot(tmp_path)
    assert files["held_out.txt"] == "Paragraph 10 - naive .\n\nParagraph 20 - naive .\n"
    trained_on = files["training.txt"].strip().split("\n\n")
    assert trained_on == [
        *(f"Paragraph {number} - naive ." for number in range(1, 21) if number % 10),
        "From a notebook.",
    ]
    pages = [line.split(",")[0] for line in files["pages.csv"].splitlines()[1:]]
    assert pages == ["chapters/01/index.md", "book/check.ipynb"]
    with pytest.raises(ValueError, match="root must hold chapters and book with pages"):
        snapshot(tmp_path / "chapters")


def test_batches_are_stretches_of_the_training_text_and_what_follows():
    workload = text("small", batch=300)
    inputs, targets = workload.load(0)
    assert inputs.shape == targets.shape == (300, workload.sequence)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    for start, follows in zip(inputs, targets, strict=True):
        assert written(start) + written(follows[-1:]) in workload.training


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("size", TEXT_SIZES)
def test_parameters_are_those_of_the_published_formula(size, tied):
    layers, hidden, _, sequence = TEXT_SIZES[size]
    vocabulary = len(CHARACTERS)
    published = demand.parameters(layers, hidden, vocabulary, sequence)  # tied, without last norm
    more = 2 * hidden + (0 if tied else vocabulary * hidden)
    found = sum(each.numel() for each in text(size, tied=tied).model().parameters())
    assert found == round(published) + more


@pytest.mark.parametrize("size", TEXT_SIZES)
def test_torch_computes_what_the_published_formula_says(size):
    workload = text(size, batch=3)
    layers, hidden, _, sequence = TEXT_SIZES[size]
    with FlopCounterMode(display=False) as counter:
        workload.loss(workload.model(), workload.load(0)).backward()
    expected = demand.model_flops(3, layers, hidden, sequence, len(CHARACTERS))
    assert counter.get_total_flops() == round(expected)


@torch.no_grad()
def test_no_position_sees_what_comes_after_it():
    workload = text("small", batch=1)
    model, (inputs, _) = workload.model(), workload.load(0)
    changed = inputs.clone()
    changed[0, 20] = (changed[0, 20] + 1) % len(CHARACTERS)
    before, after = model(inputs)[0], model(changed)[0]
    assert torch.equal(before[:20], after[:20])
    assert all(not torch.equal(before[position], after[position]) for position in range(20, 32))


@torch.no_grad()
def test_attention_with_some_of_its_heads_is_a_part_of_the_whole():
    """What tensor parallelism rests on: the parts' outputs add up to the whole's."""
    workload = text("wide", batch=2)
    model, (inputs, _) = workload.model(), workload.load(0)
    features, whole = model[0](inputs), model[1].attention
    expected, width = whole(features), whole.features
    parts = []
    for rows in (slice(0, 5 * width), slice(5 * width, 12 * width)):  # 5 heads and 7
        part = text("wide").model()[1].attention
        for layer in (part.query, part.key, part.value):
            layer.weight, layer.bias = (
                torch.nn.Parameter(each[rows]) for each in (layer.weight, layer.bias)
            )
        part.out.weight = torch.nn.Parameter(part.out.weight[:, rows])
        parts.append(part(features) - part.out.bias)
    torch.testing.assert_close(sum(parts) + whole.out.bias, expected, rtol=0, atol=1e-5)
    assert (parts[0] + whole.out.bias - expected).abs().max() > 1e-2


def test_tied_weights_are_one_parameter():
    model = text("small", tied=True).model()
    assert model[0].characters.weight is model[-1].scores.weight
    model = text("small").model()
    assert model[0].characters.weight is not model[-1].scores.weight
