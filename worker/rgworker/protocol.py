"""What a worker and its trainer say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rgstore.leases import TrainingProgress
from rgstore.records import RunRecord, Training


@dataclass(frozen=True)
class Job:
    """A run to measure."""

    spec: dict[str, Any]
    chain_seed: int
    seed: int
    training: Training | None
    """Weights to measure; None to train."""


@dataclass(frozen=True)
class Ready:
    """The trainer has started: where it computes and with what."""

    device: str
    versions: dict[str, str]
    calibration: dict[str, bool]
    """Known answer -> whether it measures it within its tolerance."""


@dataclass(frozen=True)
class Finished:
    """The run is measured."""

    record: RunRecord


@dataclass(frozen=True)
class Broken:
    """The run could not be measured."""

    error: str
    traceback: str
    may_pass: bool
    """Whether another attempt could succeed."""


Event = Ready | TrainingProgress | Finished | Broken
