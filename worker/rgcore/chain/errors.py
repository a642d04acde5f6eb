"""What can be wrong with a chain that is asked for."""

from __future__ import annotations


class ChainError(ValueError):
    """No such chain: a family, a parameter or a value that does not exist.

    Attributes:
        field: the parameter at fault.
        value: what was given; of a matrix or a list, the entry at fault.
        allowed: what the parameter accepts, in words.
        reason: what is wrong, where the value alone does not say it.
    """

    def __init__(self, field: str, value: object, allowed: str, reason: str | None = None) -> None:
        """Keep what was wrong as data."""
        super().__init__(field, value, allowed, reason)  # all four, so that it survives pickling
        self.field = field
        self.value = value
        self.allowed = allowed
        self.reason = reason

    def __str__(self) -> str:
        """One line for people."""
        found = f"{self.field}: {self.reason}" if self.reason else f"{self.field} is {self.value!r}"
        return f"{found}; allowed: {self.allowed}"
