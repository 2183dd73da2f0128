"""The digits: the same in every process, distorted but readable, and really learnt."""

import numpy as np
import pytest
import torch

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.workloads import DIGITS_SIZES, Digits, digits


def test_it_is_the_published_set():
    workload = digits()
    assert workload.images.shape == (1797, 64)  # sklearn.datasets.load_digits, UCI's test part
    assert 0 <= workload.images.min() < workload.images.max() == 1
    assert set(workload.labels) == set(range(10))


@pytest.mark.parametrize(
    ("size", "parameters"), [("small", 9_802), ("medium", 38_282), ("wide", 1_075_914)]
)
def test_sizes_are_what_the_layers_add_up_to(size, parameters):
    first, second, width = DIGITS_SIZES[size]
    convolutions = first * 9 + first + second * first * 9 + second
    dense = 16 * second * width + width + 10 * width + 10
    found = sum(each.numel() for each in digits(size).model().parameters())
    assert found == convolutions + dense == parameters


def test_model_and_batches_repeat_and_leave_torchs_generator_alone():
    first, second, other = digits(seed=1), digits(seed=1), digits(seed=2)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    models = [workload.model() for workload in (first, second, other)]
    batches = [workload.load(3) for workload in (first, second, other)]
    assert torch.equal(torch.get_rng_state(), state)
    weights = [model[1].weight for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(batches[0][0], batches[1][0])
    assert not torch.equal(batches[0][0], batches[2][0])
    assert not torch.equal(batches[0][0], first.load(4)[0])


def test_a_batch_never_holds_a_test_image():
    workload = digits("small", batch=4000)
    held_out = workload.labels.copy()
    held_out[: workload.training_images] = 0
    held_out[workload.training_images :] = 77  # a label that no training image has
    marked = type(workload)("small", 4000, 0, workload.images, held_out)
    assert set(marked.load(0)[1].tolist()) == {0}


def test_distortion_keeps_the_ink_near_its_place():
    workload = digits(batch=500)
    images, labels = workload.load(0)
    assert images.shape == (500, 64)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1
    plain = torch.stack(
        [torch.from_numpy(workload.images[workload.labels == k]).mean(0) for k in range(10)]
    )
    nearest = torch.cdist(images, plain).argmin(1)
    assert (nearest == labels).double().mean() > 0.6  # by chance it would be 0.1
    assert not any((images[0] == torch.from_numpy(image)).all() for image in workload.images)


def trained(workload: Digits, steps: int) -> tuple[list[float], float]:
    model = workload.model()
    optimizer = workload.optimizer(model)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = workload.loss(model, workload.load(step))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, workload.accuracy(model)


def test_training_reads_nine_of_ten_unseen_digits():
    ((losses, accuracy),) = run_ranks(trained, 1, digits("small", batch=256), 250)
    assert np.mean(losses[:10]) > 2.2  # ln 10 = 2.3 is knowing nothing
    assert np.mean(losses[-10:]) < 0.25
    assert accuracy > 0.9


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": "huge"}, "size must be one of small, medium, wide, got 'huge'"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
    ],
)
def test_what_does_not_exist_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        digits(**wrong)
