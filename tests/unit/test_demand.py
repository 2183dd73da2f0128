"""Demand against published counts and against arrays that are really multiplied."""

import numpy as np
import pytest

from amdahl_lab import demand


def test_gpt3_has_its_published_size():
    # Brown et al., arXiv:2005.14165, table 2.1: 175 billion, 96 layers of width 12288.
    assert demand.parameters(96, 12288, 50257, 2048) == pytest.approx(175e9, rel=0.003)


@pytest.mark.parametrize(
    ("layers", "hidden", "billions"),
    # Narayanan et al., arXiv:2104.04473, table 1, vocabulary 51200, sequence 2048.
    [(24, 2304, 1.7), (36, 4096, 7.5), (60, 10240, 76.1), (80, 12288, 145.6), (128, 25600, 1008.0)],
)
def test_parameters_of_the_published_models(layers, hidden, billions):
    counted = demand.parameters(layers, hidden, 51200, 2048) / 1e9
    assert counted == pytest.approx(billions, abs=0.06)  # they are given to one decimal place


@pytest.mark.parametrize(
    ("layers", "hidden", "batch", "gpus", "seconds", "model", "hardware"),
    # arXiv:2205.05198, table 5: step time, model and hardware FLOPs utilisation.
    [
        (48, 6144, 4, 8, 1.10, 0.415, 0.437),
        (96, 12288, 64, 64, 13.75, 0.514, 0.528),
        (105, 20480, 280, 280, 37.83, 0.560, 0.570),
        (128, 25600, 512, 512, 71.49, 0.563, 0.570),
    ],
)
def test_flops_give_the_published_utilisation(
    layers, hidden, batch, gpus, seconds, model, hardware
):
    available = gpus * 312e12 * seconds
    size = (batch, layers, hidden, 2048, 51200)
    assert demand.model_flops(*size) / available == pytest.approx(model, abs=0.002)
    assert demand.hardware_flops(*size) / available == pytest.approx(hardware, abs=0.002)


def test_full_recomputation_adds_a_forward_pass_of_the_layers():
    # The layers' part of the model is three forward passes; the output layer is not recomputed.
    size = (1, 96, 12288, 2048)
    layers = demand.model_flops(*size, 1) - 6 * 2048 * 12288
    extra = demand.hardware_flops(*size, 51200, "full") - demand.model_flops(*size, 51200)
    assert extra == pytest.approx(layers / 3, rel=1e-9)
    assert demand.hardware_flops(*size, 51200, "none") == demand.model_flops(*size, 51200)


def test_six_parameters_tokens_is_near_the_exact_count():
    exact = demand.model_flops(1, 96, 12288, 2048, 51200)
    thumb = demand.six_parameters_tokens(demand.parameters(96, 12288, 51200, 2048), 2048)
    assert thumb == pytest.approx(exact, rel=0.03)


def test_a_transformer_layer_is_attention_and_two_dense_layers():
    s, h = 2048, 6144
    attention = demand.attention(1, s, h)
    up, down = demand.dense(s, h, 4 * h), demand.dense(s, 4 * h, h)
    forward = sum(layer.forward_flops for layer in (attention, up, down))
    both = forward + sum(layer.backward_flops for layer in (attention, up, down))
    one = demand.model_flops(1, 2, h, s, 1) - demand.model_flops(1, 1, h, s, 1)
    assert both == pytest.approx(one, rel=1e-12)
    norms = 4 * h
    count = sum(layer.parameters for layer in (attention, up, down)) + norms
    assert count == 12 * h * h + 13 * h


def multiplications(rows, columns):
    """Count the multiply-adds of a matrix product by doing it with ones."""
    return float((np.ones(rows) @ np.ones(columns)).sum())


def test_dense_counts_each_multiplication_and_addition():
    assert demand.dense(3, 5, 7).forward_flops == 2 * multiplications((3, 5), (5, 7))
    assert demand.dense(3, 5, 7).parameters == np.ones((5, 7)).size + 7
    assert demand.dense(3, 5, 7, bias=False).parameters == 35


