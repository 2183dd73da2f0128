"""Looks at this computer and says, line by line, what works and what to do where it does not."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amdahl_lab.machine import cpu_use, free_memory, load_average, this_machine, usable_cores

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BUSY = 0.35  # load per usable core above which a measurement is not worth taking
OTHERS = 0.15  # share of the usable cores that others may keep busy at the moment
GLANCE = 0.5  # seconds of watching others
PATIENCE = 30.0  # seconds for a program to show that it works
ENOUGH_MEMORY = 4e9  # bytes: four ranks with torch, a kernel and a browser
SHARED = Path("/dev/shm")
ENOUGH_SHARED = 64 * 2**20  # bytes; what a container gives by default just suffices


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
    needed_by : {"labs", "graders", "tests"}
        Who can't do without it: whoever runs a lab, who marks exercises, who tests the project.
    """

    subject: str
    well: bool
    told: str
    needed_by: str = "labs"

    def __str__(self) -> str:
        mark = "ok  " if self.well else "LOOK" if self.needed_by == "labs" else "note"
        whose = "" if self.well or self.needed_by == "labs" else f" (only {self.needed_by} need it)"
        return f"{mark}  {self.subject:<10} {self.told}{whose}"


def examine() -> list[Finding]:
    """Look at everything that a lab, the grader or the project's tests need.

    Returns
    -------
    list of Finding
        One for each subject, in a fixed order.
    """
    return [
        Finding(subject, *_looked(look), needed_by)
        for subject, look, needed_by in (
            ("cores", _cores, "labs"),
            ("threads", _threads, "labs"),
            ("memory", _memory, "labs"),
            ("load", _load, "labs"),
            ("versions", _versions, "labs"),
            ("files", _files, "labs"),
            ("ranks", _ranks, "labs"),
            ("shared", _shared_memory, "labs"),
            ("sandbox", _sandbox, "graders"),
            ("browser", _browser, "tests"),
            ("network", _network, "tests"),
        )
    ]


def too_busy() -> str | None:
    """Say why a measurement now would not be worth keeping, or return None.

    Looks at the load of the last minute and, where the system tells, at what others do right now.
    """
    load, cores = load_average(), usable_cores()
    if load > BUSY * cores:
        return f"the load average is {load:.2f} on {cores:g} usable cores: other programs are busy"
    return others_busy()


def others_busy() -> str | None:
    """Say how busy others are right now if that is too much, or return None."""
    cores, before = usable_cores(), cpu_use()
    if before is None:
        return None
    time.sleep(GLANCE)
    others = cpu_use().others_since(before)
    if others > OTHERS * cores:
        return f"other programs keep {others:.1f} of {cores:g} usable cores busy"
    return None


