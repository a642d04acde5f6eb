"""What cannot be made into a chain."""

from __future__ import annotations


class ChainError(ValueError):
    """A parameter that no chain of the family has; carries the field, its value, what is allowed."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        """Name the field."""
        super().__init__(f"{field} = {value!r}; allowed: {allowed}")
        self.field, self.value, self.allowed = field, value, allowed
