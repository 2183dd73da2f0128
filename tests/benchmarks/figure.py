"""One figure of a benchmark beside its goal."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure and its goal; `at_most` says on which side of the goal it should be."""

    what: str
    value: float
    goal: float
    unit: str
    at_most: bool = False

    @property
    def reached(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        side = "at most" if self.at_most else "at least"
        verdict = "reached" if self.reached else "NOT REACHED"
        value = f"{self.value:,.2f}" if self.value < 1000 else f"{self.value:,.0f}"
        return f"{self.what:<58} {value:>14} {side} {self.goal:>12,g} {self.unit:<16} {verdict}"
