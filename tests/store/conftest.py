"""Submissions, claims and workers on a fresh database."""

from __future__ import annotations

from typing import Any

import pytest

from rgcontract import Submission
from rgstore.database import Database
from rgstore.leases import Holder, claim_fleet
from rgstore.submissions import submit

LEASE = 30.0


@pytest.fixture
def put(database: Database) -> Any:
    """Submit a spec; returns what was stored."""

    def _put(seeds: int = 1, *, attempt_limit: int = 3, owner: str = "alice", **fields: Any) -> Any:
        with database.begin() as session:
            return submit(
                session,
                Submission(seeds=seeds, **fields),
                owner=owner,
                attempt_limit=attempt_limit,
                body_hash="",
                flops_per_run=1.0,
            )

    return _put


@pytest.fixture
def take_fleet(database: Database) -> Any:
    """Claim runs of one shape as a worker."""

    def _take(
        size: int = 100,
        *,
        worker: str = "w1",
        lease: Any = LEASE,
        share: int = 1,
        kind: str = "cpu",
    ) -> Any:
        holder = Holder(f"{worker}/1", worker, "host", kind, {"torch": "2"}, {"drift": True}, kind)
        with database.begin() as session:
            return claim_fleet(
                session, holder, lease_seconds=lease, size_of=lambda _: size, share=share
            )

    return _take


@pytest.fixture
def take(take_fleet: Any) -> Any:
    """Claim the next run as a worker that trains no fleets."""

    def _take(worker: str = "w1", lease: Any = LEASE) -> Any:
        claims = take_fleet(1, worker=worker, lease=lease)
        return claims[0] if claims else None

    return _take
