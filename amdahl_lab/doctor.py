"""Looks at this computer and says, line by line, what works and what to do where it does not."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from amdahl_lab.machine import load_average, this_machine, usable_cores

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BUSY = 0.35  # load per usable core above which a measurement is not worth taking


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Parameters
    ----------
    subject : str
        What was looked at.
    well : bool
        Whether it is as it should be.
    told : str
        What was found and, where it is not well, what to do.
    """

    subject: str
    well: bool
    told: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.well else 'LOOK'}  {self.subject:<10} {self.told}"


def examine() -> list[Finding]:
    """Look at everything that a lab, the site's tests or the grader need.

    Returns
    -------
    list of Finding
        One for each subject, in a fixed order.
    """
    looks = {
        "cores": _cores,
        "load": _load,
        "versions": _versions,
        "ranks": _ranks,
        "sandbox": _sandbox,
        "browser": _browser,
    }
    return [_look(subject, look) for subject, look in looks.items()]


def too_busy() -> str | None:
    """Say why a measurement now would not be worth keeping, or return None."""
    load, cores = load_average(), usable_cores()
    if load > BUSY * cores:
        return f"the load average is {load:.2f} on {cores:g} usable cores: other programs are busy"
    return None


def _look(subject: str, look: Callable[[], tuple[bool, str]]) -> Finding:
    return Finding(subject, *look())


def _cores() -> tuple[bool, str]:
    here = this_machine()
    told = f"{here.cores_usable:g} of {here.cores_present} usable, {here.processor}"
    if here.cores_usable < 2:
        return False, f"{told}; with fewer than two, every parallel run is oversubscribed"
    return True, told


def _load() -> tuple[bool, str]:
    trouble = too_busy()
    if trouble:
        return False, f"{trouble}; close them before you measure"
    return True, f"{load_average():.2f} over the last minute"


def _versions() -> tuple[bool, str]:
    versions = this_machine().versions
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    if "torch" not in versions:
        return False, f"{told}; no torch: the labs need it, see the page 'How to use this book'"
    return True, told


def _ranks() -> tuple[bool, str]:
    try:
        from amdahl_lab.parallel.equality import sum_of_ranks

        results = sum_of_ranks(2)
    except Exception as error:  # whatever it is, the doctor reports it
        lines = str(error).strip().splitlines() or [""]
        return False, f"two ranks could not add two numbers: {type(error).__name__}: {lines[-1]}"
    return results == [1.0, 1.0], f"two ranks joined over gloo and added 0 + 1 = {results[0]:g}"


def _sandbox() -> tuple[bool, str]:
    if shutil.which("bwrap") is None:
        return False, "no bubblewrap: only graders need it; install the package 'bubblewrap'"
    command = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "true"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        return False, f"bubblewrap does not start ({run.stderr.strip()}): only graders need it"
    return True, "bubblewrap starts with a network and processes of its own"


def _browser() -> tuple[bool, str]:
    for name in BROWSERS:
        if shutil.which(name):
            return True, f"{os.path.basename(shutil.which(name))}, for the tests of the site"
    return False, "no Chromium: only the tests of the site need it; install 'chromium'"
