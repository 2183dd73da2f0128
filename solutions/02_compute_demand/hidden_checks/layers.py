"""Counts of single layers, written out once more, apart from `amdahl_lab.demand`.

A layer is its kind and its sizes; `places` are those of its output.
"""

from itertools import pairwise


def parameters(layer):
    """Numbers that a layer learns."""
    match list(layer):
        case ["dense", inputs, outputs]:
            return inputs * outputs + outputs
        case ["embedding", entries, features]:
            return entries * features
        case ["convolution", inputs, outputs, kernel, _]:
            return inputs * outputs * kernel**2 + outputs
        case ["depthwise", channels, kernel, _]:
            return channels * kernel**2 + channels
        case ["attention", features, _]:
            return 4 * (features**2 + features)


def forward(layer, samples, places):
    """FLOPs of the forward pass."""
    rows = samples * places
    match list(layer):
        case ["dense", inputs, outputs]:
            return 2 * rows * inputs * outputs
        case ["embedding", _, _]:
            return 0
        case ["convolution", inputs, outputs, kernel, _]:
            return 2 * rows * inputs * outputs * kernel**2
        case ["depthwise", channels, kernel, _]:
            return 2 * rows * channels * kernel**2
        case ["attention", features, _]:
            return 4 * 2 * rows * features**2 + 2 * 2 * rows * places * features


def kept_bytes(layer, samples, places):
    """Bytes that the backward pass needs of the forward pass."""
    rows = samples * places
    match list(layer):
        case ["dense", inputs, _]:
            return 4 * rows * inputs
        case ["embedding", _, _]:
            return 8 * rows
        case ["convolution", channels, _, _, stride] | ["depthwise", channels, _, stride]:
            return 4 * rows * stride**2 * channels
        case ["attention", features, heads]:
            return 4 * (5 * rows * features + heads * rows * places)


def counts(layer, samples, places):
    """Parameters and forward FLOPs."""
    return [parameters(layer), forward(layer, samples, places)]


def training(model, samples):
    """Forward and backward FLOPs of a model."""
    each = [forward(layer, samples, places) for layer, places in model]
    # Nobody asks for the gradient of the data, so the first layer has one product less.
    return [sum(each), 2 * sum(each) - each[0]]


def memory(model, samples):
    """Bytes kept for the backward pass of a model."""
    return sum(kept_bytes(layer, samples, places) for layer, places in model)


def draw_images(rng):
    """Draw a network for images: convolutions, then one dense layer at a single place."""
    side = int(rng.choice([16, 24, 32]))
    widths = [3, *rng.integers(4, 24, size=3).tolist()]
    model = []
    for inputs, outputs in pairwise(widths):
        stride = int(rng.choice([1, 2])) if model else 2
        side //= stride
        model.append((["convolution", inputs, outputs, int(rng.choice([3, 5])), stride], side**2))
        model.append((["depthwise", outputs, 3, 1], side**2))
    return [*model, (["dense", widths[-1], 10], 1)]


def draw_text(rng):
    """Draw a network for text: a table, then attention and two dense layers, twice."""
    heads = int(rng.choice([2, 4]))
    features, places = heads * int(rng.integers(4, 12)), int(rng.integers(10, 80))
    model = [(["embedding", int(rng.integers(50, 500)), features], places)]
    for _ in range(2):
        model.append((["attention", features, heads], places))
        model.append((["dense", features, 4 * features], places))
        model.append((["dense", 4 * features, features], places))
    return model
