"""A worker that measures known answers wrongly claims nothing and says which."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import pytest

from rgcontract import State, Submission
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.submissions import submit
from rgstore.tables import RunRow
from rgworker.process import TrainerPool
from rgworker.protocol import Ready
from rgworker.supervise import OutOfToleranceError, Supervisor


@dataclass
class WrongTrainer:
    """Says that it has missed a known answer."""

    ready = Ready(
        device="cpu: test",
        kind="cpu",
        memory=2**30,
        versions={"torch": "2"},
        calibration={"CKA of identical layers": False, "drift": True},
    )


@dataclass
class Lent:
    """As a pool lends it."""

    trainer: WrongTrainer


class WrongPool:
    """Has such trainers only."""

    @contextmanager
    def trainer(self) -> Iterator[Lent]:
        """Lend one."""
        yield Lent(WrongTrainer())


@pytest.fixture
def supervisor(database: Database, database_url: str) -> Supervisor:
    settings = Settings(database_url=database_url, broker_url="redis://127.0.0.1:1")
    pool = cast("TrainerPool", WrongPool())
    return Supervisor(database, settings, pool, "w", "host", threading.Event())


def test_it_claims_nothing_and_names_the_answer(database: Database, supervisor: Supervisor) -> None:
    with database.begin() as session:
        submit(
            session, Submission(seeds=(0,)), owner="alice", attempt_limit=3, body_hash="",
            flops_per_run=1.0,
        )  # fmt: skip
    with pytest.raises(OutOfToleranceError, match="CKA of identical layers"):
        supervisor.measure_next()
    with database.begin() as session:
        (run,) = session.query(RunRow)
        assert (run.state, run.attempt) == (State.QUEUED, 0)


def test_it_does_not_even_start(supervisor: Supervisor) -> None:
    with pytest.raises(OutOfToleranceError, match="claims nothing; run `rglab calibrate`"):
        supervisor.require_calibrated()
