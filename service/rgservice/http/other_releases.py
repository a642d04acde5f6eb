"""What another release stored and this one does not know: shown as it is, and said to be so."""

from __future__ import annotations

from enum import Enum

from rgcontract.unknown import Unknown


def unreadable(**values: Enum | str) -> str | None:
    """Which of these values this release does not know, in words; None if it knows all.

    Args:
        values: as the answer has them, by what they are called.
    """
    unknown = [
        f"{name} {str(value)!r}" for name, value in values.items() if isinstance(value, Unknown)
    ]
    return f"{', '.join(unknown)} of another release; upgrade this server" if unknown else None
