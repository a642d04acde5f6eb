"""Workers of several releases beside one another: each measures its own and hands back the rest."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from lab_processes import TINY
from measured_study import CHAIN
from sqlalchemy import select, update

from rgcontract import IMPLEMENTED, Protocols, State, Submission
from rgstore import waiting
from rgstore.database import Database
from rgstore.records import Quantity, RunRecord, Training
from rgstore.settings import Settings
from rgstore.submissions import submit
from rgstore.tables import AttemptRow, ExperimentRow, RunRow, SummaryRow
from rgstore.workers import worker_seen
from rgworker import process
from rgworker.process import Lent
from rgworker.protocol import Event, Finished, Job, Ready, Unread
from rgworker.supervise import OtherReleaseError, Supervisor

OTHER = replace(IMPLEMENTED, protocol=IMPLEMENTED.protocol + 1)
RANK = Quantity("final", 20, "position", "effective_rank", 64, "plug-in", [1], [2.0], None, {})
SPEC: dict[str, Any] = TINY
RECORD = RunRecord(
    seconds=1.0, trained=True, training=Training([1], [0.5], []), chain=CHAIN, quantities=[RANK]
)


class Trainer:
    """Measures whatever it is given, at once; a release says of itself what it implements."""

    alive = True

    def __init__(self, implements: Protocols, measures: Protocols, *, reads: bool) -> None:
        self.ready = Ready("cpu: test", "cpu", 2**30, {}, {}, implements)
        self.jobs: list[Job] = []
        self._record = replace(RECORD, protocols=measures)
        self._reads = reads
        self._says: list[Event] = []

    def start(self, job: Job) -> None:
        self.jobs.append(job)
        self._says = [
            Finished(member, self._record) if self._reads else Unread(member, "training.tempo")
            for member in range(len(job.members))
        ]

    def listen(self, seconds: float) -> Event | None:
        return self._says.pop(0)

    def dismiss(self, members: Collection[int]) -> None:
        """Nobody is to leave."""

    def kill(self) -> None:
        """Nothing runs."""


class Unfit(Trainer):
    """Cannot even be told what to do."""

    def start(self, job: Job) -> None:
        raise AttributeError("module 'rgworker.protocol' has no attribute 'Task'")


class Pool:
    """Lends one trainer."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    @contextmanager
    def trainer(self) -> Iterator[Lent]:
        yield Lent(cast("process.Trainer", self._trainer))


class Worker:
    """A worker of some release."""

    def __init__(
        self,
        database: Any,
        name: str,
        implements: Protocols = IMPLEMENTED,
        *,
        trainer: Protocols | None = None,
        measures: Protocols | None = None,
        reads: bool = True,
        of: type[Trainer] = Trainer,
    ) -> None:
        of_trainer = trainer or implements
        self.trainer = of(of_trainer, measures or of_trainer, reads=reads)
        settings = Settings(database_url="postgresql://", broker_url="redis://127.0.0.1:1")
        pool = cast("process.TrainerPool", Pool(self.trainer))
        self._supervisor = Supervisor(
            database, settings, pool, name, "host", threading.Event(),
            implements=implements, check=lambda *_: None,
        )  # fmt: skip
        with database.begin() as session:
            worker_seen(session, name, "host", "cpu", 1, implements)

    def measure_next(self) -> list[State]:
        return self._supervisor.measure_next()


@pytest.fixture
def ask(database: Database) -> Any:
    """Submit some seeds of a small spec; the name of the experiment."""

    def _ask(seeds: int = 1, corr_len: float = 2.0) -> str:
        chain = {**SPEC["chain"], "corr_len": corr_len}
        submission = Submission.model_validate({**SPEC, "chain": chain, "seeds": seeds})
        with database.begin() as session:
            return submit(
                session, submission, owner="alice", attempt_limit=3,
                body_hash="", flops_per_run=1.0,
            ).experiment_id  # fmt: skip

    return _ask


def _rewrite(database: Any, name: str, **fields: Any) -> None:
    """Store a spec as a release with other fields would have."""
    with database.begin() as session:
        row = session.get_one(ExperimentRow, name)
        spec = {**row.spec, **fields}
        session.execute(update(ExperimentRow).where(ExperimentRow.id == name).values(spec=spec))


def _runs(database: Any) -> list[RunRow]:
    with database.begin() as session:
        return list(session.scalars(select(RunRow).order_by(RunRow.id)))


