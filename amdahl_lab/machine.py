"""What this computer is: the cores that may be used, the memory, the versions, the load."""

import importlib.metadata
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from amdahl_lab.records import Machine

VERSIONED = ("numpy", "scipy", "torch")
CGROUP = Path("/sys/fs/cgroup")
PROC = Path("/proc")


def usable_cores(cgroup: Path = CGROUP) -> float:
    """Count the cores that this process may keep busy at once.

    Parameters
    ----------
    cgroup : Path
        Root of the control group files, for a container's quota.

    Returns
    -------
    float
        The smaller of the cores in the process's affinity mask and the quota of its control
        group; a quota may be a fraction of a core.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = float(len(os.sched_getaffinity(0)))
    else:
        cores = float(os.cpu_count() or 1)
    return min(cores, _quota(cgroup))


def _quota(cgroup: Path) -> float:
    try:  # version 2 of control groups: "max 100000" or "150000 100000"
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:  # version 1: two files, -1 for none
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return float("inf")
    return float("inf") if quota in ("max", "-1") else int(quota) / int(period)


def load_average() -> float:
    """Return the load average over the last minute, 0 where the system keeps none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


@dataclass(frozen=True)
class CpuUse:
    """Processor time used up to one moment, for the difference between two.

    Parameters
    ----------
    moment : float
        Seconds on the monotonic clock.
    everyone : float
        Seconds for which the usable cores were busy, time that a host took from this virtual
        machine included.
    own : float
        Seconds that this process and all that it has started were running.
    """

    moment: float
    everyone: float
    own: float

    def others_since(self, earlier: "CpuUse") -> float:
        """Return how many cores others kept busy, on average, between two moments."""
        others = (self.everyone - earlier.everyone) - (self.own - earlier.own)
        return max(0.0, others / max(self.moment - earlier.moment, 1e-9))


def cpu_use(proc: Path = PROC) -> CpuUse | None:
    """Read the processor time that everyone, and this process with its children, have used.

    Parameters
    ----------
    proc : Path
        Root of the process file system.

    Returns
    -------
    CpuUse or None
        None where the system does not keep such files.
    """
    try:
        ticks = os.sysconf("SC_CLK_TCK")
        everyone = _busy_ticks((proc / "stat").read_text()) / ticks
        own = _ticks_of_tree(proc, os.getpid()) / ticks
    except (AttributeError, OSError, ValueError):
        return None
    return CpuUse(time.monotonic(), everyone, own)


def _busy_ticks(stat: str) -> int:
    """Add up user, nice, system, interrupts and stolen time of the cores in the affinity mask."""
    usable = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    busy = 0
    for line in stat.splitlines():
        name, *fields = line.split()
        if name in usable:
            user, nice, system, _, _, interrupts, soft, stolen = (int(each) for each in fields[:8])
            busy += user + nice + system + interrupts + soft + stolen
    return busy


def _ticks_of_tree(proc: Path, root: int) -> int:
    """Add up the time of a process, its descendants, and those of them that have ended."""
    parents, ticks = {}, {}
    for folder in proc.glob("[0-9]*"):
        try:  # the name, in brackets, may hold anything; fields are counted from behind it
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        process = int(folder.name)
        parents[process] = int(fields[1])
        ticks[process] = sum(int(each) for each in fields[11:15])
    tree = {root}
    while more := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return sum(ticks.get(process, 0) for process in tree)


def this_machine(name: str | None = None) -> Machine:
    """Describe the computer that this process runs on.

    Parameters
    ----------
    name : str, optional
        The name to show; made from system and cores where it is not given, so that a file with
        a run in it does not tell whose computer it was.

    Returns
    -------
    Machine
        The description.
    """
    cores = usable_cores()
    return Machine(
        name=name or f"{platform.system()} machine with {cores:g} usable cores",
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores_usable=cores,
        cores_present=os.cpu_count() or 1,
        memory_bytes=_memory(),
        versions=_versions(),
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def free_memory(proc: Path = PROC) -> int:
    """Return the bytes of memory that new programs may use, 0 where the system does not tell."""
    try:
        for line in (proc / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in VERSIONED:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
