"""One run, start to end: claim it, watch its trainer, keep the lease, store the outcome."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from rgcontract import State
from rgstore import leases
from rgstore.database import Database
from rgstore.leases import Claim, Holder, LeaseLostError, TrainingProgress
from rgstore.measurements import store
from rgstore.messages import Sender
from rgstore.records import RunRecord
from rgstore.settings import Settings
from rgworker.process import Trainer, TrainerDiedError, TrainerPool
from rgworker.protocol import Broken, Finished, Job
from rgworker.summary import summarise

log = logging.getLogger(__name__)

STORE_TRIES = 6  # with 1, 2, 4, ... seconds between: half a minute of a database that restarts
LISTEN_SECONDS = 0.25


class _StoppedError(Exception):
    """The run ends before it is measured, and its trainer with it."""


class _CancelledError(_StoppedError):
    """Someone asked for it."""

    target = State.CANCELLED


class _WorkerStopsError(_StoppedError):
    """The worker shuts down."""

    target = State.QUEUED


class _TimedOutError(_StoppedError):
    """The attempt ran past its wall-clock limit."""


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

    def measure_next(self) -> State | None:
        """See the first run in line through; the state it leaves it in, None if there was none.

        Raises:
            TrainerDiedError: no trainer could be started; nothing was claimed.
        """
        if self.stopping.is_set():
            return None
        with self.trainers.trainer() as lent:
            claim = self._claim(lent.trainer)
            if claim is None:
                return None
            outcome: RunRecord | Broken | Exception
            try:
                outcome = self._watch(claim, lent.trainer)
            except (LeaseLostError, TrainerDiedError, _StoppedError) as error:
                lent.discard()
                outcome = error
        try:
            return self._settle(claim, outcome)
        except LeaseLostError as error:
            log.warning("%s; leaving it to its new holder", error)
            return None

    def _settle(self, claim: Claim, outcome: RunRecord | Broken | Exception) -> State:
        """Write down how the attempt ended."""
        match outcome:
            case RunRecord():
                return self._store(claim, outcome)
            case Broken(may_pass=False):
                return self._fail(claim, "failed", outcome.error, outcome.traceback)
            case Broken():
                return self._retry(claim, "failed", outcome.error, outcome.traceback)
            case _CancelledError() | _WorkerStopsError():
                return self._leave(claim, outcome.target)
            case _TimedOutError():
                return self._fail(claim, "timed_out", str(outcome))
            case TrainerDiedError():
                return self._retry(claim, "crashed", str(outcome))
            case _:
                raise outcome

    def _claim(self, trainer: Trainer) -> Claim | None:
        holder = Holder(
            owner=f"{self.worker}/{threading.get_ident()}",
            worker=self.worker,
            host=self.host,
            device=trainer.ready.device,
            versions=trainer.ready.versions,
        )
        with self.database.begin() as session:
            return leases.claim_next(session, holder, lease_seconds=self.settings.lease_seconds)

    def _watch(self, claim: Claim, trainer: Trainer) -> RunRecord | Broken:
        """Listen to the trainer until it is done, keeping the lease alive."""
        trainer.start(Job(claim.spec, claim.seed))
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

    def _store(self, claim: Claim, record: RunRecord) -> State:
        for attempt in range(STORE_TRIES):
            try:
                with self.database.begin() as session:
                    store(session, claim, record, summarise)
            except DBAPIError as error:
                # if the commit itself was lost in doubt, the fence refuses the second try
                if attempt == STORE_TRIES - 1:
                    raise
                log.warning("run %s: result not stored yet: %s", claim.run_id, error.orig)
                time.sleep(2**attempt)
            else:
                break
        return State.DONE

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

    def _leave(self, claim: Claim, target: State) -> State:
        with self.database.begin() as session:
            if target is State.CANCELLED:
                leases.cancel(session, claim)
            else:
                leases.give_back(session, claim)
        return target
