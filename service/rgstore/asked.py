"""What is asked for, under its name, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgcontract import (
    Submission,
    measurement_hash,
)
from rgstore import aliases

ID_DIGITS = 16  # 64 bits of the hash name an experiment; all 256 keep it unique


@dataclass(frozen=True)
class Asked:
    """A submission under its name."""

    name: str
    spec_hash: str
    submission: Submission
    flops_per_run: float
    bytes_per_run: float = 0.0
    """Of what a run stores."""

    @classmethod
    def of(
        cls, submission: Submission, *, flops_per_run: float, bytes_per_run: float = 0.0
    ) -> Asked:
        """With its name worked out, once: the hash takes longer than all the rest."""
        spec_hash = measurement_hash(submission)
        return cls(name_of(spec_hash), spec_hash, submission, flops_per_run, bytes_per_run)


@dataclass(frozen=True)
class Submitted:
    """What became of a submission."""

    experiment_id: str
    created: bool
    added_seeds: list[int]
    seeds: list[int] | None
    """Those it named; None where that was not kept."""
    added_runs: int
    run_ids: list[int]
    """Runs that it put in line."""
    told_at: datetime | None = None
    """When it was acknowledged, where it came again under its key."""

    @property
    def repeated(self) -> bool:
        """Whether it only says again what came of a request that came before."""
        return self.told_at is not None


def name_of(spec_hash: str) -> str:
    """The name of the experiment with this hash."""
    return f"e-{spec_hash[:ID_DIGITS]}"


def under_kept_names(session: Session, asked: Sequence[Asked]) -> list[Asked]:
    """The same, those that were stored under a name of before under that."""
    kept = aliases.of_experiments(session, [one.spec_hash for one in asked])
    return [_under(one, kept.get(one.spec_hash, one.spec_hash)) for one in asked]


def _under(asked: Asked, spec_hash: str) -> Asked:
    return replace(asked, name=name_of(spec_hash), spec_hash=spec_hash)


def words(submission: Submission) -> dict[str, Any]:
    """How a request wants its experiment kept and treated."""
    return {
        "label": submission.label,
        "tags": sorted(set(submission.tags)),
        "priority": submission.priority,
        "device": submission.device,
    }
