"""The transformer as a workload: cut over tensor-parallel workers, stages and data."""

from dataclasses import dataclass

import numpy as np

from amdahl_lab.cluster.machine import Machine
from amdahl_lab.cluster.plan import Plan, Plans, _refuse
from amdahl_lab.cluster.workload import Held, Work, chunks_in_flight

# Bytes that kernels bound by memory move for each element (sequence x batch x hidden) of a layer,
# 16-bit numbers and 1-byte masks, biases fused as in Megatron-LM.
# Forward: two layer norms (read, write), two bias-dropout-additions (read two, write, mask).
WHOLE_FORWARD = 2 * (2 + 2) + 2 * (2 + 2 + 2 + 1)
# Backward: layer norm reads two and writes one, dropout reads gradient and mask and writes, the
# two residual branches are added up.
WHOLE_BACKWARD = 2 * (2 + 2 + 2) + 2 * (2 + 1 + 2) + 2 * (2 + 2 + 2)
# What tensor parallelism cuts: GELU on 4 h, and the splitting of queries, keys and values.
CUT_FORWARD = 4 * (2 + 2) + 4 * (2 + 2)
CUT_BACKWARD = 4 * (2 + 2 + 2) + 4 * (2 + 2)
# Attention core, for each of heads x sequence^2 scores: write scores; softmax reads and writes;
# dropout reads, writes, masks; read for the weighted sum. Backward the same with two gradients.
CORE_FORWARD = 2 + 4 + 5 + 2
CORE_BACKWARD = 5 + 6 + 8
# Output layer and loss, for each logit: written once, then read and written in single precision.
LOGIT = 2 + 4 + 4 + 4 + 4 + 2


