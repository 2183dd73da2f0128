"""The fan explorer: the futures at many workers that measurements at few leave open."""

import traitlets

from amdahl_lab import laws
from amdahl_lab.explorers.base import Explorer
from amdahl_lab.explorers.static import html_table


class FanExplorer(Explorer):
    """Speedups at many workers that fit one or two measurements and Amdahl's law.

    Parameters
    ----------
    workers : int, 2 to 64
        Workers N of the first measurement.
    speedup : float, 1 to 64
        Its speedup.
    precision : float, 0.5 to 30
        Half the width of its interval, in percent of the speedup.
    second : int, 0 to 256
        Workers of a second measurement; 0 for none.
    second_speedup : float, 1 to 256
        Its speedup.
    second_precision : float, 0.5 to 30
        Half the width of its interval, in percent.
    future : int, 8 to 1,024
        Workers to look ahead to.

    Raises
    ------
    traitlets.TraitError
        If a value is out of range.
    """

    name = "fan"
    workers = traitlets.Int(4, min=2, max=64).tag(sync=True, explorer=True)
    speedup = traitlets.Float(3.5, min=1, max=64).tag(sync=True, explorer=True)
    precision = traitlets.Float(14.3, min=0.5, max=30).tag(sync=True, explorer=True)
    second = traitlets.Int(0, min=0, max=256).tag(sync=True, explorer=True)
    second_speedup = traitlets.Float(8.0, min=1, max=256).tag(sync=True, explorer=True)
    second_precision = traitlets.Float(14.3, min=0.5, max=30).tag(sync=True, explorer=True)
    future = traitlets.Int(64, min=8, max=1024).tag(sync=True, explorer=True)

    def measured(self) -> list[tuple[int, float, float, float]]:
        """Return workers, speedup and the ends of its interval, for each measurement."""
        rows = [(self.workers, self.speedup, self.precision)]
        if self.second > 1:
            rows.append((self.second, self.second_speedup, self.second_precision))
        return [
            (N, min(S, N), min(S, N) * (1 - p / 100), min(S, N) * (1 + p / 100)) for N, S, p in rows
        ]

    def serial_fractions(self) -> tuple[float, float] | None:
        """Return the smallest and the largest s that fit all measurements, None where none does."""
        low, high = 0.0, 1.0
        for N, _, least, most in self.measured():
            low = max(low, laws.karp_flatt(most, N))
            high = min(high, laws.karp_flatt(least, N))
        return (low, high) if low <= high else None

    def futures(self) -> tuple[float, float] | None:
        """Return the least and the most speedup on `future` workers, None where no s fits."""
        s = self.serial_fractions()
        return s and tuple(sorted(laws.amdahl_speedup(self.future, list(s))))

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        seen = " and ".join(
            f"{least:.3g} to {most:.3g} times on {N}" for N, _, least, most in self.measured()
        )
        s, far = self.serial_fractions(), self.futures()
        if s is None:
            return f"Measured: {seen} workers. No serial fraction fits both."
        return (
            f"Measured: {seen} workers. Every serial fraction from {s[0]:.3g} to {s[1]:.3g} fits, "
            f"so on {self.future} workers the speedup may be anything from {far[0]:.3g} to "
            f"{far[1]:.3g}."
        )

    def table(self) -> str:
        """Return the measurements as an HTML table."""
        rows = [
            [str(N), f"{S:.3g}", f"{least:.3g} to {most:.3g}"]
            for N, S, least, most in self.measured()
        ]
        return html_table(["workers N", "speedup S", "interval"], rows)
