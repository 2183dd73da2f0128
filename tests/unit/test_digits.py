"""The digits: the same in every process, counted, and distorted but readable."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from amdahl_lab import demand
from amdahl_lab.parallel.workloads import DIGITS_SIZES, digits


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


@pytest.mark.parametrize("size", DIGITS_SIZES)
def test_the_closed_forms_count_its_parameters_and_what_torch_computes(size):
    workload = digits(size, batch=5)
    first, second, width = DIGITS_SIZES[size]
    layers = [
        demand.convolution(5, 1, first, kernel=3, size_out=8),
        demand.convolution(5, first, second, kernel=3, size_out=8),
        demand.dense(5, 16 * second, width),
        demand.dense(5, width, 10),
    ]
    model = workload.model()
    assert sum(each.numel() for each in model.parameters()) == sum(e.parameters for e in layers)
    with FlopCounterMode(display=False) as counter:
        workload.loss(model, workload.load(0)).backward()
    computed = sum(each.forward_flops + each.backward_flops for each in layers)
    to_the_pixels = layers[0].backward_flops / 2  # a gradient that nobody asks for
    assert counter.get_total_flops() == computed - to_the_pixels


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
