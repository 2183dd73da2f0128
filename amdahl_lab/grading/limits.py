"""What one marked notebook may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits on one submission. Generous for honest work, small beside a grader's machine.

    Parameters
    ----------
    notebook_seconds : float
        Wall time of the whole submission, questions included.
    cell_seconds : float
        Wall time of one cell.
    question_seconds : float
        Wall time of one question of the grader.
    start_seconds : float
        Wall time until the kernel first answers.
    memory_bytes : int
        Memory of all its processes together.
    grader_bytes : int
        Memory by which the grader's own process may grow while it listens.
    processes : int
        Processes alive at one time.
    output_bytes : int
        Text kept for one cell; the rest is dropped.
    picture_bytes : int
        Pictures kept for one cell.
    kept_bytes : int
        Text and pictures kept for a whole notebook.
    flood_bytes : int
        Output of one cell at which its kernel is stopped.
    message_bytes : int
        Size of the largest message that is read.
    answer_bytes : int
        Size of the largest answer to a question.
    disk_bytes : int
        Size of each scratch folder, which lives in memory.
    file_bytes : int
        Size of one written file.
    starts : int
        How often a kernel is started: once, and again after a cell has killed it.
    watch_seconds : float
        Time between two looks at its processes.
    """

    notebook_seconds: float = 300.0
    cell_seconds: float = 90.0
    question_seconds: float = 60.0
    start_seconds: float = 60.0
    memory_bytes: int = 4 * 2**30
    grader_bytes: int = 2**30
    processes: int = 64
    output_bytes: int = 100_000
    picture_bytes: int = 2_000_000
    kept_bytes: int = 20_000_000
    flood_bytes: int = 20_000_000
    message_bytes: int = 4 * 2**20
    answer_bytes: int = 2 * 2**20
    disk_bytes: int = 256 * 2**20
    file_bytes: int = 128 * 2**20
    starts: int = 3
    watch_seconds: float = 0.05
