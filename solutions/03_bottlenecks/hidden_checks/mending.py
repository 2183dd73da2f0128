"""Exercise 4: a training script to mend."""

from amdahl_lab.grading.items import Item
from amdahl_lab.grading.mended_training import (
    BATCH,
    ONCE,
    STEPS,
    Bottleneck,
    MendedTrainingCheck,
)


def _taken_out(counts):
    """Tensors that became arrays; number by number is no better."""
    return counts["arrays"] + (counts["numbers"] if counts["numbers"] > 10 * STEPS else 0)


MENDED = MendedTrainingCheck(
    "train",
    (
        Bottleneck(
            Item("mend_bucket", 1, "one message a step for all gradients"),
            lambda counts: counts["collectives"],
            STEPS + ONCE,
            "{} collectives in " + str(STEPS) + " steps: each pays the latency. Put all gradients "
            "into one flat tensor, and send that once a step",
        ),
        Bottleneck(
            Item("mend_loss", 1, "losses without a wait in every step"),
            lambda counts: max(counts["small_collectives"], counts["numbers"]),
            ONCE,
            "the loss is sent or taken out of torch {} times: keep it in a tensor, and send and "
            "read all losses once, after the last step",
        ),
        Bottleneck(
            Item("mend_copies", 1, "gradients that stay tensors"),
            _taken_out,
            ONCE,
            "tensors are turned into lists or arrays {} times while training runs; dist.all_reduce "
            "takes the gradients as they are",
        ),
        Bottleneck(
            Item("mend_loading", 1, "each rank loads its own half"),
            lambda counts: counts["samples"],
            STEPS * BATCH // 2 + BATCH,
            "a rank loads {} samples, more than its own half of them: load only those that it "
            "trains on",
        ),
        Bottleneck(
            Item("mend_buffer", 1, "one buffer for all steps"),
            lambda counts: counts["buffers"],
            ONCE,
            "{} new tensors of the size of all gradients: make one before the first step, and "
            "write into it in every step. torch.cat, torch.zeros and a / b make new ones",
            after="mend_bucket",
        ),
        Bottleneck(
            Item("mend_needless", 1, "nothing sent or waited for without need"),
            lambda counts: counts["broadcasts"] + counts["barriers"],
            2 * ONCE,
            "{} broadcasts and barriers: ranks that start alike and take the same steps stay "
            "alike, and an all-reduce makes them wait for each other as it is",
        ),
    ),
    losses="mend_loss",
)
