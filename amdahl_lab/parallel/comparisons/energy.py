"""Energy, where the system lets a program read it."""

from pathlib import Path

COUNTERS = Path("/sys/class/powercap")


def energy_counters(folder: Path = COUNTERS) -> tuple[Path, ...]:
    """Return the files that count a processor package's energy in microjoules, if any can be read.

    Parameters
    ----------
    folder : Path
        Where Linux keeps them. Virtual machines usually have none, and many systems let only the
        superuser read them.
    """
    found = []
    for path in sorted(folder.glob("*-rapl:[0-9]*/energy_uj")):
        if path.parent.name.count(":") > 1:  # a part of a package, already in its sum
            continue
        try:
            int(path.read_text())
        except (OSError, ValueError):
            continue
        found.append(path)
    return tuple(found)


def joules(counters: tuple[Path, ...]) -> float:
    """Return the sum of the counters, in joules. They start anew when they are full."""
    return sum(int(path.read_text()) for path in counters) / 1e6
