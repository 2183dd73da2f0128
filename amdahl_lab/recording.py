"""Takes the book's reference measurements, and stops as soon as other programs disturb them.

The load average would not do while a measurement runs, because the measurement itself is most of
it. What counts is the processor time of everyone less that of this process and its ranks.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from amdahl_lab import storage
from amdahl_lab.doctor import OTHERS, others_busy, too_busy
from amdahl_lab.machine import cpu_use, usable_cores
from amdahl_lab.parallel.references import REFERENCES

WINDOW = 10.0  # seconds over which others' use is averaged: a single hiccup is not a disturbance
APART = "interrupted"  # the folder for measurements with fewer rounds than were asked for


class Disturbed(RuntimeError):  # noqa: N818 - reads as what happened
    """The machine is, or became, too busy for a measurement that is worth keeping."""


def take(
    names: Sequence[str], folder: Path, *, machine_name: str | None = None, watch: bool = True
) -> Iterator[str]:
    """Take reference measurements one after the other and write each when it is done.

    Parameters
    ----------
    names : sequence of str
        Which ones; all of them where it is empty.
    folder : Path
        Where to write.
    machine_name : str, optional
        What to call this machine.
    watch : bool
        Refuse to measure on a busy machine.

    Yields
    ------
    str
        One line for each file that was written. After an interrupt the rounds so far are written
        to a folder of their own, never over a whole measurement, and nothing more is taken.

    Raises
    ------
    ValueError
        If there is no reference of that name.
    Disturbed
        If other programs keep the machine busy, before or in the middle: what was being measured
        is not written; what was written before stays.
    """
    unknown = sorted(set(names) - set(REFERENCES))
    if unknown:
        raise ValueError(f"names must be of {', '.join(REFERENCES)}, got {', '.join(unknown)}")
    look = too_busy  # from the second on, the load of the last minute is our own
    for name in names or REFERENCES:
        if watch and (trouble := look()):
            raise Disturbed(f"{name}: nothing measured: {trouble}")
        look = others_busy
        start, interrupted = time.monotonic(), False
        try:
            for stem, run in REFERENCES[name](machine_name, undisturbed if watch else True):
                partial = run.rounds < run.rounds_planned
                path = (folder / APART if partial else folder) / f"{stem}.json"
                storage.save_run(run, path)
                seconds = time.monotonic() - start
                yield f"{path.relative_to(folder)}: {run.rounds} rounds in {seconds:.0f} s"
                interrupted = interrupted or partial
        except Disturbed as disturbance:
            raise Disturbed(f"{name}: not written: {disturbance}") from None
        if interrupted:
            return


def undisturbed(rounds: Iterable[int]) -> Iterator[int]:
    """Show a progress bar over the rounds and stop the measurement if others become busy.

    Raises
    ------
    Disturbed
        If others kept the machine busy for a while.
    """
    from tqdm.auto import tqdm

    limit, before = OTHERS * usable_cores(), cpu_use()
    for number in tqdm(rounds, desc="rounds", unit="round"):
        yield number
        now = cpu_use()
        if now is None or now.moment - before.moment < WINDOW:
            continue
        others, before = now.others_since(before), now
        if others > limit:
            raise Disturbed(
                f"other programs kept {others:.1f} of {usable_cores():g} cores busy in round "
                f"{number}: end them and start again"
            )
