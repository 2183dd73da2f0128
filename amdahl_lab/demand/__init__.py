"""What a model asks for: operations, bytes and memory of layers and of whole models.

A multiplication and an addition are two FLOPs. Sizes are bytes, counts are exact, and nothing here
knows a machine except the roofline.
"""

from amdahl_lab.demand.layers import (
    LayerDemand,
    attention,
    convolution,
    dense,
    embedding,
)
from amdahl_lab.demand.memory import activation_bytes_per_layer, scores_crossover, state_bytes
from amdahl_lab.demand.roofline import attainable_flops, intensity, ridge, roofline_seconds
from amdahl_lab.demand.transformer import (
    attention_crossover,
    flops_by_kind,
    hardware_flops,
    model_flops,
    parameters,
    six_parameters_tokens,
)

__all__ = [
    "LayerDemand",
    "activation_bytes_per_layer",
    "attainable_flops",
    "attention",
    "attention_crossover",
    "convolution",
    "dense",
    "embedding",
    "flops_by_kind",
    "hardware_flops",
    "intensity",
    "model_flops",
    "parameters",
    "ridge",
    "roofline_seconds",
    "scores_crossover",
    "six_parameters_tokens",
    "state_bytes",
]