def _looked(look: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    try:
        return look()
    except OSError as error:  # such as no room for a temporary file
        return False, f"could not be looked at: {error}"


def _cores() -> tuple[bool, str]:
    here = this_machine()
    told = f"{here.cores_usable:g} of {here.cores_present} usable, {here.processor}"
    if here.cores_usable < 2:
        return False, (
            f"{told}; with fewer than two, every parallel run is oversubscribed: widen the "
            "affinity mask or the container's quota, or read the speedups as what they are"
        )
    return True, told


def _threads() -> tuple[bool, str]:
    asked, cores = os.environ.get("OMP_NUM_THREADS", ""), usable_cores()
    told = "1 in each rank unless a run asks for more"
    if asked.isdigit() and int(asked) > cores:
        return False, (
            f"{told}; OMP_NUM_THREADS={asked} makes other programs start more threads than "
            f"the {cores:g} usable cores: unset it, or set it to {max(1, int(cores))}"
        )
    return True, f"{told}; outside ranks {asked or 'as many as there are cores'}"


def _memory() -> tuple[bool, str]:
    free = free_memory() or this_machine().memory_bytes
    if not free:
        return True, "the system does not tell"
    told = f"{free / 1e9:.1f} GB free of {this_machine().memory_bytes / 1e9:.1f}"
    if free < ENOUGH_MEMORY:
        return False, f"{told}; a lab with four ranks takes about 4 GB: close other programs"
    return True, told


def _load() -> tuple[bool, str]:
    trouble = too_busy()
    if trouble:
        return False, f"{trouble}; close them before you measure"
    return True, f"{load_average():.2f} over the last minute, and nobody else is busy now"


def _versions() -> tuple[bool, str]:
    versions = this_machine().versions
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        return False, f"{told}; the labs are tested on Python 3.11 to 3.13: make a new environment"
    if "torch" not in versions:
        return False, f"{told}; no torch: the labs need it, see the page 'How to use this book'"
    return True, told


def _files() -> tuple[bool, str]:
    try:
        with tempfile.TemporaryDirectory(prefix="amdahl_lab_") as folder:
            (Path(folder) / "probe").write_bytes(bytes(1 << 16))
    except OSError as error:
        return False, (
            f"no temporary file can be written ({error.strerror}): make room in "
            "the temporary folder, or set TMPDIR to one where you may write"
        )
    return True, f"temporary files can be written in {tempfile.gettempdir()}"


def _ranks() -> tuple[bool, str]:
    try:
        from amdahl_lab.parallel.equality import sum_of_ranks

        results = sum_of_ranks(2)
    except Exception as error:  # whatever it is, the doctor reports it
        lines = str(error).strip().splitlines() or [""]
        return False, (
            f"two ranks could not add two numbers: {type(error).__name__}: {lines[-1]}; a "
            "firewall must let programs talk over the loopback interface"
        )
    if results != [1.0, 1.0]:
        return False, f"two ranks added 0 + 1 and got {results}: install torch anew"
    return True, f"two ranks joined over gloo and added 0 + 1 = {results[0]:g}"


def _shared_memory() -> tuple[bool, str]:
    from multiprocessing.shared_memory import SharedMemory

    try:
        block = SharedMemory(create=True, size=1 << 20)
        block.close()
        block.unlink()
    except OSError as error:
        return False, f"no shared memory ({error.strerror}): mount {SHARED}, writable"
    if SHARED.is_dir() and (free := shutil.disk_usage(SHARED).free) < ENOUGH_SHARED:
        return False, (
            f"only {free / 2**20:.0f} MiB of shared memory are free in {SHARED}: remove what is "
            "left there, or start the container with more (--shm-size)"
        )
    return True, "a block of shared memory could be made"


def _sandbox() -> tuple[bool, str]:
    if shutil.which("bwrap") is None:
        return False, "no bubblewrap: install the package 'bubblewrap'"
    command = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "true"]
    return _tried(
        command,
        "bubblewrap starts with a network and processes of its own",
        "bubblewrap does not start: allow this user to make namespaces",
    )


def _browser() -> tuple[bool, str]:
    found = next((name for name in BROWSERS if shutil.which(name)), None)
    if found is None:
        return False, "no Chromium: install the package 'chromium'"
    with tempfile.TemporaryDirectory(prefix="amdahl_lab_", ignore_cleanup_errors=True) as profile:
        command = [
            found,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={profile}",
        ]
        return _tried(
            [*command, "--dump-dom", "about:blank"],
            f"{found} starts and loads a page",
            f"{found} does not start: install it anew",
        )


def _network() -> tuple[bool, str]:
    for tool in ("ip", "tc"):
        if shutil.which(tool) is None:
            return False, f"no {tool}: install the package 'iproute2'"
    return _tried(
        ["unshare", "--net", "ip", "link", "set", "lo", "up"],
        "iproute2 can make a network of its own",
        "no network of its own can be made: run the tests as root",
    )


def _tried(command: list[str], well: str, otherwise: str) -> tuple[bool, str]:
    """Run a command; return whether it worked and what to say about it."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"{otherwise} ({type(error).__name__})"
    if run.returncode == 0:
        return True, well
    lines = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
    return False, f"{otherwise} ({lines[-1]})"
