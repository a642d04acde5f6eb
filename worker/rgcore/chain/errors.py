"""What can be wrong with a chain that is asked for."""

from __future__ import annotations


class ChainError(ValueError):
    """No such chain: a family, a parameter or a value that does not exist.

    Attributes:
        field: the parameter at fault.
        value: what was given.
        allowed: what it accepts, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        """Keep what was wrong as data."""
        super().__init__(field, value, allowed)  # all three, so that it survives pickling
        self.field = field
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.field} is {self.value!r}; allowed: {self.allowed}"
