"""One chip's area spent on many small cores or on a large one: the explorer of chapter 6."""

from typing import Any

import traitlets

from amdahl_lab import laws
from amdahl_lab.explorers.base import Explorer

_SPEEDUPS = {
    "symmetric": laws.hill_marty_symmetric,
    "asymmetric": laws.hill_marty_asymmetric,
    "dynamic": laws.hill_marty_dynamic,
}
_CHIPS = (16, 64, 256, 1024)


class ChipExplorer(Explorer):
    """Speedup of a chip of n units over the units of its large core, in three designs.

    Parameters
    ----------
    design : {"symmetric", "asymmetric", "dynamic"}
        Equal cores; one large core beside small ones; small ones that join for serial work.
    chip : {16, 64, 256, 1024}
        Units n of the whole chip.
    core : float, 1 to 1024
        Units r of a large core; what exceeds the chip counts as the whole chip.
    serial_fraction : float, 0 to 1
        Share s of the time, on one small core, that only one core can do.

    Raises
    ------
    traitlets.TraitError
        If a value is out of range.
    """

    name = "chip"
    design = traitlets.Enum(list(_SPEEDUPS), "symmetric").tag(sync=True, explorer=True)
    chip = traitlets.Enum(list(_CHIPS), 256).tag(sync=True, explorer=True)
    core = traitlets.Float(1, min=1, max=1024).tag(sync=True, explorer=True)
    serial_fraction = traitlets.Float(0.025, min=0, max=1).tag(sync=True, explorer=True)

    def speedup(self) -> float:
        """Return the speedup of the chip that is shown, over one core of one unit."""
        r = min(self.core, self.chip)
        return _SPEEDUPS[self.design](self.serial_fraction, self.chip, r)

    def best(self) -> float:
        """Return the units of the best core in this design."""
        if self.design == "symmetric":
            return laws.best_symmetric_core(self.serial_fraction, self.chip)
        if self.design == "asymmetric":
            return laws.best_asymmetric_core(self.serial_fraction, self.chip)
        return float(self.chip)

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        r = min(self.core, self.chip)
        return (
            f"A {self.design} chip of {self.chip} units with a core of {r:.3g} and a serial "
            f"fraction of {self.serial_fraction:.3g} is {self.speedup():.3g} times as fast as one "
            f"small core. The best core of this design has {self.best():.3g} units."
        )

    def state(self) -> dict[str, Any]:
        """Return the values that the picture depends on, whole numbers without a point."""
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in super().state().items()
        }
