"""What the ranks print, shown by the parent line by line with the rank in front."""

import contextlib
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from amdahl_lab.parallel import _rank

_GLOO_NOISE = re.compile(rb"\[Gloo\] Rank \d+ is connected to \d+ peer ranks")


@dataclass(order=True)
class Text:
    """A piece of output: when it was written, by which rank, to which stream."""

    moment: float
    rank: int
    stream: str = field(compare=False)
    data: bytes = field(compare=False)


class Printer:
    """Writes the ranks' output to this process's `sys.stdout`, a notebook's too.

    Parameters
    ----------
    folder : str
        The run's private folder, with one file for each rank's raw output.
    workers : int
        Number of ranks.
    """

    def __init__(self, folder: str, workers: int) -> None:
        self._logs = [Path(_rank.log_path(folder, rank)) for rank in range(workers)]
        self._read = [0] * workers
        self._rests: dict[tuple[int, str], bytes] = {}

    def show(self, texts: Iterable[Text]) -> None:
        """Write the whole lines of `texts`, in the order in which they were written."""
        self._write(line for text in sorted(texts) for line in self._lines(text))

    def show_raw(self) -> None:
        """Write what C code and child processes of the ranks have added to their files."""
        for rank, log in enumerate(self._logs):
            with contextlib.suppress(OSError):
                if log.stat().st_size > self._read[rank]:
                    with log.open("rb") as file:
                        file.seek(self._read[rank])
                        data = file.read()
                    self._read[rank] += len(data)
                    self.show([Text(0.0, rank, "raw", data)])

    def finish(self) -> None:
        """Write what is left, last lines without an end included."""
        self.show_raw()
        rests, self._rests = self._rests, {}
        self._write((rank, stream, rest) for (rank, stream), rest in sorted(rests.items()) if rest)

    def _lines(self, text: Text) -> Iterable[tuple[int, str, bytes]]:
        place = (text.rank, text.stream)
        *lines, rest = (self._rests.get(place, b"") + text.data).split(b"\n")
        self._rests[place] = rest
        return [(*place, line) for line in lines]

    def _write(self, lines: Iterable[tuple[int, str, bytes]]) -> None:
        shown = [
            # a progress bar returns to the start of its line: what a terminal would show last
            f"[rank {rank}] {line.decode(errors='replace').rstrip().rpartition(chr(13))[2]}\n"
            for rank, stream, line in lines
            if not (stream == "raw" and _GLOO_NOISE.match(line))
        ]
        if shown:
            _print("".join(shown))


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:  # a console that lacks a character must not end the run
        coding = sys.stdout.encoding
        sys.stdout.write(text.encode(coding, "backslashreplace").decode(coding))
    sys.stdout.flush()
