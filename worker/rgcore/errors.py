"""What can be wrong with something that is asked for, as data."""

from __future__ import annotations


class ParameterError(ValueError):
    """A choice that does not exist, or a number out of range.

    Attributes:
        field: the parameter at fault.
        value: what was given; of a matrix or a list, the entry at fault.
        allowed: what the parameter accepts, in words.
        reason: what is wrong, where the value alone does not say it.
    """

    def __init__(self, field: str, value: object, allowed: str, reason: str | None = None) -> None:
        super().__init__(field, value, allowed, reason)  # all four, so that it survives pickling
        self.field = field
        self.value = value
        self.allowed = allowed
        self.reason = reason

    def __str__(self) -> str:
        found = f"{self.field}: {self.reason}" if self.reason else f"{self.field} is {self.value!r}"
        return f"{found}; allowed: {self.allowed}"
