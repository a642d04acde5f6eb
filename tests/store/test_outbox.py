"""Runs are put in line, committed, and only then told of: whoever is told can take them."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from claims import claim_one
from markdown import ROOT
from measured_study import ask
from slow_commit import make_commits_slow
from sqlalchemy import func, select, text, update
from sqlalchemy.pool import QueuePool

from rgcontract import Outcome, State
from rgstore import endings, further_seeds, studies, upkeep, wishes
from rgstore.claiming import Claim, Holder
from rgstore.database import Database
from rgstore.outbox import Announcement
from rgstore.tables import RunRow, StudyRow

HOLDER = Holder("w2/1", "w2", "h", "cpu", {}, {})


class FastWorker:
    """Claims in another connection the very moment it is told, as many runs as it is told of."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.told: list[int] = []
        self.claimed: list[int] = []

    def __call__(self, announcement: Announcement) -> None:
        for run_ids in announcement.values():
            self.told += run_ids
            for _ in run_ids:
                with self.database.begin() as session:
                    claim = claim_one(session, HOLDER, lease_seconds=60)
                if claim is not None:
                    self.claimed.append(claim.run_id)


@pytest.fixture
def fast(database: Database, database_url: str) -> Iterator[FastWorker]:
    worker = FastWorker(database_url)
    yield worker
    worker.database.dispose()


Queue = Callable[[Database, Callable[..., Any], Callable[[], Claim]], object]


def _submitted(database: Any, put: Any, take: Any) -> Any:
    put(seeds=2)
    return lambda: put(seeds=4)


def _wanted_again(database: Any, put: Any, take: Any) -> Any:
    name = put(seeds=2).experiment_id
    with database.begin() as session:
        wishes.withdraw(session, [name], "alice")
    return lambda: put(seeds=2)


def _retried(database: Any, put: Any, take: Any) -> Any:
    name = put(attempt_limit=1).experiment_id
    with database.begin() as session:
        endings.fail(session, take(), outcome=Outcome.FAILED, error="x")

    def retry() -> None:
        with database.begin() as session:
            wishes.want_again(session, [RunRow.experiment_id == name], "alice", attempt_limit=3)

    return retry


def _seeds_of_a_study(database: Any, put: Any, take: Any) -> Any:
    ask(database, chain={"corr_len": 1}, seeds=1)

    def add() -> None:
        with database.begin() as session:
            study = session.scalars(select(StudyRow)).one()
            (member,) = studies.members(session, study.id)
            more = {"alice": {member.experiment_id: 2}}
            further_seeds.add_seeds(session, study, more, attempt_limit=3)

    return add


def _let_go(database: Any, put: Any, take: Any) -> Any:
    put()
    claim = take()

    def let_go() -> None:
        with database.begin() as session:
            endings.let_go(session, claim)

    return let_go


def _crashed(database: Any, put: Any, take: Any) -> Any:
    put()
    claim = take()

    def crash() -> None:
        with database.begin() as session:
            endings.retry_or_fail(session, claim, outcome=Outcome.CRASHED, error="boom")

    return crash


def _lost(database: Any, put: Any, take: Any) -> Any:
    put(seeds=2)
    take()
    take()
    with database.begin() as session:
        session.execute(update(RunRow).values(lease_until=func.now() - text("interval '1 s'")))

    def free() -> None:
        with database.begin() as session:
            upkeep.free_expired_leases(session)

    return free


ROUTES = [_submitted, _wanted_again, _retried, _seeds_of_a_study, _let_go, _crashed, _lost]


def _queued(database: Any) -> set[int]:
    with database.begin() as session:
        return set(session.scalars(select(RunRow.id).where(RunRow.state == State.QUEUED)))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__[1:])
def test_whoever_is_told_of_a_run_can_take_it_at_once(
    database: Database, put: Any, take: Any, fast: FastWorker, route: Any
) -> None:
    queue = route(database, put, take)
    while take():  # only what is put in line now is of interest
        pass
    database.announce_to(fast)
    queue()
    assert fast.told
    assert sorted(fast.claimed) == sorted(fast.told)
    assert _queued(database) == set()


def test_a_commit_that_takes_long_is_waited_for(
    database: Database, put: Any, fast: FastWorker
) -> None:
    make_commits_slow(database)
    database.announce_to(fast)
    begin = time.monotonic()
    run_ids = put().run_ids
    assert time.monotonic() - begin >= 0.3
    assert fast.claimed == run_ids


def test_what_is_rolled_back_is_told_to_nobody(
    database: Database, put: Any, take: Any, fast: FastWorker
) -> None:
    name = put(attempt_limit=1).experiment_id
    with database.begin() as session:
        endings.fail(session, take(), outcome=Outcome.FAILED, error="x")
    database.announce_to(fast)

    def retry() -> None:
        with database.begin() as session:
            runs = [RunRow.experiment_id == name]
            assert wishes.want_again(session, runs, "alice", attempt_limit=3)
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        retry()
    assert fast.told == []


def test_runs_are_told_of_by_the_kind_of_device_that_they_wait_for(
    database: Database, put: Any
) -> None:
    told: list[Announcement] = []
    database.announce_to(told.append)
    gpu = put(seeds=2, device="cuda").run_ids
    any_kind = put(chain={"corr_len": 9.0}).run_ids
    assert told == [{"cuda": gpu}, {"any": any_kind}]


def test_no_connection_is_held_while_workers_are_told(database: Database, put: Any) -> None:
    held: list[int] = []
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    database.announce_to(lambda _: held.append(pool.checkedout()))
    put()
    assert held == [0]


def _calls(name: str) -> list[str]:
    """Files of the server in which something of this name is called."""
    found = []
    for folder in ("service", "worker"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    called = node.func
                    if getattr(called, "attr", getattr(called, "id", None)) == name:
                        found.append(f"{path.parent.name}/{path.name}")
    return found


def test_only_a_commit_empties_the_outbox_and_only_one_thread_sends() -> None:
    assert _calls("taken") == _calls("_announce") == ["rgstore/database.py"]
    assert _calls("publish") == ["rgstore/publisher.py"]
    assert _calls("send_task") == ["rgstore/messages.py"]
    assert _calls("announce_to") == ["rgservice/app.py", "rgstore/publisher.py"]
