"""One measurement against its known answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A measured number beside the expected one.

    Attributes:
        name: what is checked.
        measured: by the instrument.
        expected: in closed form.
        tolerance: largest difference that passes, absolute.
        reason: where the tolerance comes from.
    """

    name: str
    measured: float
    expected: float
    tolerance: float
    reason: str

    @property
    def passed(self) -> bool:
        """Whether it is within tolerance; nan is not."""
        return abs(self.measured - self.expected) <= self.tolerance
