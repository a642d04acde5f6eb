"""What is stored and is not what it is to be: said by whoever reads it, where it is read."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from pydantic import ValidationError

from rgstore.stored_specs import UnreadableSpecError


class DamagedRecordError(ValueError):
    """A stored record lacks what it is to have, or has something else there."""


UNREADABLE = (UnreadableSpecError, DamagedRecordError, ValidationError)
"""What is raised where stored values are read: by nothing else, so that a defect stays one."""


def sum_of(flat: Sequence[float], shape: Sequence[int]) -> float:
    """The sum of a stored array of numbers; it is not finite where one of them is not.

    Raises:
        DamagedRecordError: it has not as many numbers as its shape says, or one is null.
    """
    if len(flat) != prod(shape):
        raise DamagedRecordError(f"{len(flat)} numbers are stored in place of {prod(shape)}")
    try:
        return sum(flat)
    except TypeError as error:
        raise DamagedRecordError("a number is missing") from error
