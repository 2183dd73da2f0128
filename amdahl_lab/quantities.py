"""Quantities with a dimension, so that a wrong unit stands out before a wrong number does.

Everything is kept in five units: FLOP, OP (an integer operation), byte, second, joule. A watt is a
joule per second, so FLOPS/W is FLOP/J.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

BASES = ("FLOP", "OP", "byte", "s", "J")
_UNITS: Mapping[str, dict[str, int]] = {
    "FLOPS": {"FLOP": 1, "s": -1},
    "FLOP": {"FLOP": 1},
    "OPS": {"OP": 1, "s": -1},
    "OP": {"OP": 1},
    "byte": {"byte": 1},
    "B": {"byte": 1},
    "W": {"J": 1, "s": -1},
    "J": {"J": 1},
    "s": {"s": 1},
}
_PREFIXES = {
    "": 1e0,
    "n": 1e-9,
    "µ": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
}
_NUMBER = re.compile(r"\s*([-+]?[\d,]*\.?\d+(?:[eE][-+]?\d+)?)\s*(.*)")


@dataclass(frozen=True)
class Quantity:
    """A number with a dimension.

    Parameters
    ----------
    value : float
        In FLOP, OP, byte, s and J.
    dimension : mapping of str to int
        Powers of those units; a unit that is missing has power 0.

    Raises
    ------
    ValueError
        If the value is not finite or a unit is none of `BASES`.

    Examples
    --------
    >>> peak, power = quantity("123 TFLOPS"), quantity("220 W")
    >>> (peak / power).show("TFLOPS/W")
    '0.559 TFLOPS/W'
    """

    value: float
    dimension: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"value must be finite, got {self.value!r}")
        if unknown := set(self.dimension) - set(BASES):
            raise ValueError(f"dimension must be made of {', '.join(BASES)}, got {unknown}")
        powers = {name: self.dimension[name] for name in BASES if self.dimension.get(name)}
        object.__setattr__(self, "dimension", powers)

    def __mul__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value * other.value, _combined(self, other, 1))

    def __truediv__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value / other.value, _combined(self, other, -1))

    def to(self, unit: str) -> float:
        """Return the number of `unit` that this is.

        Raises
        ------
        ValueError
            If the unit has another dimension.
        """
        scale = _unit(unit)
        if scale.dimension != self.dimension:
            raise ValueError(f"unit must have dimension {_named(self)}, got {unit!r}")
        return self.value / scale.value

    def show(self, unit: str) -> str:
        """Return the quantity in `unit`, to three digits."""
        return f"{self.to(unit):,.3g} {unit}".strip()


def quantity(text: str) -> Quantity:
    """Read a quantity such as "30 FLOPS/W", "1.555 TB/s", "80x" or "60%".

    Parameters
    ----------
    text : str
        A number and a unit: units of `BASES`, FLOPS, OPS, B and W, with an SI prefix, joined by
        "*" and "/". "x" and nothing at all are the plain number, "%" a hundredth of it.

    Returns
    -------
    Quantity
        In FLOP, OP, byte, s and J.

    Raises
    ------
    ValueError
        If the text starts with no number or a unit is unknown.

    Examples
    --------
    >>> quantity("1 TFLOPS") / quantity("1 TB/s") == quantity("1 FLOP/byte")
    True
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"text must be a number and a unit, got {text!r}")
    number, unit = float(found[1].replace(",", "")), found[2].strip()
    return Quantity(number, {}) * _unit(unit)


def orders_between(claimed: Quantity, found: Quantity) -> float:
    """Return by how many powers of ten `claimed` exceeds `found`; below 0 if it falls short.

    Raises
    ------
    ValueError
        If the dimensions differ or a value is not above 0.

    Examples
    --------
    >>> round(orders_between(quantity("30 FLOPS/W"), quantity("0.559 TFLOPS/W")), 1)
    -10.3
    """
    if claimed.dimension != found.dimension:
        raise ValueError(f"claimed must have dimension {_named(found)}, got {_named(claimed)}")
    if claimed.value <= 0 or found.value <= 0:
        raise ValueError(f"values must be above 0, got {claimed.value:g} and {found.value:g}")
    return math.log10(claimed.value / found.value)


def _unit(text: str) -> Quantity:
    scale = Quantity(1.0, {})
    for place, product in enumerate(text.split("/")):
        for name in filter(None, (each.strip() for each in product.split("*"))):
            scale = scale / _one(name) if place else scale * _one(name)
    return scale


def _one(name: str) -> Quantity:
    if name in ("x", "×", "1", "times"):
        return Quantity(1.0, {})
    if name == "%":
        return Quantity(0.01, {})
    for unit, powers in _UNITS.items():
        if name.endswith(unit) and name.removesuffix(unit) in _PREFIXES:
            return Quantity(_PREFIXES[name.removesuffix(unit)], powers)
    raise ValueError(f"unit must be made of {', '.join(_UNITS)}, got {name!r}")


def _combined(left: Quantity, right: Quantity, sign: int) -> dict[str, int]:
    return {
        name: left.dimension.get(name, 0) + sign * right.dimension.get(name, 0) for name in BASES
    }


def _named(quantity: Quantity) -> str:
    parts = [f"{name}^{power}" for name, power in quantity.dimension.items()]
    return " ".join(parts) or "none"
