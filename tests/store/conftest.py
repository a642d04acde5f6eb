"""Submissions, claims and workers on a fresh database."""

from __future__ import annotations

import pytest

from rgcontract import Submission
from rgstore.claiming import Holder, claim_fleet
from rgstore.submissions import submit

LEASE = 30.0


@pytest.fixture
def put(database):
    """Submit a spec; returns what was stored."""

    def _put(seeds=1, *, attempt_limit=3, owner="alice", **fields):
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
def take_fleet(database):
    """Claim runs of one shape as a worker."""

    def _take(size=100, *, worker="w1", lease=LEASE, share=1, kind="cpu"):
        holder = Holder(f"{worker}/1", worker, "host", kind, {"torch": "2"}, {"drift": True}, kind)
        with database.begin() as session:
            return claim_fleet(
                session, holder, lease_seconds=lease, size_of=lambda _: size, share=share
            )

    return _take


@pytest.fixture
def take(take_fleet):
    """Claim the next run as a worker that trains no fleets."""

    def _take(worker="w1", lease=LEASE):
        claims = take_fleet(1, worker=worker, lease=lease)
        return claims[0] if claims else None

    return _take
