"""Exercise 4: a training script to mend."""

from amdahl_lab.grading.items import Item
from amdahl_lab.grading.mended_training import (
    BATCH,
    ONCE,
    STEPS,
    Bottleneck,
    Limit,
    MendedTrainingCheck,
)

MENDED = MendedTrainingCheck(
    "train",
    (
        Bottleneck(
            Item("mend_bucket", 1, "one message a step for all gradients"),
            (
                Limit(
                    "collectives",
                    STEPS + ONCE,
                    f"{{}} collectives in {STEPS} steps: each pays the latency. Put all gradients "
                    "into one flat tensor, and send that once a step",
                ),
            ),
        ),
        Bottleneck(
            Item("mend_loss", 1, "losses without a wait in every step"),
            (
                Limit(
                    "small_collectives",
                    ONCE,
                    "a loss is sent {} times: keep the losses in a tensor and send them all once, "
                    "after the last step",
                ),
                Limit(
                    "numbers",
                    ONCE,
                    "a number is taken out of torch {} times while training runs: on a GPU each "
                    "waits for all that was started. Read the losses after the last step",
                ),
            ),
        ),
        Bottleneck(
            Item("mend_copies", 1, "gradients that stay tensors"),
            (
                Limit(
                    "arrays",
                    ONCE,
                    "tensors are turned into lists or arrays {} times while training runs; "
                    "dist.all_reduce takes the gradients as they are",
                ),
                Limit(
                    "numbers",
                    10 * STEPS,
                    "{} numbers are taken out of torch one by one; dist.all_reduce takes the "
                    "gradients as they are",
                ),
            ),
        ),
        Bottleneck(
            Item("mend_loading", 1, "each rank loads its own half"),
            (
                Limit(
                    "samples",
                    STEPS * BATCH // 2 + BATCH,
                    "a rank loads {} samples, more than its own half of them: load only those "
                    "that it trains on",
                ),
                Limit(
                    "loads",
                    4 * STEPS,
                    "{} calls of load, each a message and a wait: one a step is enough",
                ),
            ),
        ),
        Bottleneck(
            Item("mend_buffer", 1, "one buffer for all steps"),
            (
                Limit(
                    "buffers",
                    ONCE,
                    "{} new tensors of the size of all gradients: make one before the first step, "
                    "and write into it in every step. torch.cat, torch.zeros and arithmetic such "
                    "as a / b make new ones",
                ),
            ),
            after="mend_bucket",
        ),
        Bottleneck(
            Item("mend_needless", 1, "nothing sent or waited for without need"),
            (
                Limit(
                    "broadcasts",
                    ONCE,
                    "{} broadcasts: ranks that start alike and take the same steps stay alike",
                ),
                Limit(
                    "barriers",
                    ONCE,
                    "{} barriers: an all-reduce makes the ranks wait for each other as it is",
                ),
            ),
        ),
    ),
    losses="mend_loss",
)