@dataclass(frozen=True)
class Transformer:
    """A decoder-only transformer without fused attention, as published in 2022.

    Parameters
    ----------
    layers, hidden, heads, sequence, vocabulary : int
        L, h, a, s and v.
    weight_bytes, gradient_bytes, optimizer_bytes : float
        Bytes for each parameter; Adam in mixed precision with gradients summed in single.

    Raises
    ------
    ValueError
        If a size is below 1.
    """

    layers: int
    hidden: int
    heads: int
    sequence: int
    vocabulary: int
    weight_bytes: float = 2
    gradient_bytes: float = 4
    optimizer_bytes: float = 12

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "sequence", "vocabulary"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)!r}")

    def check(self, plans: Plans) -> None:
        """Raise ValueError where layers or heads cannot be cut as a plan wants."""
        cut = plans.pipeline * plans.chunks
        _refuse("pipeline x chunks", cut, self.layers % cut == 0, f"a divisor of {self.layers}")
        heads = self.heads % plans.tensor == 0
        _refuse("tensor", plans.tensor, heads, f"a divisor of {self.heads} heads")

    def work(self, plans: Plans, machine: Machine) -> Work:
        """Return one micro-batch's work on one worker of a stage.

        Notes
        -----
        Matrix products follow Korthikanti et al., arXiv:2205.05198, appendix A, with the padding
        of part-filled waves on each product's shape. Each layer sends two all-reduces forward
        (or their halves, under sequence parallelism, section 4.2.2) and two again where all is
        recomputed. Backward, the all-reduces hide under the products for the weights' gradients;
        with sequence parallelism the two gathers of gradients do not.
        """
        h, s, v, t = self.hidden, self.sequence, self.vocabulary, plans.tensor
        rows = plans.micro_batch * s
        layers = self.layers / plans.pipeline
        cut = 1 / t
        whole = np.where(plans.sequence_parallel, cut, 1.0)
        full, selective = plans.recompute == 2, plans.recompute == 1
        elements = rows * h
        core = (4 * s) * elements * cut
        forward, backward = self._products(rows, h * cut, machine)
        forward = forward + core
        backward = backward + 2 * core
        scores = (self.heads * s) * rows * cut
        forward_moved = elements * (WHOLE_FORWARD * whole + CUT_FORWARD * cut)
        core_moved = CORE_FORWARD * scores
        backward_moved = elements * (WHOLE_BACKWARD * whole + CUT_BACKWARD * cut)
        ahead = forward / machine.flops + (forward_moved + core_moved) / machine.moved
        again = np.where(
            full,
            ahead,
            np.where(selective, core / machine.flops + core_moved / machine.moved, 0.0),
        )
        back = backward / machine.flops + (backward_moved + CORE_BACKWARD * scores) / machine.moved
        behind = layers * (back + again)
        logits = rows * (v * cut)
        sweeps = 2.0 + plans.sequence_parallel + 2.0 * full
        seconds = layers * ahead + behind
        return Work(
            seconds=seconds,
            last=self._head(rows, v * cut, machine) / machine.flops
            + LOGIT * logits / machine.moved,
            backward=behind,
            rest=(plans.pipeline - 1) * seconds,
            tensor_bytes=layers * sweeps * (4 * (1 - cut)) * elements,
            tensor_messages=layers * sweeps * (2 * (t - 1)),
            sent_bytes=2 * elements * cut,
            parameters=self._layer_parameters(plans) + (v * h) * cut,
        )

    def parts(self, plan: Plan, machine: Machine) -> tuple[np.ndarray, np.ndarray]:
        """Return the seconds of a forward and of a backward pass of each part of the model.

        The output layer belongs to the last part, a third of it to the forward pass.
        """
        work = self.work(Plans.of(plan), machine)
        count = plan.pipeline * plan.chunks
        forward = np.full(count, (work.seconds - work.backward)[0] / plan.chunks)
        backward = np.full(count, work.backward[0] / plan.chunks)
        forward[-1] += work.last[0] / 3
        backward[-1] += work.last[0] * 2 / 3
        return forward, backward

    def held(self, plans: Plans, *, layers_only: bool = False) -> Held:
        """Return what the first stage holds, the fullest.

        With `layers_only` the embedding table, the output layer and the loss are left out, as in
        figure 1 of arXiv:2205.05198.

        References
        ----------
        arXiv:2205.05198, equations (2), (4), (6) for a layer, section 4.3 for what is outside the
        layers.
        """
        h, s, t = self.hidden, self.sequence, plans.tensor
        elements = plans.micro_batch * (s * h)
        cut = 1 / t
        whole = np.where(plans.sequence_parallel, cut, 1.0)
        core = np.where(plans.recompute == 0, 5 * self.heads * s / h, 0.0)
        layer = np.where(plans.recompute == 2, 2 * whole, 10 * whole + (24 + core) * cut)
        chunk = self.layers / (plans.pipeline * plans.chunks)
        in_flight = chunks_in_flight(plans)
        activations = elements * layer * chunk * in_flight
        parameters = self._layer_parameters(plans)
        if not layers_only:
            # A layer that is recomputed is held whole while its backward pass runs.
            kept = 10 * whole + (24 + 5 * self.heads * s / h) * cut
            activations = activations + elements * np.where(plans.recompute == 2, kept, 0.0)
            activations = activations + elements * whole * (in_flight / plans.chunks)
            logits = 4 * elements * cut * (1 + self.vocabulary / h)
            activations = activations + np.where(plans.pipeline == 1, logits, 0.0)
            parameters = parameters + self.vocabulary * h * cut + s * h
        return Held(parameters, 0.0, activations)

    def _layer_parameters(self, plans: Plans) -> np.ndarray:
        # 12 h^2 weights and 7 h biases are cut, 2 h biases and 4 h of layer norms are not.
        h = self.hidden
        return self.layers / plans.pipeline * ((12 * h * h + 7 * h) / plans.tensor + 6 * h)

    def _products(self, rows: np.ndarray, part: np.ndarray, machine: Machine) -> tuple:
        # FLOPs, padded, of the four products of a layer forward, and of the eight backward.
        h = self.hidden
        unit = 2 * h * rows * part
        hidden = machine.padding(rows, h)
        wide = machine.padding(rows, 4 * part)
        forward = 3 * machine.padding(rows, 3 * part) + 5 * hidden + 4 * wide
        inputs = 7 * hidden + machine.padding(rows, part) + 4 * wide
        weights = (
            3 * machine.padding(3 * part, h)
            + machine.padding(part, h)
            + 8 * machine.padding(h, 4 * part)
        )
        return unit * forward, unit * (inputs + weights)

    def _head(self, rows: np.ndarray, logits: np.ndarray, machine: Machine) -> np.ndarray:
        h = self.hidden
        padded = (
            machine.padding(rows, logits) + machine.padding(rows, h) + machine.padding(logits, h)
        )
        return 2 * h * rows * logits * padded
