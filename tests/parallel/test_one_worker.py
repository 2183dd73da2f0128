"""One worker: counts equal closed forms, loaders hand out the same images, shrunk means shrunk."""

import numpy as np
import pytest
import torch
from torch import nn

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.one_worker import layers, loading, operators, serving, shrinking
from amdahl_lab.parallel.one_worker.counting import Counted, counted_flops, saved_bytes
from amdahl_lab.parallel.workloads import digits


@pytest.mark.parametrize(
    "layer",
    [
        layers.dense(3, 5, 7),
        layers.convolution(2, 4, 6),
        layers.pointwise(2, 4, 6),
        layers.attention(2, 5, 8, heads=2),
        layers.block(2, 5, 8, heads=2),
    ],
    ids=lambda layer: layer.name,
)
def test_the_closed_forms_equal_the_counter_to_the_last_operation(layer):
    module = layer.build()
    assert sum(p.numel() for p in module.parameters()) == layer.demand.parameters
    counted = counted_flops(module, layer.feed())
    assert counted == Counted(layer.demand.forward_flops, layer.demand.backward_flops)
    assert all(p.grad is None for p in module.parameters())


def test_a_depthwise_convolution_does_the_work_of_one_convolution_for_each_channel():
    layer = layers.depthwise(2, 6, 8)
    apart, whole = layers.PerChannel(6), layer.build()
    with torch.no_grad():
        for channel, each in enumerate(apart.each):
            each.weight.copy_(whole.weight[channel : channel + 1])
            each.bias.copy_(whole.bias[channel : channel + 1])
    images = layer.feed()
    torch.testing.assert_close(apart(images), whole(images))
    counted = counted_flops(apart, images)
    assert counted == Counted(layer.demand.forward_flops, layer.demand.backward_flops)


def test_kept_bytes_of_a_dense_layer_and_a_relu_are_their_input_and_the_relus_output():
    module = nn.Sequential(nn.Linear(5, 7), nn.ReLU())
    assert saved_bytes(module, torch.randn(3, 5)) == 4 * (3 * 5 + 3 * 7)


def test_operators_are_timed_forward_and_back():
    chosen = {each.name: each for each in (layers.dense(64, 32, 32), layers.embedding(8, 10, 4))}
    run = operators.operator_times(chosen, 2, progress=False)
    names = [f"{name}, {which}" for name in chosen for which in ("forward", "both")]
    assert run.phases == tuple(names)
    assert run.rounds == 2
    assert run.seconds(1, "dense, 64 rows, both").min() > 0


def test_every_number_of_loaders_makes_the_same_images():
    samples = loading.Elastic(digits(batch=4))
    alone = torch.stack([samples[place][0] for place in range(6)])
    assert torch.equal(alone, torch.stack([samples[place][0] for place in range(6)]))
    np.testing.assert_allclose(alone.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(alone.std(1, correction=0), 1, atol=1e-3)
    straight = torch.stack([loading.Elastic(digits(batch=4), bend=False)[p][0] for p in range(6)])
    assert (alone - straight).abs().amax(1).min() > 0.1  # each was bent


def test_the_step_holds_the_wait_and_loaders_end():
    run = loading.input_pipeline((0, 2), 2, size="small", batch=16, progress=False)
    for count in (0, 2):
        step, wait = (run.seconds(1, f"{phase}, {count} loaders") for phase in ("step", "wait"))
        assert (wait < step).all()
    with pytest.raises(ValueError, match=r"loaders must be different whole numbers"):
        loading.input_pipeline((-1, 0))


def test_every_call_is_kept():
    run = serving.answer_times((1, 3), calls=5, size="small")
    assert run.phases == ("batch 1", "batch 3")
    assert run.rounds == 5
    assert len(run.timing(1, "batch 3").warmups) == serving.WARM_CALLS
    with pytest.raises(ValueError, match="batches must be different whole numbers"):
        serving.answer_times((1, 1))


def test_shrinking_does_what_it_says():
    network = digits("wide").model()
    images, _ = digits("wide", batch=3).load(0)
    zeroed = shrinking.pruned(network, 0.9)
    weight = zeroed[7].weight
    assert (weight == 0).double().mean() == pytest.approx(0.9, abs=1e-4)
    kept, gone = network[7].weight.abs()[weight != 0], network[7].weight.abs()[weight == 0]
    assert kept.min() >= gone.max()  # the smallest went
    assert torch.equal(zeroed[9].weight, network[9].weight)  # the last layer stays whole
    with torch.no_grad():
        torch.testing.assert_close(shrinking.sparse(network, 0.9)(images), zeroed(images))
        # Removing neurons is setting their weights to zero and leaving them out.
        narrow = shrinking.narrowed(network, 0.5)
        assert narrow[7].weight.shape == (1024, 512)
        silent = {tuple(row.tolist()[:4]) for row in narrow[7].weight}
        for place, row in enumerate(network[7].weight):
            if tuple(row.tolist()[:4]) not in silent:
                network[7].weight[place] = network[7].bias[place] = 0
        torch.testing.assert_close(narrow(images), network(images), atol=1e-4, rtol=1e-3)


def test_training_teaches_and_the_variants_are_scored():
    weights = shrinking.trained(60)
    names = ("as trained", "90% of neurons removed")
    right = shrinking.accuracies(weights, names)
    assert tuple(right) == names
    assert right["as trained"].estimate > 0.8
    (again,) = run_ranks(shrinking._right, 1, digits("wide"), weights, ["as trained"])
    assert again["as trained"][1] == 360  # a fifth of 1,797 images, rounded up
