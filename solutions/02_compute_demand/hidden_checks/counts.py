"""Exercise 1: count a model."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception

from .layers import (
    counts,
    draw_images,
    draw_text,
    forward,
    kept_bytes,
    memory,
    parameters,
    training,
)


def _simple(rng):
    cases = []
    for _ in range(3):
        entries, inputs, outputs = rng.integers(5, 400, size=3).tolist()
        samples, places = rng.integers(2, 40, size=2).tolist()
        cases.append((["dense", inputs, outputs], samples, places))
        cases.append((["embedding", entries, inputs], samples, places))
    return cases


def _convolutions(rng):
    cases = []
    for stride in (1, 2):
        inputs, outputs, channels = rng.integers(3, 64, size=3).tolist()
        samples, side = rng.integers(2, 30, size=2).tolist()
        kernel = int(rng.choice([3, 5, 7]))
        cases.append((["convolution", inputs, outputs, kernel, stride], samples, side**2))
        cases.append((["depthwise", channels, kernel, stride], samples, side**2))
    return cases


def _attentions(rng):
    cases = []
    for _ in range(4):
        heads = int(rng.choice([2, 4, 8]))
        features = heads * int(rng.integers(4, 32))
        samples, places = rng.integers(2, 200, size=2).tolist()
        cases.append((["attention", features, heads], samples, places))
    return cases


HALF = Misconception(
    "one multiplication and one addition are two FLOPs; this counts the pair once",
    lambda layer, n, m: [parameters(layer), forward(layer, n, m) / 2],
)


def _only(kind, flops):
    """Right, but for the FLOPs of one kind."""
    return lambda layer, n, m: (
        [parameters(layer), flops(*layer[1:], n, m)] if layer[0] == kind else counts(layer, n, m)
    )


def _without_bias(layer):
    outputs = {"dense": 2, "convolution": 2, "depthwise": 1}
    return parameters(layer) - (layer[outputs[layer[0]]] if layer[0] in outputs else 0)


NO_BIAS = Misconception(
    "each output has a bias, and it is learned too",
    lambda layer, n, m: [_without_bias(layer), forward(layer, n, m)],
)

SIMPLE = FunctionCheck(
    Item("count_dense", 1, "a dense layer and an embedding"),
    "layer_counts",
    _simple,
    counts,
    (
        HALF,
        NO_BIAS,
        Misconception(
            "an embedding is a look-up: it copies a row of the table and multiplies nothing",
            _only("embedding", lambda entries, features, n, m: 2 * n * m * entries * features),
        ),
        Misconception(
            "the layer works once at every place, not once for a sample",
            lambda layer, n, m: counts(layer, n, 1),
        ),
        Misconception(
            "the FLOPs of all samples together are asked for",
            lambda layer, n, m: counts(layer, 1, m),
        ),
    ),
    otherwise="a hidden dense layer or embedding has other counts: a dense layer multiplies every "
    "input with every output at every place, an embedding multiplies nothing",
)


def _as_full(layer, n, m):
    if layer[0] != "depthwise":
        return counts(layer, n, m)
    _, channels, kernel, stride = layer
    return counts(["convolution", channels, channels, kernel, stride], n, m)


def _kernel_once(layer, n, m):
    share = layer[-2]
    bias = parameters(layer) - _without_bias(layer)
    return [_without_bias(layer) / share + bias, forward(layer, n, m) / share]


CONVOLUTION = FunctionCheck(
    Item("count_convolution", 1, "a convolution, full and depthwise"),
    "layer_counts",
    _convolutions,
    counts,
    (
        HALF,
        NO_BIAS,
        Misconception(
            "in a depthwise convolution a channel sees only itself: there is one kernel for each "
            "channel, not one for each pair",
            _as_full,
        ),
        Misconception(
            "places are those of the output, so the stride is in them already",
            lambda layer, n, m: [parameters(layer), forward(layer, n, m) / layer[-1] ** 2],
        ),
        Misconception(
            "work is done for every place of the output; places of the input that the stride "
            "skips cost nothing",
            lambda layer, n, m: counts(layer, n, m * layer[-1] ** 2),
        ),
        Misconception(
            "a kernel is a square: it has kernel times kernel numbers for each pair of channels",
            _kernel_once,
        ),
    ),
    otherwise="a hidden convolution has other counts: how many numbers are multiplied for one "
    "channel at one place of the output?",
)


def _projections(features, heads, n, m):
    return 8 * n * m * features**2


ATTENTION = FunctionCheck(
    Item("count_attention", 1, "attention"),
    "layer_counts",
    _attentions,
    counts,
    (
        HALF,
        Misconception(
            "each of the four projections has a bias, and it is learned too",
            lambda layer, n, m: [4 * layer[1] ** 2, forward(layer, n, m)],
        ),
        Misconception(
            "the projections are there; the scores and the weighted sums are products too, and "
            "they grow with the square of the sequence",
            _only("attention", _projections),
        ),
        Misconception(
            "scores are one product over all pairs of places, weighted sums are a second one of "
            "the same size",
            _only(
                "attention",
                lambda features, heads, n, m: (
                    _projections(features, heads, n, m) + 2 * n * m**2 * features
                ),
            ),
        ),
        Misconception(
            "each head works on features / heads of the features, so the number of heads cancels",
            _only(
                "attention",
                lambda features, heads, n, m: (
                    _projections(features, heads, n, m) + 4 * heads * n * m**2 * features
                ),
            ),
        ),
        Misconception(
            "the fourth projection is missing: it mixes the heads after the weighted sums",
            lambda layer, n, m: [
                3 * parameters(layer) / 4,
                forward(layer, n, m) - 2 * n * m * layer[1] ** 2,
            ],
        ),
    ),
    otherwise="a hidden attention layer has other counts: four projections at every place, and "
    "two products over all pairs of places",
)
LAYERS = (SIMPLE, CONVOLUTION, ATTENTION)


def _models(rng):
    return [
        (draw(rng), int(rng.integers(2, 20)))
        for draw in (draw_images, draw_text, draw_images, draw_text)
    ]


def _each(model, samples):
    return np.array([forward(layer, samples, places) for layer, places in model], dtype=float)


def _twice(model, samples):
    total = _each(model, samples).sum()
    return [total, 2 * total]


def _second_too(model, samples):
    """Takes the layer after an embedding for the first."""
    each = _each(model, samples)
    return [each.sum(), 2 * each.sum() - each[each > 0][0]]


TRAINING = FunctionCheck(
    Item("training_flops", 1, "forward and backward pass of a model"),
    "training_flops",
    _models,
    training,
    (
        Misconception(
            "the first layer needs no gradient of its input: nobody changes the data",
            _twice,
        ),
        Misconception(
            "an embedding is a layer with weights, so the layer after it has to hand a gradient "
            "back: only a layer that sees the data itself is spared",
            _second_too,
        ),
        Misconception(
            "two products for each one of the forward pass: one for the gradient of the weights, "
            "one for that of the input",
            lambda model, n: [_each(model, n).sum()] * 2,
        ),
        Misconception(
            "the second number is the backward pass alone, without the forward pass",
            lambda model, n: [training(model, n)[0], sum(training(model, n))],
        ),
        Misconception(
            "the first layer has weights as well: it is spared the gradient of its input and not "
            "that of its weights",
            lambda model, n: [_each(model, n).sum(), 2 * _each(model, n)[1:].sum()],
        ),
    ),
    otherwise="a hidden model has other counts; are those of its single layers right?",
)


def _kept(change):
    """Bytes kept if a rule is changed: `change` gives the bytes of a layer, or None as it is."""

    def answer(model, samples):
        total = 0
        for place, (layer, places) in enumerate(model):
            bytes_ = change(place, list(layer), samples, places)
            total += kept_bytes(layer, samples, places) if bytes_ is None else bytes_
        return total

    return answer


def _outputs(_, layer, n, m):
    width = {"dense": 2, "embedding": 2, "convolution": 2, "depthwise": 1, "attention": 1}
    return 4 * n * m * layer[width[layer[0]]]


def _of(kind, bytes_):
    return _kept(lambda _, layer, n, m: bytes_(layer, n, m) if layer[0] == kind else None)


def _no_stride(_, layer, n, m):
    return kept_bytes([*layer[:-1], 1], n, m) if layer[0] in ("convolution", "depthwise") else None


MEMORY = FunctionCheck(
    Item("activation_bytes", 1, "activations of a model"),
    "activation_bytes",
    _models,
    memory,
    (
        Misconception(
            "a layer keeps what its own backward pass needs: its input, not its output",
            _kept(_outputs),
        ),
        Misconception(
            "attention keeps its weights too: one number for each pair of places and each head",
            _of("attention", lambda layer, n, m: 4 * 5 * n * m * layer[1]),
        ),
        Misconception(
            "every head has its own square of weights, so here the number of heads counts",
            _of("attention", lambda layer, n, m: 4 * (5 * n * m * layer[1] + n * m * m)),
        ),
        Misconception(
            "attention keeps five things of the size of its input and the weights of every head",
            _of("attention", lambda layer, n, m: 4 * n * m * layer[1]),
        ),
        Misconception(
            "with stride 2 the input of a convolution has four times the places of its output",
            _kept(_no_stride),
        ),
        Misconception(
            "the numbers that an embedding looks up are whole numbers of 8 bytes",
            _of("embedding", lambda layer, n, m: 4 * n * m),
        ),
        Misconception(
            "activations only: weights are in memory anyway, whatever the number of samples",
            lambda model, n: memory(model, n) + 4 * sum(parameters(layer) for layer, _ in model),
        ),
        Misconception(
            "the first layer keeps its input as well: the gradient of its weights needs it",
            _kept(lambda place, layer, n, m: 0 if place == 0 else None),
        ),
    ),
    otherwise="a hidden model keeps another number of bytes: add up what each layer keeps by the "
    "table",
)
