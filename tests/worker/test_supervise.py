"""A worker and a fleet on a real database; the trainer says what a test has written for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from cancelling import nobody_wants
from lab_processes import TINY
from measured_study import CHAIN
from sqlalchemy import select, update

from rgcontract import ExperimentSpec, State, Submission
from rgcore.architecture import Architecture
from rgcore.cost import run_cost
from rgstore.database import Database
from rgstore.heartbeats import TrainingProgress
from rgstore.records import Quantity, RunRecord, Training
from rgstore.settings import Settings
from rgstore.submissions import submit
from rgstore.tables import AttemptRow, ResultRow, RunRow, TimingRow, TrainingRow
from rgworker import process
from rgworker.process import Lent, TrainerDiedError
from rgworker.protocol import Advanced, Broken, Event, Finished, Job, Left, Ready
from rgworker.sound import require_sound
from rgworker.supervise import Supervisor

SPEC: dict[str, Any] = TINY
RECORD = RunRecord(
    seconds=1.0,
    trained=True,
    training=Training([1], [0.5], []),
    chain=CHAIN,
    quantities=[
        Quantity("final", 20, "position", "effective_rank", 64, "plug-in", [1], [2.0], None, {})
    ],
)
Check = Callable[[RunRecord, ExperimentSpec], None]
Script = Callable[["ScriptedTrainer"], Iterator[Event | None]]


class ScriptedTrainer:
    """Says what is written; whatever it is sent can be read."""

    alive = True
    ready = Ready("cpu: test", "cpu", 2**30, {"torch": "2"}, {"drift": True})

    def __init__(self, script: Script) -> None:
        self.job: Job | None = None
        self.dismissed: set[int] = set()
        self.killed = False
        self._said = script(self)

    def start(self, job: Job) -> None:
        self.job = job

    def dismiss(self, members: Collection[int]) -> None:
        self.dismissed |= set(members)

    def listen(self, seconds: float) -> Event | None:
        return next(self._said)

    def kill(self) -> None:
        self.killed = True

    def ask_to_leave(self) -> Iterator[None]:
        """Nothing is said until someone is to leave."""
        while not self.dismissed:
            yield None


class Pool:
    """Lends one trainer."""

    def __init__(self, trainer: ScriptedTrainer) -> None:
        self._trainer = trainer

    @contextmanager
    def trainer(self) -> Iterator[Lent]:
        yield Lent(cast("process.Trainer", self._trainer))


class Worker:
    """A supervisor on a database, with a trainer that follows a script."""

    def __init__(self, database: Any, database_url: str) -> None:
        self.database = database
        self.stopping = threading.Event()
        self.settings = Settings(
            database_url=database_url, broker_url="redis://127.0.0.1:1", heartbeat_seconds=0.1
        )

    def measure(
        self, script: Script, check: Check = lambda *_: None, **settings: Any
    ) -> ScriptedTrainer:
        """Have it measure the first runs in line; its trainer afterwards."""
        trainer = ScriptedTrainer(script)
        Supervisor(
            self.database,
            self.settings.model_copy(update=settings),
            cast("process.TrainerPool", Pool(trainer)),
            "w1",
            "host",
            self.stopping,
            check=check,
        ).measure_next()
        return trainer

    def states(self) -> list[str]:
        with self.database.begin() as session:
            return list(session.scalars(select(RunRow.state).order_by(RunRow.id)))

    def outcomes(self) -> list[tuple[int, str | None]]:
        with self.database.begin() as session:
            rows = session.execute(
                select(AttemptRow.number, AttemptRow.outcome).order_by(AttemptRow.run_id)
            )
            return [tuple(row) for row in rows]

    def set(self, run_id: int, **values: Any) -> None:
        with self.database.begin() as session:
            session.execute(update(RunRow).where(RunRow.id == run_id).values(**values))

    def cancel(self, name: str) -> None:
        with self.database.begin() as session:
            nobody_wants(session, name)


@pytest.fixture
def worker(database: Database, database_url: str) -> Worker:
    return Worker(database, database_url)


@pytest.fixture
def pair(database: Database) -> list[tuple[str, int]]:
    """Two runs of one shape, of two experiments and two owners: (experiment, run) of each."""
    found = []
    for owner, corr_len in (("alice", 1.0), ("bob", 7.0)):
        chain = {**SPEC["chain"], "corr_len": corr_len}
        submission = Submission.model_validate({**SPEC, "chain": chain, "seeds": 1})
        with database.begin() as session:
            stored = submit(
                session, submission, owner=owner, attempt_limit=3, body_hash="",
                flops_per_run=1.0,
            )  # fmt: skip
        found.append((stored.experiment_id, stored.run_ids[0]))
    return found


def finish_both(_trainer: ScriptedTrainer) -> Iterator[Event]:
    yield Finished(0, RECORD)
    yield Finished(1, RECORD)


def test_runs_of_one_shape_are_one_job_in_the_order_of_the_line(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    trainer = worker.measure(finish_both)
    assert trainer.job is not None
    assert [task.spec["chain"]["corr_len"] for task in trainer.job.members] == [1.0, 7.0]
    assert worker.states() == [State.DONE] * 2
    assert not trainer.killed


def test_one_run_speaks_for_its_fleet_of_how_long_they_take(
    worker: Worker, pair: list[tuple[str, int]], database: Database
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        yield Finished(1, replace(RECORD, fleet=2, seconds=3.0))
        yield Finished(0, replace(RECORD, fleet=2, seconds=5.0))

    worker.measure(script)
    spec = ExperimentSpec.model_validate(SPEC)
    cost = run_cost(Architecture(**spec.architecture), **spec.budget).modelled(fleet=2)
    with database.begin() as session:
        found = session.scalars(select(TimingRow)).one()
        assert (found.run_id, found.seconds, found.fleet) == (pair[1][1], 3.0, 2)
        assert (found.backend, found.shape_class) == ("cpu: test", cost.shape_class)
        assert found.modelled_seconds == pytest.approx(cost.seconds)


def test_times_of_kernels_are_kept_apart_from_those_of_torch(
    worker: Worker, pair: list[tuple[str, int]], database: Database
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        yield Finished(0, replace(RECORD, backend="native avx2"))
        yield Finished(1, RECORD)

    worker.measure(script)
    with database.begin() as session:
        assert session.scalars(select(TimingRow.backend)).all() == ["cpu: test, native avx2"]


def test_a_run_that_was_not_trained_says_nothing_of_how_long_they_take(
    worker: Worker, pair: list[tuple[str, int]], database: Database
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        yield Finished(0, replace(RECORD, trained=False))
        yield Broken(1, "broken", "", may_pass=False)

    worker.measure(script)
    assert worker.states() == [State.DONE, State.FAILED]
    with database.begin() as session:
        assert session.scalars(select(TimingRow)).all() == []


def test_a_record_is_stored_as_soon_as_it_comes(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    seen = []

    def script(_trainer: Any) -> Iterator[Any]:
        yield Finished(1, RECORD)
        seen.extend(worker.states())
        yield Finished(0, RECORD)

    worker.measure(script)
    assert seen == [State.RUNNING, State.DONE]


def test_what_trained_a_run_stands_in_its_attempt_and_with_its_weights(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(trainer: ScriptedTrainer) -> Iterator[Event]:
        yield Finished(0, replace(RECORD, backend="native avx512"))
        yield Finished(1, replace(RECORD, trained=False))

    worker.measure(script)
    with worker.database.begin() as session:
        attempts = session.scalars(select(AttemptRow.versions).order_by(AttemptRow.run_id))
        assert list(attempts) == [{"torch": "2", "backend": "native avx512"}, {"torch": "2"}]
        kept = session.scalars(select(TrainingRow.versions))
        assert list(kept) == [{"torch": "2", "backend": "native avx512"}]


def test_a_heartbeat_tells_how_far_each_member_is(
    worker: Worker, pair: list[tuple[str, int]], database: Database
) -> None:
    seen: list[list[str | None]] = []

    def script(_trainer: Any) -> Iterator[Any]:
        yield Advanced({1: TrainingProgress("training", 0.5, 10, 1.25)})
        while not seen or seen[-1][1] != "training":
            with database.begin() as session:
                seen.append(list(session.scalars(select(RunRow.phase).order_by(RunRow.id))))
            yield None
        yield from finish_both(_trainer)

    worker.measure(script)
    assert seen[-1] == ["starting", "training"]


def test_a_cancelled_member_leaves_and_the_others_go_on(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(trainer: Any) -> Iterator[Any]:
        worker.cancel(pair[1][0])
        yield from trainer.ask_to_leave()
        yield Left(1)
        yield Finished(0, RECORD)

    trainer = worker.measure(script)
    assert trainer.dismissed == {1}
    assert worker.states() == [State.DONE, State.CANCELLED]
    assert worker.outcomes() == [(1, "done"), (1, "cancelled")]
    assert not trainer.killed


def test_a_member_that_was_finished_before_it_could_leave_stays_cancelled(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(trainer: Any) -> Iterator[Any]:
        worker.cancel(pair[1][0])
        yield from trainer.ask_to_leave()
        yield Finished(1, RECORD)
        yield Finished(0, RECORD)

    trainer = worker.measure(script)
    assert worker.states() == [State.DONE, State.CANCELLED]
    assert not trainer.killed


def test_a_trainer_whose_last_member_is_cancelled_is_ended(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        for name, _ in pair:
            worker.cancel(name)
        while True:
            yield None

    trainer = worker.measure(script)
    assert trainer.killed
    assert worker.states() == [State.CANCELLED] * 2


def test_a_trainer_that_is_still_at_a_member_that_left_is_ended(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(trainer: Any) -> Iterator[Any]:
        worker.cancel(pair[1][0])
        yield from trainer.ask_to_leave()
        yield Finished(0, RECORD)

    assert worker.measure(script).killed


def test_a_lost_member_leaves_and_is_not_written_to(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(trainer: Any) -> Iterator[Any]:
        worker.set(pair[1][1], lease_owner="w2/1", attempt=2)
        yield from trainer.ask_to_leave()
        yield Left(1)
        yield Finished(0, RECORD)

    worker.measure(script)
    assert worker.states() == [State.DONE, State.RUNNING]


def test_a_member_that_fails_fails_alone_with_its_cause(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        yield Broken(0, "diverged", "...", may_pass=False)
        yield Finished(1, RECORD)

    worker.measure(script)
    assert worker.states() == [State.FAILED, State.DONE]


def test_when_a_trainer_dies_what_is_not_finished_goes_back_to_the_line_and_alone(
    worker: Worker, pair: list[tuple[str, int]], database: Database
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        yield Finished(0, RECORD)
        raise TrainerDiedError("killed")

    trainer = worker.measure(script)
    assert trainer.killed
    assert worker.outcomes() == [(1, "done"), (1, "crashed")]
    with database.begin() as session:
        again = session.get_one(RunRow, pair[1][1])
    assert (again.state, again.shape, again.attempt) == (State.QUEUED, None, 1)


def test_a_worker_that_stops_releases_every_member(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        worker.stopping.set()
        yield None

    trainer = worker.measure(script)
    assert trainer.killed
    assert worker.states() == [State.QUEUED] * 2
    assert worker.outcomes() == [(1, "released")] * 2


def test_a_fleet_past_its_time_goes_back_to_the_line_and_each_alone(
    worker: Worker, pair: list[tuple[str, int]], database: Database
) -> None:
    def script(_trainer: Any) -> Iterator[Any]:
        while True:
            yield None

    worker.measure(script, run_time_limit_seconds=0.05)
    assert worker.outcomes() == [(1, "timed_out")] * 2
    with database.begin() as session:
        assert [*session.scalars(select(RunRow.shape))] == [None, None]


def test_one_whose_end_cannot_be_stored_does_not_keep_the_others_from_theirs(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    unfit = replace(RECORD, training=None)  # type: ignore[arg-type]  # wrong on purpose

    def script(_trainer: Any) -> Iterator[Any]:
        yield Finished(0, unfit)
        yield Finished(1, RECORD)

    worker.measure(script)
    assert worker.states() == [State.QUEUED, State.DONE]
    with worker.database.begin() as session:
        cause = session.get_one(AttemptRow, (pair[0][1], 1)).error
    assert cause.startswith("how it ended could not be stored: AttributeError")


def test_a_result_that_is_none_is_a_failed_attempt_which_says_why_and_stores_nothing(
    worker: Worker, pair: list[tuple[str, int]]
) -> None:
    while State.QUEUED in worker.states():
        worker.measure(finish_both, check=require_sound)
    assert worker.states() == [State.FAILED] * 2
    assert sorted(worker.outcomes()) == [(number, "failed") for number in (1, 1, 2, 2, 3, 3)]
    with worker.database.begin() as session:
        causes = session.scalars(select(AttemptRow.error)).all()
        assert {str(cause).split(";")[0] for cause in causes} == {
            "the result is unsound: final cka at masked is missing"
        }
        assert not session.scalars(select(ResultRow)).all()
        assert not session.scalars(select(TrainingRow)).all()
