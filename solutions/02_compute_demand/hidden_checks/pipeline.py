"""Exercise 3: the input pipeline."""

from amdahl_lab.grading.items import Item
from amdahl_lab.grading.loading import PiecesCheck
from amdahl_lab.grading.prefetching import PrefetchCheck
from amdahl_lab.grading.waiting import WaitingReportCheck

PIECES = PiecesCheck(
    "my_batches",
    cover=Item("pieces_cover", 1, "each sample once an epoch, in step on all ranks"),
    order=Item("pieces_order", 1, "new orders, and the same batches for every N"),
)
PREFETCH = PrefetchCheck(
    "prefetch",
    ahead=Item("prefetch_ahead", 1, "the right batches, loaded while a step runs"),
    bound=Item("prefetch_bound", 1, "no more batches ahead than asked for"),
    end=Item("prefetch_end", 1, "errors arrive, and nothing is left behind"),
)
# The network and the steps of one run, as the notebook states them.
PARAMETERS = 1024 * 256 + 256 + 256 * 10 + 10
STEPS = 10
REPORT = WaitingReportCheck(
    Item("waiting_report", 1, "a report of runs that took place"),
    "report",
    measured_in="answer_3_report",
    ways=("plain", "prefetched"),
    least_rounds=5,
    least_bytes_per_run=0.9 * STEPS * 2 * 4 * PARAMETERS,
)
