"""What a transformer asks for, and when its attention asks for most of it: chapter 2."""

from typing import Any

import traitlets

from amdahl_lab import demand
from amdahl_lab.explorers.base import Explorer

HEAD_FEATURES = 64  # of one attention head, as in GPT-2 and BERT; GPT-3 has 128


class DemandExplorer(Explorer):
    """FLOPs and activation memory of a transformer's token over the length of the sequence.

    Parameters
    ----------
    measure : {"flops", "bytes"}
        What is drawn: FLOPs of a token in training, or bytes that it keeps for the backward pass.
    hidden : int, 128 to 16384
        Features h, in steps of one head.
    layers : int, 1 to 128
        Layers L.
    sequence : int, 64 to 1048576
        Positions s of a sequence.
    tokens : int, 1024 to 4194304
        Tokens in one batch on one worker.
    vocabulary : int
        Rows v of the embedding's table.

    Raises
    ------
    traitlets.TraitError
        If a value is out of range.
    """

    name = "demand"
    measure = traitlets.Enum(["flops", "bytes"], "flops").tag(sync=True, explorer=True)
    hidden = traitlets.Int(768, min=128, max=16384).tag(sync=True, explorer=True)
    layers = traitlets.Int(12, min=1, max=128).tag(sync=True, explorer=True)
    sequence = traitlets.Int(1024, min=64, max=2**20).tag(sync=True, explorer=True)
    tokens = traitlets.Int(8192, min=1024, max=2**22).tag(sync=True, explorer=True)
    vocabulary = traitlets.Int(50257, min=1).tag(sync=True, explorer=True)

    def counts(self) -> dict[str, float]:
        """Return the numbers of the picture, by name, with FLOPs and bytes of one token."""
        L, h, s, v = self.layers, self.hidden, self.sequence, self.vocabulary
        heads = max(h // HEAD_FEATURES, 1)
        parts = demand.flops_by_kind(1, L, h, s, v)
        flops = sum(parts.values()) / s
        parameters = demand.parameters(L, h, v, s)
        return {
            **{kind: part / s for kind, part in parts.items()},
            "flops": flops,
            "parameters": parameters,
            "thumb": demand.six_parameters_tokens(parameters, 1) / flops - 1,
            "activations": L * demand.activation_bytes_per_layer(1, s, h, heads) / s,
            "state": demand.state_bytes(parameters),
            "half_flops": demand.attention_crossover(L, h, v),
            "half_bytes": demand.scores_crossover(h, heads),
        }

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        found = self.counts()
        share = found["attention core"] / found["flops"]
        return (
            f"A transformer with {self.layers} layers of width {self.hidden:,} and sequences of "
            f"{self.sequence:,} positions has {found['parameters']:.3g} parameters. Training it "
            f"takes {found['flops']:.3g} FLOPs for each token; attention's scores and sums are "
            f"{100 * share:.3g}% of them, and would be half at {found['half_flops']:,.0f} "
            f"positions. They are half of the kept activations at "
            f"{found['half_bytes']:,.0f} positions already. A batch of {self.tokens:,} tokens "
            f"keeps {self.tokens * found['activations']:.3g} bytes beside "
            f"{found['state']:.3g} bytes of model state. Six FLOPs for each parameter and token "
            f"would be off by {100 * found['thumb']:+.3g}%."
        )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if self.hidden % HEAD_FEATURES:
            raise ValueError(
                f"hidden must be a multiple of {HEAD_FEATURES}, the features of a head, "
                f"got {self.hidden}"
            )
