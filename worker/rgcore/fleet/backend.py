"""What may train a fleet in torch's place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rgcore.fleet.lockstep import Lockstep
from rgcore.fleet.member import Member


class Backend(Protocol):
    """Another way to the numbers of torch, apart from rounding.

    Attributes:
        name: as attempts tell it.
        detail: which of its kind it is: what else decides the last digits.
    """

    @property
    def name(self) -> str:
        """See there."""

    @property
    def detail(self) -> str:
        """See there."""

    def refuses(self, members: Sequence[Member]) -> str | None:
        """Why it does not train these members, which then are torch's; None if it does."""

    def start(self, members: Sequence[Member], seq_len: int) -> Lockstep:
        """The members before their first step.

        Raises:
            MemoryError: there is not enough of it.
        """
