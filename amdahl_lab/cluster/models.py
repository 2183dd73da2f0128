"""Two models that are not transformers, as lists of counted layers."""

from amdahl_lab import demand
from amdahl_lab.cluster.layered import Layer, Layered

RESNET50_STAGES = ((64, 3, 56), (128, 4, 28), (256, 6, 14), (512, 3, 7))  # width, blocks, side
WIDTH = 2  # bytes of an activation in 16 bits


def resnet50(classes: int = 1000) -> Layered:
    """Return ResNet-50 on images of 224 x 224, in mixed precision with momentum.

    Each convolution is one layer together with its batch norm and activation, which read and
    write its output twice more. 25,557,032 parameters, 4.09 billion multiply-adds for an image.

    References
    ----------
    He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1; the
    stride of a block is in its 3 x 3 convolution, as in most implementations.
    """
    layers = [_convolution("stem", 3, 64, kernel=7, side=112, stride=2)]
    channels = 64
    for number, (width, blocks, side) in enumerate(RESNET50_STAGES, start=1):
        for block in range(blocks):
            step = 2 if block == 0 and number > 1 else 1
            name = f"stage {number} block {block + 1}"
            layers += [
                _convolution(f"{name} reduce", channels, width, kernel=1, side=side * step),
                _convolution(f"{name} mix", width, width, kernel=3, side=side, stride=step),
                _convolution(f"{name} expand", width, 4 * width, kernel=1, side=side),
            ]
            if block == 0:
                layers.append(
                    _convolution(
                        f"{name} skip", channels, 4 * width, kernel=1, side=side, stride=step
                    )
                )
            channels = 4 * width
    layers.append(_dense("classifier", channels, classes))
    return Layered(tuple(layers), weight_bytes=2, gradient_bytes=2, optimizer_bytes=8)


def recommendation(
    tables: int = 26,
    entries: int = 1_000_000,
    features: int = 128,
    numbers: int = 13,
    bottom: tuple[int, ...] = (512, 256, 128),
    top: tuple[int, ...] = (1024, 1024, 512, 256, 1),
) -> Layered:
    """Return a recommendation model: embedding tables, two networks, pairwise products between.

    Parameters
    ----------
    tables, entries, features : int
        Embedding tables, rows of each, numbers in a row.
    numbers : int
        Numeric inputs.
    bottom, top : tuple of int
        Widths of the network on the numeric inputs, ending at `features`, and of the one on the
        products.

    Raises
    ------
    ValueError
        If the bottom network does not end at `features`.

    References
    ----------
    Naumov et al., arXiv:1906.00091, figure 1; the default sizes are those of MLPerf's DLRM, with
    smaller tables.
    """
    if bottom[-1] != features:
        raise ValueError(f"bottom must end at features, {features}, got {bottom[-1]}")
    row = features * WIDTH
    layers = [
        Layer(
            f"table {number + 1}",
            parameters=entries * features,
            backward_flops=features,
            forward_moved=2 * row,
            backward_moved=3 * row,
            activation_bytes=row,
            output_bytes=row,
            table=True,
        )
        for number in range(tables)
    ]
    for number, (a, b) in enumerate(zip((numbers, *bottom), bottom, strict=False), start=1):
        layers.append(_dense(f"bottom {number}", a, b))
    pairs = (tables + 1) * tables // 2
    products = 2 * pairs * features
    layers.append(
        Layer(
            "products",
            forward_flops=products,
            backward_flops=2 * products,
            forward_moved=(tables + 1) * row + pairs * WIDTH,
            backward_moved=2 * ((tables + 1) * row + pairs * WIDTH),
            activation_bytes=(tables + 1) * row,
            output_bytes=(pairs + features) * WIDTH,
        )
    )
    for number, (a, b) in enumerate(zip((pairs + features, *top), top, strict=False), start=1):
        layers.append(_dense(f"top {number}", a, b))
    return Layered(tuple(layers), weight_bytes=4, gradient_bytes=4, optimizer_bytes=4)


def _convolution(
    name: str, channels_in: int, channels_out: int, *, kernel: int, side: int, stride: int = 1
) -> Layer:
    counted = demand.convolution(
        1, channels_in, channels_out, kernel, side, stride=stride, bias=False, width=WIDTH
    )
    moved = counted.input_bytes + 5 * counted.output_bytes  # norm and activation read and write
    return Layer(
        name,
        parameters=counted.parameters + 2 * channels_out,  # scale and shift of the norm
        forward_flops=counted.forward_flops,
        backward_flops=counted.backward_flops,
        forward_moved=moved,
        backward_moved=2 * moved,
        activation_bytes=counted.input_bytes + counted.output_bytes,
        output_bytes=counted.output_bytes,
    )


def _dense(name: str, inputs: int, outputs: int) -> Layer:
    counted = demand.dense(1, inputs, outputs, width=WIDTH)
    moved = counted.input_bytes + counted.output_bytes
    return Layer(
        name,
        parameters=counted.parameters,
        forward_flops=counted.forward_flops,
        backward_flops=counted.backward_flops,
        forward_moved=moved,
        backward_moved=2 * moved,
        activation_bytes=counted.input_bytes,
        output_bytes=counted.output_bytes,
    )
