"""What is stored and cannot be read, of another release or damaged: it is said, all else is shown.

Whatever a record holds is no defect of the server: it is never answered with 500. What reads stored
values raises one of `UNREADABLE`; any other error is a defect, and stays one. A record that can be
shown without the part is shown so, and `unreadable` says what is left out; where an answer needs
that part, it is refused with the name of the record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TypeVar

from rgcontract.unknown import Unknown
from rgservice.http.errors import UnreadableRecord, UnreadableSpec
from rgstore.damaged import UNREADABLE, DamagedRecordError
from rgstore.stored_specs import UnreadableSpecError, reason_of

log = logging.getLogger(__name__)

T = TypeVar("T")

_WHY = (
    "a server of another release stored it, so ask that one, or upgrade; or it is damaged, see "
    "`rglab doctor --invariants`"
)


class Reading:
    """A stored record on its way into an answer, and what of it cannot be read."""

    def __init__(self, record: str) -> None:
        """Name it, as the log is to."""
        self._record = record
        self._said: list[str] = []

    def part(self, name: str, make: Callable[[], T], instead: T) -> T:
        """What is made of a part of it; where that cannot be read, it is said.

        Args:
            name: of the part; "" for what names its fields itself.
            make: reads it.
            instead: stands in its place.
        """
        try:
            return make()
        except UNREADABLE as error:
            reason = reason_of(error)
            self._said.append(f"{name}: {reason}" if name else reason)
            log.warning("%s cannot be read: %s", self._record, self._said[-1], exc_info=error)
            return instead

    def known(self, **values: Enum | str) -> None:
        """Say which of these values this release does not know.

        Args:
            values: as the answer has them, by what they are called.
        """
        unknown = [
            f"{name} {str(value)!r}" for name, value in values.items() if isinstance(value, Unknown)
        ]
        if unknown:
            self._said.append(f"{', '.join(unknown)} of another release; upgrade this server")

    @property
    def unreadable(self) -> str | None:
        """What cannot be read, in words; None if all can."""
        return "; ".join(self._said) or None


@contextmanager
def needed(record: str) -> Iterator[None]:
    """While a record is read for an answer that needs all of it.

    Raises:
        UnreadableSpec, UnreadableRecord: it cannot be read; they name it.
    """
    try:
        yield
    except UnreadableSpecError as error:
        raise UnreadableSpec(
            f"the spec of {record} cannot be read here ({error}): {_WHY}"
        ) from error
    except UNREADABLE as error:
        log.warning("%s cannot be read", record, exc_info=error)
        raise UnreadableRecord(
            f"{record} cannot be read here ({reason_of(error)}): {_WHY}"
        ) from error


def none_are_stored() -> None:
    """Of what a record cannot be without.

    Raises:
        DamagedRecordError: that.
    """
    raise DamagedRecordError("none are stored")
