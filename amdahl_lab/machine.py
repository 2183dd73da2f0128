"""What this computer is: the cores that may be used, the memory, the versions, the load."""

import importlib.metadata
import os
import platform
from pathlib import Path

from amdahl_lab.records import Machine

VERSIONED = ("numpy", "scipy", "torch")
CGROUP = Path("/sys/fs/cgroup")


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
