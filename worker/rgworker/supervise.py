"""One run, start to end: claim it, watch its trainer, keep the lease, store the outcome."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from rgcontract import ExperimentSpec, State, training_hash
from rgstore import leases, trainings
from rgstore.database import Database
from rgstore.leases import Claim, Holder, LeaseLostError, TrainingProgress
from rgstore.measurements import store
from rgstore.messages import Sender
from rgstore.records import RunRecord
from rgstore.settings import Settings
from rgstore.studies import mark_due
from rgstore.submissions import loaded_spec
from rgworker.findings import refresh_findings
from rgworker.process import Trainer, TrainerDiedError, TrainerPool
from rgworker.protocol import Broken, Finished, Job
from rgworker.summary import summarise
from rgworker.upkeep import AWAY

log = logging.getLogger(__name__)

STORE_TRIES = 6  # with 1, 2, 4, ... seconds between: half a minute of a database that restarts
LISTEN_SECONDS = 0.25


class OutOfToleranceError(RuntimeError):
    """This worker measures known answers wrongly; the message says which."""


class _StoppedError(Exception):
    """The run ends before it is measured, and its trainer with it."""


class _CancelledError(_StoppedError):
    """Someone asked for it."""


class _WorkerStopsError(_StoppedError):
    """The worker shuts down."""


class _TimedOutError(_StoppedError):
    """The attempt ran past its wall-clock limit."""


def claimed_spec(claim: Claim) -> ExperimentSpec:
    """The spec of a run, on the draw of its chain."""
    return loaded_spec(claim.spec, [claim.seed]).of_draw(claim.chain_seed)


@dataclass(frozen=True)
class Supervisor:
    """What a worker needs to see runs through."""

    database: Database
    settings: Settings
    trainers: TrainerPool
    sender: Sender
    worker: str
    host: str
    stopping: threading.Event

    def require_calibrated(self) -> None:
        """Start a trainer, which is then warm, and see whether it measures known answers rightly.

        Raises:
            OutOfToleranceError: it does not.
            TrainerDiedError: none could be started.
        """
        with self.trainers.trainer() as lent:
            self._check(lent.trainer)

    def measure_next(self) -> State | None:
        """See the first run in line through; the state it leaves it in, None if there was none.

        Raises:
            TrainerDiedError: no trainer could be started; nothing was claimed.
            OutOfToleranceError: it measures known answers wrongly; nothing was claimed.
        """
        if self.stopping.is_set():
            return None
        with self.trainers.trainer() as lent:
            self._check(lent.trainer)
            claim = self._claim(lent.trainer)
            if claim is None:
                return None
            job = self._job(claim)
            outcome: RunRecord | Broken | Exception
            try:
                outcome = self._watch(claim, job, lent.trainer)
            except (LeaseLostError, TrainerDiedError, _StoppedError) as error:
                lent.discard()
                outcome = error
            holder = self._holder(lent.trainer)
        try:
            return self._settle(claim, holder, outcome)
        except LeaseLostError as error:
            log.warning("%s; leaving it to its new holder", error)
            return None

    def _settle(
        self, claim: Claim, holder: Holder, outcome: RunRecord | Broken | Exception
    ) -> State:
        """Write down how the attempt ended."""
        match outcome:
            case RunRecord():
                return self._store(claim, holder, outcome)
            case Broken(may_pass=False):
                return self._fail(claim, "failed", outcome.error, outcome.traceback)
            case Broken():
                return self._retry(claim, "failed", outcome.error, outcome.traceback)
            case _CancelledError() | _WorkerStopsError():
                return self._let_go(claim)
            case _TimedOutError():
                return self._fail(claim, "timed_out", str(outcome))
            case TrainerDiedError():
                return self._retry(claim, "crashed", str(outcome))
            case _:
                raise outcome

    def _check(self, trainer: Trainer) -> None:
        failed = sorted(name for name, passed in trainer.ready.calibration.items() if not passed)
        if failed:
            raise OutOfToleranceError(
                f"this worker measures known answers wrongly: {', '.join(failed)}. It claims "
                "nothing; run `rglab calibrate` on this machine"
            )

    def _holder(self, trainer: Trainer) -> Holder:
        return Holder(
            owner=f"{self.worker}/{threading.get_ident()}",
            worker=self.worker,
            host=self.host,
            device=trainer.ready.device,
            versions=trainer.ready.versions,
            calibration=trainer.ready.calibration,
        )

    def _claim(self, trainer: Trainer) -> Claim | None:
        with self.database.begin() as session:
            return leases.claim_next(
                session, self._holder(trainer), lease_seconds=self.settings.lease_seconds
            )

    def _job(self, claim: Claim) -> Job:
        """The run with the weights of an earlier training of it, if there was one."""
        spec = claimed_spec(claim)
        steps = spec.measurement.moments(spec.training.steps)
        with self.database.begin() as session:
            stored = trainings.find(session, training_hash(spec), claim.seed, steps)
        return Job(claim.spec, claim.chain_seed, claim.seed, stored)

    def _watch(self, claim: Claim, job: Job, trainer: Trainer) -> RunRecord | Broken:
        """Listen to the trainer until it is done, keeping the lease alive."""
        trainer.start(job)
        started = time.monotonic()
        next_beat = started + self.settings.heartbeat_seconds
        progress = TrainingProgress("starting", 0.0, 0, None)
        while True:
            event = trainer.listen(LISTEN_SECONDS)
            if isinstance(event, Finished):
                return event.record
            if isinstance(event, Broken):
                return event
            if isinstance(event, TrainingProgress):
                progress = event
            now = time.monotonic()
            if self.stopping.is_set():
                raise _WorkerStopsError
            if now - started > self.settings.run_time_limit_seconds:
                limit = self.settings.run_time_limit_seconds
                raise _TimedOutError(
                    f"ran longer than the limit of {limit:g} s (RGLAB_RUN_TIME_LIMIT_SECONDS)"
                )
            if now >= next_beat:
                next_beat = now + self.settings.heartbeat_seconds
                self._beat(claim, progress)

    def _beat(self, claim: Claim, progress: TrainingProgress) -> None:
        try:
            with self.database.begin() as session:
                asked = leases.heartbeat(
                    session, claim, progress, lease_seconds=self.settings.lease_seconds
                )
        except DBAPIError as error:
            # the work goes on: if the database is back before the lease ends, nothing is lost
            log.warning("run %s: heartbeat not stored: %s", claim.run_id, error.orig)
            return
        if asked:
            raise _CancelledError

    def _store(self, claim: Claim, holder: Holder, record: RunRecord) -> State:
        for attempt in range(STORE_TRIES):
            try:
                with self.database.begin() as session:
                    store(session, claim, record, summarise)
                    mark_due(session, claim.experiment_id)
                    if record.trained:
                        trainings.keep(
                            session,
                            training_hash(claimed_spec(claim)),
                            claim.seed,
                            record.training,
                            device=holder.device,
                            versions=holder.versions,
                        )
            except DBAPIError as error:
                # if the commit itself was lost in doubt, the fence refuses the second try
                if attempt == STORE_TRIES - 1:
                    raise
                log.warning("run %s: result not stored yet: %s", claim.run_id, error.orig)
                time.sleep(2**attempt)
            else:
                break
        self._judge()
        return State.DONE

    def _judge(self) -> None:
        """Write the findings that the run has changed; what fails now, the upkeep does again."""
        try:
            added = refresh_findings(self.database, attempt_limit=self.settings.max_attempts)
            self.sender.send(added)
        except AWAY as error:
            log.warning("findings not written yet: %s", error)

    def _fail(self, claim: Claim, outcome: str, error: str, traceback: str | None = None) -> State:
        with self.database.begin() as session:
            leases.fail(session, claim, outcome=outcome, error=error, traceback=traceback)
        return State.FAILED

    def _retry(self, claim: Claim, outcome: str, error: str, traceback: str | None = None) -> State:
        with self.database.begin() as session:
            state = leases.retry_or_fail(
                session, claim, outcome=outcome, error=error, traceback=traceback
            )
        if state is State.QUEUED:
            self.sender.send([claim.run_id])
        return state

    def _let_go(self, claim: Claim) -> State:
        with self.database.begin() as session:
            return leases.let_go(session, claim)
