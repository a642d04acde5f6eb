"""Which backend trains: the kernels where they are asked for and can, else torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rgcore.fleet import Backend, Member
from rgkernels import UnusableError, native
from rgstore.records import TORCH


@dataclass(frozen=True)
class Chosen:
    """What trains some members.

    Attributes:
        backend: None for torch.
        words: as their attempts tell it.
    """

    backend: Backend | None
    words: str


@dataclass(frozen=True)
class Backends:
    """What this process may train with.

    Attributes:
        first: the backend that is tried before torch, if there is one.
        why_not: why there is none.
    """

    first: Backend | None = None
    why_not: str = ""

    @classmethod
    def of(cls, wanted: str) -> Backends:
        """Those of a setting: `torch`, or `native` for kernels where they can be had."""
        if wanted == TORCH:
            return cls()
        try:
            return cls(native())
        except UnusableError as error:
            return cls(None, str(error))

    @property
    def words(self) -> str:
        """What there is, in words."""
        if self.first is not None:
            return f"{self.first.name} {self.first.detail}"
        return f"{TORCH}: {self.why_not}" if self.why_not else TORCH

    def choose(self, members: Sequence[Member]) -> Chosen:
        """What trains these members, which are of one shape."""
        if self.first is None:
            return Chosen(None, self.words)
        reason = self.first.refuses(members)
        if reason is None:
            return Chosen(self.first, self.words)
        return Chosen(None, f"{TORCH}: {reason}")