def played_convolution(n, ci, co, k, size, groups):
    """Count the products of a convolution, output by output."""
    total = 0
    for _ in range(n * size * size):
        for channel in range(co):
            group = channel // (co // groups)
            total += len(range(group * (ci // groups), (group + 1) * (ci // groups))) * k * k
    return total


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_convolution_counts_each_product(groups):
    layer = demand.convolution(2, 4, 8, 3, 5, groups=groups, bias=False)
    assert layer.forward_flops == 2 * played_convolution(2, 4, 8, 3, 5, groups)


def test_depthwise_separable_saves_what_its_paper_says():
    # Howard et al., arXiv:1704.04861, section 3.1: 1 / outputs + 1 / kernel^2 of the FLOPs.
    whole = demand.convolution(1, 64, 128, 3, 14).forward_flops
    depthwise = demand.convolution(1, 64, 64, 3, 14, groups=64).forward_flops
    pointwise = demand.convolution(1, 64, 128, 1, 14).forward_flops
    assert (depthwise + pointwise) / whole == pytest.approx(1 / 128 + 1 / 9, rel=1e-12)


def test_zero_keeps_the_published_bytes():
    # Rajbhandari et al., arXiv:1910.02054, figure 1: 7.5 billion parameters on 64 workers.
    held = demand.state_bytes(7.5e9, 64, [0, 1, 2, 3]) / 1e9
    np.testing.assert_allclose(held, [120, 31.4, 16.6, 1.9], atol=0.05)


def test_sharding_over_one_worker_saves_nothing():
    assert np.ptp(demand.state_bytes(1e9, 1, [0, 1, 2, 3])) == 0


def test_activations_fall_as_published():
    # arXiv:2205.05198, section 4: each step holds less; 34 of 34 + 5 a s / h = 114 stays for 175B.
    size = (1, 2048, 12288, 96)
    keep = demand.activation_bytes_per_layer
    whole = keep(*size)
    tensor = keep(*size, 8)
    sequence = keep(*size, 8, sequence_parallel=True)
    selective = keep(*size, 8, sequence_parallel=True, recompute="selective")
    full = keep(*size, 8, sequence_parallel=True, recompute="full")
    assert whole > tensor > sequence > selective > full
    assert sequence == pytest.approx(whole / 8, rel=1e-12)
    # Section 5: selective recomputation saves 70% of the activations of GPT-3 (175B).
    assert 1 - selective / sequence == pytest.approx(0.70, abs=0.005)


def test_the_roofline_bends_at_the_ridge():
    ridge = demand.ridge(312e12, 2039e9)
    assert demand.attainable_flops(ridge, 312e12, 2039e9) == pytest.approx(312e12)
    assert demand.attainable_flops(ridge / 2, 312e12, 2039e9) == pytest.approx(156e12)
    assert demand.roofline_seconds(ridge * 1e12, 1e12, 312e12, 2039e9) == pytest.approx(1 / 2.039)
    assert demand.intensity(10, 5) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: demand.dense(0, 1, 1), "rows must be whole"),
        (lambda: demand.dense(1.5, 1, 1), "rows must be whole"),
        (lambda: demand.convolution(1, 3, 8, 3, 4, groups=2), "groups must divide"),
        (lambda: demand.state_bytes(1, 1, 4), "sharding must be 0, 1, 2 or 3"),
        (lambda: demand.hardware_flops(1, 1, 1, 1, 1, "some"), "recompute must be one of"),
        (lambda: demand.activation_bytes_per_layer(1, 1, 1, 0), "heads must be"),
        (lambda: demand.ridge(0, 1), "peak_flops must be"),
        (lambda: demand.model_flops([1, 2], [1, 2, 3], 1, 1, 1), "shapes do not match"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_kinds_add_up_to_the_model_and_cross_where_they_should():
    size = (2, 12, 768, 1024, 50257)
    assert sum(demand.flops_by_kind(*size).values()) == pytest.approx(demand.model_flops(*size))
    for layers, hidden in ((1, 64), (12, 768), (96, 12288)):
        half = demand.attention_crossover(layers, hidden, 50257)
        parts = demand.flops_by_kind(1, layers, hidden, half, 50257)
        core = parts.pop("attention core")
        assert core == pytest.approx(sum(parts.values()), rel=1e-12)


def test_scores_are_half_of_what_is_kept_at_their_crossing():
    for hidden, heads in ((768, 12), (12288, 96), (512, 4)):
        s = demand.scores_crossover(hidden, heads)
        kept = [
            demand.activation_bytes_per_layer(1, s, hidden, heads, recompute=how)
            for how in ("none", "selective")
        ]
        assert kept[0] == pytest.approx(2 * kept[1])


def test_layers_add_up_field_by_field():
    both = demand.dense(2, 3, 4) + demand.embedding(5, 6, 7)
    # 3 x 4 + 4 weights and 6 x 7 in the table; 2 x 2 x 3 x 4 FLOPs and none
    assert (both.parameters, both.forward_flops) == (16 + 42, 48)
    with pytest.raises(TypeError):
        _ = demand.dense(2, 3, 4) + 1
