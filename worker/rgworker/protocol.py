"""What a worker and its trainer say to each other."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rgcontract import IMPLEMENTED, Protocols
from rgstore.heartbeats import TrainingProgress
from rgstore.records import RunRecord, Training

DeviceKind = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Task:
    """A run to measure."""

    spec: dict[str, Any]
    chain_seed: int
    seed: int
    training: Training | None
    """Weights to measure; None to train."""


@dataclass(frozen=True)
class Job:
    """Runs of one shape, to be trained together. Their place here is the name of each."""

    members: tuple[Task, ...]


@dataclass(frozen=True)
class Leave:
    """To a trainer at work: these members are to be dropped."""

    members: frozenset[int]


@dataclass(frozen=True)
class Ready:
    """The trainer has started: where it computes and with what."""

    device: str
    kind: DeviceKind
    memory: int
    """Bytes that were free on the device."""
    versions: dict[str, str]
    calibration: dict[str, bool]
    """Known answer -> whether it measures it within its tolerance."""
    implements: Protocols = IMPLEMENTED
    """By the code of the trainer, which may have been replaced since its worker started."""


@dataclass(frozen=True)
class Advanced:
    """How far members are, those that have something new to say."""

    progress: Mapping[int, TrainingProgress]


@dataclass(frozen=True)
class Finished:
    """A member is measured."""

    member: int
    record: RunRecord


@dataclass(frozen=True)
class Broken:
    """A member could not be measured."""

    member: int
    error: str
    traceback: str
    may_pass: bool
    """Whether another attempt could succeed."""

    @classmethod
    def by(cls, member: int, error: Exception, *, may_pass: bool) -> Broken:
        """By an exception that nothing more is known of."""
        trace = "".join(traceback.format_exception(error))
        return cls(member, f"{type(error).__name__}: {error}", trace, may_pass)


@dataclass(frozen=True)
class Unread:
    """The code that was to measure a member cannot read its spec; that of another release may."""

    member: int
    error: str


@dataclass(frozen=True)
class Left:
    """A member was dropped, as it was asked for."""

    member: int


End = Finished | Broken | Unread | Left
"""The last word about a member; each has one."""
Event = Ready | Advanced | End
