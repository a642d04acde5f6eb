"""Guards of the store: each of these fails where one is taken out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from blocked import until_blocked
from sqlalchemy import select, text

from rgcontract import Outcome
from rgstore import endings, heartbeats, trainings
from rgstore.claiming import Holder, claim_fleet
from rgstore.database import (
    IDLE_IN_TRANSACTION_TIMEOUT_MS,
    LOCK_TIMEOUT_MS,
    STATEMENT_TIMEOUT_MS,
    Database,
)
from rgstore.endings import LeaseLostError
from rgstore.heartbeats import TrainingProgress
from rgstore.records import Training, Weights
from rgstore.tables import ExperimentRow, RunRow, WeightsRow
from rgstore.transitions import lock_experiments

SHORT, LONG = {"corr_len": 1.0}, {"corr_len": 7.0}
HALF = TrainingProgress("training", 0.5, 10, 1.25)


def _claim(session: Any, worker: str, size: int = 1) -> list[int]:
    holder = Holder(f"{worker}/1", worker, "h", "cpu", {}, {})
    claims = claim_fleet(session, holder, lease_seconds=30, size_of=lambda _: size, share=1)
    return [claim.run_id for claim in claims]


def test_a_claim_passes_over_the_run_that_another_is_claiming(database: Database, put: Any) -> None:
    first, second = put(chain=SHORT).run_ids, put(chain=LONG).run_ids
    with database.begin() as one, database.begin() as two:
        assert _claim(one, "w1") == first
        assert _claim(two, "w2") == second  # would wait for the first: both are this thread


def test_a_run_is_locked_from_the_moment_that_it_is_chosen(database: Database, put: Any) -> None:
    """Between its choice and its move nobody else may choose it."""
    (run_id,) = put().run_ids
    seen = []

    def size_of(_spec: Any) -> int:  # called between the two
        with database.begin() as other:
            row = select(RunRow.id).where(RunRow.id == run_id)
            seen.append(other.scalars(row.with_for_update(skip_locked=True)).all())
        return 1

    with database.begin() as session:
        holder = Holder("w1/1", "w1", "h", "cpu", {}, {})
        assert claim_fleet(session, holder, lease_seconds=30, size_of=size_of, share=1)
    assert seen == [[]]


def test_a_fleet_passes_over_runs_that_another_has_locked(database: Database, put: Any) -> None:
    first, second, third = put(seeds=3).run_ids
    with database.begin() as other, database.begin() as session:
        other.get_one(RunRow, second, with_for_update=True)
        assert _claim(session, "w1", size=3) == [first, third]


@pytest.mark.parametrize(
    ("setting", "milliseconds"),
    [
        ("statement_timeout", STATEMENT_TIMEOUT_MS),
        ("lock_timeout", LOCK_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT_MS),
    ],
)
def test_nothing_on_a_connection_waits_without_end(
    database: Database, setting: str, milliseconds: Any
) -> None:
    of_connection = text(
        "SELECT CAST(setting AS int), unit FROM pg_settings WHERE name = :name"
    ).bindparams(name=setting)
    for transaction in (database.begin, database.snapshot):
        with transaction() as session:
            assert tuple(session.execute(of_connection).one()) == (milliseconds, "ms")
    assert 0 < milliseconds <= 60_000


def test_who_waits_for_a_lock_gives_up_before_a_statement_is_cut_off() -> None:
    assert LOCK_TIMEOUT_MS < STATEMENT_TIMEOUT_MS < IDLE_IN_TRANSACTION_TIMEOUT_MS


OTHERS = [{"owner": "w9/1"}, {"attempt": 7}]
"""Claims of the same run that are not the one that holds it."""


@pytest.mark.parametrize("changed", OTHERS)
def test_a_heartbeat_of_another_holder_or_attempt_stores_nothing(
    database: Database, put: Any, take: Any, changed: Any
) -> None:
    put()
    claim = take()
    with database.begin() as session:
        before = session.get_one(RunRow, claim.run_id).lease_until
    with database.begin() as session:
        heard = heartbeats.heartbeat(session, [(replace(claim, **changed), HALF)], lease_seconds=99)
    assert heard.lost == {claim.run_id}
    with database.begin() as session:
        run = session.get_one(RunRow, claim.run_id)
        assert (run.lease_until, run.phase, run.step) == (before, None, 0)


@pytest.mark.parametrize("changed", OTHERS)
@pytest.mark.parametrize(
    "write",
    [
        lambda s, c: endings.finish(s, c, trained=True),
        endings.let_go,
        lambda s, c: endings.hand_back(s, c, worker="w9", error="x"),
        lambda s, c: endings.fail(s, c, outcome=Outcome.FAILED, error="x"),
        lambda s, c: endings.retry_or_fail(s, c, outcome=Outcome.CRASHED, error="x"),
    ],
)
def test_no_ending_by_another_holder_or_attempt_goes_through(
    database: Database, put: Any, take: Any, write: Any, changed: Any
) -> None:
    put()
    claim = take()
    with pytest.raises(LeaseLostError), database.begin() as session:
        write(session, replace(claim, **changed))
    with database.begin() as session:
        assert session.get_one(RunRow, claim.run_id).lease_owner == claim.owner


class OfSize(bytes):
    """Weights that say to be as many bytes: a quarter of a gigabyte takes a test seconds."""

    size = 0

    def __len__(self) -> int:
        return self.size


class Largest(OfSize):
    size = trainings.MOST_WEIGHTS_BYTES


class TooLarge(OfSize):
    size = trainings.MOST_WEIGHTS_BYTES + 1


def test_weights_that_no_row_can_hold_are_not_stored(database: Database) -> None:
    weights = [Weights(1, Largest(b"x")), Weights(2, TooLarge(b"y"))]
    with database.begin() as session:
        training = Training([1, 2], [0.5, 0.25], weights)
        trainings.keep(session, "net", 3, training, device="cpu", versions={})
    with database.begin() as session:
        assert session.scalars(select(WeightsRow.step)).all() == [1]
        assert trainings.find(session, "net", 3, (1, 2)) is None  # it is trained again
    assert trainings.MOST_WEIGHTS_BYTES < 2**30


def test_who_locks_an_experiment_keeps_nobody_from_rows_that_refer_to_it(
    database: Database, put: Any
) -> None:
    name = put().experiment_id
    key = select(ExperimentRow.id).where(ExperimentRow.id == name)
    of_key = key.with_for_update(read=True, key_share=True, nowait=True)  # as a foreign key does
    with database.begin() as one, database.begin() as two:
        lock_experiments(one, [name])
        assert two.scalars(of_key).all() == [name]


def test_an_experiment_is_summed_up_by_one_at_a_time(
    database: Database, put: Any, take_fleet: Any
) -> None:
    """Two runs of it that end together: the second waits, and then sees the first."""
    put(seeds=2)
    first, second = take_fleet()

    def end(claim: Any) -> str:
        with database.begin() as session:
            return endings.let_go(session, claim)

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            endings.fail(session, first, outcome=Outcome.FAILED, error="x")
            ending = pool.submit(end, second)
            until_blocked(database)
            assert not ending.done()
        assert ending.result() == "queued"
