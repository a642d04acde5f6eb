"""Runs in line on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from lab_processes import TINY

from rgcontract import Submission
from rgstore.database import Database
from rgstore.submissions import submit

NOBODY = "127.0.0.1:1"
"""An address where nothing listens."""


@pytest.fixture
def put(database: Database) -> Callable[..., list[int]]:
    """Submit some seeds of a small spec; returns the ids of their runs."""

    def _put(seeds: int = 1, *, attempt_limit: int = 3) -> list[int]:
        with database.begin() as session:
            return submit(
                session,
                Submission.model_validate({**TINY, "seeds": seeds}),
                owner="alice",
                attempt_limit=attempt_limit,
                body_hash="",
                flops_per_run=1.0,
            ).run_ids

    return _put


@pytest.fixture
def unreachable() -> Iterator[Database]:
    opened = Database(f"postgresql+psycopg://nobody@{NOBODY}/none")
    yield opened
    opened.dispose()
