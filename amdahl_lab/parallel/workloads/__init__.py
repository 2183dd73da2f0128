"""What is trained: data, a model in named sizes, a loss that falls. Nothing is downloaded.

`digits`    handwritten digits, read by a small convolutional network
`text`      this book's own text, continued character by character by a transformer
`clicks`    a generated click log of known structure, and embeddings that predict it

A workload is configuration: a frozen dataclass made by a function with a name. It hands out the
same model, the same batches and the same loss in every process that holds it. `Workload` says
what all of them offer.
"""

from amdahl_lab.parallel.workloads.advertising import CLICKS_SIZES, Clicks, clicks
from amdahl_lab.parallel.workloads.handwriting import DIGITS_SIZES, Digits, digits
from amdahl_lab.parallel.workloads.loading import ShardedLoading
from amdahl_lab.parallel.workloads.protocol import Batch, Workload
from amdahl_lab.parallel.workloads.writing import TEXT_SIZES, Text, text

__all__ = [
    "CLICKS_SIZES",
    "DIGITS_SIZES",
    "TEXT_SIZES",
    "Batch",
    "Clicks",
    "Digits",
    "ShardedLoading",
    "Text",
    "Workload",
    "clicks",
    "digits",
    "text",
]
