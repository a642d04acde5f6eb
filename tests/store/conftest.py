"""Submissions, claims and workers on a fresh database."""

from __future__ import annotations

import pytest

from rgcontract import Submission
from rgstore.leases import Holder, claim_next
from rgstore.submissions import submit

LEASE = 30.0


@pytest.fixture
def put(database):
    """Submit a spec; returns what was stored."""

    def _put(seeds=1, *, attempt_limit=3, **fields):
        with database.begin() as session:
            return submit(
                session,
                Submission(seeds=seeds, **fields),
                owner="alice",
                attempt_limit=attempt_limit,
                body_hash="",
                flops_per_run=1.0,
            )

    return _put


@pytest.fixture
def take(database):
    """Claim the next run as a worker."""

    def _take(worker="w1", lease=LEASE):
        holder = Holder(f"{worker}/1", worker, "host", "cpu", {"torch": "2"}, {"drift": True})
        with database.begin() as session:
            return claim_next(session, holder, lease_seconds=lease)

    return _take