def _attempts(database: Any) -> list[tuple[str, str | None]]:
    with database.begin() as session:
        rows = select(AttemptRow.worker, AttemptRow.outcome).order_by(AttemptRow.started_at)
        return [tuple(row) for row in session.execute(rows)]


def test_of_two_workers_of_other_protocols_only_one_measures_an_experiment(
    database: Database, ask: Any
) -> None:
    ask(seeds=3)
    ours, other = Worker(database, "ours"), Worker(database, "other", OTHER)
    while any(run.state == State.QUEUED for run in _runs(database)):
        assert other.measure_next() == []
        assert ours.measure_next()
    assert [run.state for run in _runs(database)] == [State.DONE] * 3
    assert {worker for worker, _ in _attempts(database)} == {"ours"}
    with database.begin() as session:
        assert session.scalars(select(SummaryRow.n_runs)).all() == [3]


def test_a_record_of_another_protocol_is_handed_back_and_not_stored(
    database: Database, ask: Any
) -> None:
    ask()
    forger = Worker(database, "forger", measures=OTHER)
    assert forger.measure_next() == [State.QUEUED]
    assert forger.measure_next() == []
    (run,) = _runs(database)
    assert run.error is not None
    assert f"measured under {OTHER}" in run.error
    assert Worker(database, "honest").measure_next() == [State.DONE]


def test_a_worker_whose_code_was_replaced_while_it_ran_claims_nothing(
    database: Database, ask: Any
) -> None:
    ask()
    with pytest.raises(OtherReleaseError, match="start it again"):
        Worker(database, "w1", trainer=OTHER).measure_next()
    assert _attempts(database) == []


def test_a_job_that_a_worker_cannot_read_is_handed_back_at_once_with_its_reason(
    database: Database, ask: Any
) -> None:
    name = ask(seeds=2)
    _rewrite(database, name, tempo=2)
    worker = Worker(database, "old")
    assert worker.measure_next() == [State.QUEUED]  # alone: how many fit is in the spec
    assert worker.measure_next() == []  # never again, whichever seed
    assert worker.trainer.jobs == []
    first, _ = _runs(database)
    assert first.error == "cannot read the spec: tempo: unknown field"
    assert first.attempt_limit == 4  # 3 of which none is used up
    assert _attempts(database) == [("old", "unreadable")]
    with database.begin() as session:
        reason = waiting.stuck(session, [name])[name]
    assert "no running worker can measure it (cannot read the spec: tempo: unknown field)" in reason


def test_what_a_worker_cannot_read_does_not_hold_up_what_it_can(
    database: Database, ask: Any
) -> None:
    _rewrite(database, ask(corr_len=2.0), tempo=2)
    ask(corr_len=3.0)
    worker = Worker(database, "old")
    assert [worker.measure_next() for _ in range(2)] == [[State.QUEUED], [State.DONE]]


def test_members_that_can_be_read_go_on_without_one_that_cannot(
    database: Database, ask: Any
) -> None:
    readable = ask(corr_len=2.0)
    _rewrite(database, ask(corr_len=3.0), tempo=2)
    worker = Worker(database, "old")
    assert sorted(worker.measure_next()) == [State.DONE, State.QUEUED]
    ((member,),) = [job.members for job in worker.trainer.jobs]
    assert "tempo" not in member.spec
    with database.begin() as session:
        assert session.get_one(ExperimentRow, readable).state == State.DONE


def test_a_job_that_its_trainer_cannot_read_is_handed_back_too(
    database: Database, ask: Any
) -> None:
    ask()
    worker = Worker(database, "w1", reads=False)
    assert worker.measure_next() == [State.QUEUED]
    assert worker.measure_next() == []
    assert _attempts(database) == [("w1", "unreadable")]
    assert Worker(database, "w2").measure_next() == [State.DONE]


def test_a_fault_between_claim_and_outcome_ends_the_attempt_with_its_cause(
    database: Database, ask: Any
) -> None:
    ask()
    worker = Worker(database, "w1", of=Unfit)
    ends = [worker.measure_next() for _ in range(3)]
    assert ends == [[State.QUEUED], [State.QUEUED], [State.FAILED]]
    (run,) = _runs(database)
    assert run.error == (
        "AttributeError: module 'rgworker.protocol' has no attribute 'Task' (attempt 3 of 3)"
    )
