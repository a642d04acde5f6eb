"""Submissions, claims and workers on a fresh database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rgcontract import Submission
from rgcore.statistics import summarise_runs
from rgstore.claiming import Holder, claim_fleet
from rgstore.database import Database
from rgstore.invariants import INVARIANTS, Scope
from rgstore.submissions import submit

LEASE = 30.0
BY_HAND = "by_hand(reason): writes rows that no code of ours would write; invariants may break"


def pytest_configure(config: Any) -> None:
    config.addinivalue_line("markers", BY_HAND)


@pytest.fixture(autouse=True)
def _invariants_hold(request: pytest.FixtureRequest) -> Iterator[Any]:
    """What must always hold of a database does after every test, and is all checked."""
    if "database" not in request.fixturenames or request.node.get_closest_marker("by_hand"):
        yield
        return
    database = request.getfixturevalue("database")  # so that it is still there at the end
    yield
    broken = {one.name: one.breaches(database, Scope(summarise_runs)) for one in INVARIANTS}
    assert not any(broken.values()), {name: rows for name, rows in broken.items() if rows}


@pytest.fixture
def put(database: Database) -> Any:
    """Submit a spec; returns what was stored."""

    def _put(seeds: int = 1, *, attempt_limit: int = 3, owner: str = "alice", **fields: Any) -> Any:
        with database.begin() as session:
            return submit(
                session,
                Submission.model_validate({"seeds": seeds, **fields}),
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
