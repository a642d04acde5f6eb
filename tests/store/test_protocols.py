"""Who claims what: workers of several releases beside one another on one database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from measured_study import CHAIN
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from rgcontract import IMPLEMENTED, Protocols, State
from rgcore.statistics import RunSummary
from rgstore import claiming, endings, measurements, waiting, wishes
from rgstore.claiming import Holder
from rgstore.database import Database
from rgstore.measurements import OtherProtocolError
from rgstore.records import Quantity, RunRecord, Training
from rgstore.runs import attempts_of
from rgstore.stored_specs import UnreadableSpecError, loaded_spec
from rgstore.tables import AttemptRow, ExperimentRow, ResultRow, RunRow, SummaryRow
from rgstore.workers import trainers_alive, worker_seen

OTHERS = [
    replace(IMPLEMENTED, protocol=IMPLEMENTED.protocol + 1),
    replace(IMPLEMENTED, protocol=IMPLEMENTED.protocol - 1),
    replace(IMPLEMENTED, training_protocol=IMPLEMENTED.training_protocol + 1),
    replace(IMPLEMENTED, training_protocol=IMPLEMENTED.training_protocol - 1),
    replace(IMPLEMENTED, spec_schema=IMPLEMENTED.spec_schema - 1),
]
OLD_ATTEMPT = text(
    "INSERT INTO attempts (run_id, number, worker, host, device, versions, calibration) "
    "VALUES (:run, 1, 'old', 'host', 'cpu', '{}', '{}')"
)
"""What a release claims with that knows nothing of protocols."""
NEWER_READER = replace(IMPLEMENTED, spec_schema=IMPLEMENTED.spec_schema + 1)


def _holder(worker: str = "w1", implements: Protocols = IMPLEMENTED) -> Holder:
    return Holder(f"{worker}/1", worker, "host", "cpu", {}, {}, implements=implements)


def _claim(database: Any, holder: Holder, size: int = 1) -> Any:
    with database.begin() as session:
        return claiming.claim_fleet(
            session, holder, lease_seconds=30, size_of=lambda _: size, share=1
        )


def _hand_back(
    database: Any,
    claim: Any,
    worker: str = "w1",
    error: str = "cannot read the spec: training.tempo",
) -> Any:
    with database.begin() as session:
        return endings.hand_back(session, claim, worker=worker, error=error)


def _set(database: Any, name: str, **columns: Any) -> None:
    with database.begin() as session:
        session.execute(update(ExperimentRow).where(ExperimentRow.id == name).values(**columns))


def _seen(database: Any, *workers: tuple[str, Protocols]) -> None:
    with database.begin() as session:
        for name, implements in workers:
            worker_seen(session, name, "host", "cpu", 1, implements)


def _stuck(database: Any, name: str) -> str | None:
    with database.begin() as session:
        return waiting.stuck(session, [name]).get(name)


def _record(protocols: Protocols = IMPLEMENTED) -> RunRecord:
    rank = Quantity("final", 10, "token", "effective_rank", 7, "", [1], [1.0], None, {})
    return RunRecord(
        seconds=1.0,
        trained=True,
        training=Training([1], [0.5], []),
        chain=CHAIN,
        quantities=[rank],
        protocols=protocols,
    )


def _summarise(values: Any, *_: Any, **__: Any) -> Any:
    mean = list(values[0])
    return RunSummary(mean, mean, mean, mean, None)


@pytest.mark.parametrize("others", OTHERS, ids=str)
def test_a_worker_claims_only_what_it_implements(database: Database, put: Any, others: Any) -> None:
    put(seeds=3)
    assert _claim(database, _holder("other", others), size=3) == []
    assert len(_claim(database, _holder(), size=3)) == 3


def test_a_worker_reads_specs_of_earlier_schemas(database: Database, put: Any) -> None:
    put()
    assert len(_claim(database, _holder(implements=NEWER_READER))) == 1


def test_the_first_in_line_of_another_protocol_holds_nobody_up(
    database: Database, put: Any
) -> None:
    first = put(chain={"corr_len": 2.0})
    second = put(chain={"corr_len": 3.0})
    _set(database, first.experiment_id, protocol=IMPLEMENTED.protocol + 1)
    (claim,) = _claim(database, _holder(), size=3)
    assert claim.experiment_id == second.experiment_id


def test_a_fleet_takes_no_members_of_another_protocol(database: Database, put: Any) -> None:
    other = put(chain={"corr_len": 3.0}).experiment_id
    put(chain={"corr_len": 2.0}, seeds=2, priority=1)
    put(chain={"corr_len": 4.0}, priority=1)
    _set(database, other, training_protocol=IMPLEMENTED.training_protocol + 1)
    with database.begin() as session:
        session.execute(update(RunRow).values(priority=1))
    taken = _claim(database, _holder(), size=9)
    assert len(taken) == 3
    assert other not in {claim.experiment_id for claim in taken}


def test_an_attempt_says_what_its_worker_implements(database: Database, put: Any) -> None:
    put()
    (claim,) = _claim(database, _holder(implements=NEWER_READER))
    with database.begin() as session:
        attempt = session.get_one(AttemptRow, (claim.run_id, 1))
        said = Protocols(attempt.spec_schema, attempt.training_protocol, attempt.protocol)
    assert said == NEWER_READER


@pytest.mark.parametrize(
    "changed", [{"protocol": 4}, {"training_protocol": 3}, {"spec_schema": 2}], ids=str
)
def test_a_release_that_claims_without_asking_is_refused_by_the_database(
    database: Database, put: Any, changed: Any
) -> None:
    stored = put()
    _set(database, stored.experiment_id, **changed)
    refused = pytest.raises(IntegrityError, match=r"worker old implements.*upgrade the worker")
    with refused, database.begin() as session:
        session.execute(OLD_ATTEMPT, {"run": stored.run_ids[0]})


@pytest.mark.by_hand("an attempt at a run that waits")
def test_a_release_that_says_nothing_of_protocols_goes_on_with_its_own(
    database: Database, put: Any
) -> None:
    stored = put()
    _set(database, stored.experiment_id, protocol=3, training_protocol=2, spec_schema=1)
    with database.begin() as session:
        session.execute(OLD_ATTEMPT, {"run": stored.run_ids[0]})


@pytest.mark.by_hand("summaries are made up")
@pytest.mark.parametrize("others", OTHERS[:4], ids=str)
def test_a_result_of_another_protocol_is_refused_and_leaves_nothing(
    database: Database, put: Any, others: Any
) -> None:
    name = put(seeds=2).experiment_id
    first, second = _claim(database, _holder(), size=2)
    with database.begin() as session:
        measurements.store(session, first, _record(), _summarise)
    with pytest.raises(OtherProtocolError, match="measured under"), database.begin() as session:
        measurements.store(session, second, _record(others), _summarise)
    with database.begin() as session:
        assert session.scalars(select(ResultRow.run_id)).all() == [first.run_id]
        assert session.scalars(select(SummaryRow.n_runs)).all() == [1]
        assert session.get_one(ExperimentRow, name).state == State.RUNNING


def test_a_run_that_is_handed_back_keeps_its_place_its_attempts_and_the_reason(
    database: Database, put: Any
) -> None:
    put(attempt_limit=1)
    (claim,) = _claim(database, _holder())
    with database.begin() as session:
        before = session.get_one(RunRow, claim.run_id).queued_at
    assert _hand_back(database, claim) is State.QUEUED
    with database.begin() as session:
        run = session.get_one(RunRow, claim.run_id)
        (attempt,) = attempts_of(session, [claim.run_id])
        assert (run.state, run.queued_at, run.attempt_limit) == (State.QUEUED, before, 2)
        assert run.error == attempt.error == "cannot read the spec: training.tempo"
        assert attempt.outcome == "unreadable"


def test_who_handed_a_run_back_takes_none_of_its_experiment_again(
    database: Database, put: Any
) -> None:
    put(seeds=2)
    (claim,) = _claim(database, _holder())
    _hand_back(database, claim)
    assert _claim(database, _holder(), size=2) == []
    assert len(_claim(database, _holder("w2"), size=2)) == 2


def test_a_run_that_is_handed_back_while_it_is_to_be_cancelled_is_cancelled(
    database: Database, put: Any
) -> None:
    name = put().experiment_id
    (claim,) = _claim(database, _holder())
    with database.begin() as session:
        wishes.withdraw(session, [name], "alice")
    assert _hand_back(database, claim) is State.CANCELLED
    with database.begin() as session:
        (attempt,) = attempts_of(session, [claim.run_id])
        assert session.get_one(RunRow, claim.run_id).state == State.CANCELLED
        assert (attempt.outcome, attempt.error) == (
            "unreadable",
            "cannot read the spec: training.tempo",
        )


def test_handing_back_needs_the_lease(database: Database, put: Any) -> None:
    put()
    (claim,) = _claim(database, _holder())
    with pytest.raises(endings.LeaseLostError):
        _hand_back(database, replace(claim, attempt=7))


@pytest.mark.parametrize("others", OTHERS, ids=str)
def test_what_no_live_worker_implements_says_so_and_what_to_do(
    database: Database, put: Any, others: Any
) -> None:
    name = put().experiment_id
    _seen(database, ("other", others))
    reason = _stuck(database, name)
    assert reason is not None
    assert f"it takes {IMPLEMENTED}" in reason
    assert f"implement {others}" in reason
    assert "start a worker of the release that it was submitted to" in reason
    _seen(database, ("w1", IMPLEMENTED))
    assert _stuck(database, name) is None


def test_what_every_live_worker_handed_back_says_why(database: Database, put: Any) -> None:
    name = put().experiment_id
    _seen(database, ("w1", IMPLEMENTED))
    (claim,) = _claim(database, _holder())
    _hand_back(database, claim)
    assert "cannot read the spec: training.tempo" in (_stuck(database, name) or "")
    _seen(database, ("w2", IMPLEMENTED))
    assert _stuck(database, name) is None


def test_a_lab_without_workers_says_that_first(database: Database, put: Any) -> None:
    assert _stuck(database, put().experiment_id) == waiting.NO_WORKER


def test_a_fleet_is_shared_out_among_those_that_can_take_part(database: Database) -> None:
    _seen(database, ("w1", IMPLEMENTED), ("w2", NEWER_READER), ("old", OTHERS[1]))
    with database.begin() as session:
        assert trainers_alive(session, "cpu", IMPLEMENTED) == 2


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ({"training": {"tempo": 2}}, "training.tempo: unknown field"),
        ({"chain": {"family": "fractal"}}, "chain.family: 'fractal' is not a family"),
        ({"rhythm": {}}, "rhythm: unknown field"),
        ({"model": None}, "model: "),
        ([], "TypeError"),
    ],
)
def test_a_spec_of_another_release_is_refused_by_the_names_of_its_fields(
    stored: Any, named: str
) -> None:
    with pytest.raises(UnreadableSpecError, match=named):
        loaded_spec(stored, [0])
