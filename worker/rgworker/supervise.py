"""Runs, start to end: claim them, have them measured, store how each of them ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from rgcontract import ExperimentSpec, State, training_hash
from rgcore.statistics import summarise_runs
from rgstore import leases, trainings, upkeep
from rgstore.database import Database
from rgstore.leases import Claim, Holder, LeaseLostError
from rgstore.measurements import store
from rgstore.messages import Sender
from rgstore.records import RunRecord
from rgstore.settings import Settings
from rgstore.studies import mark_due
from rgstore.submissions import loaded_spec
from rgworker.findings import refresh_findings
from rgworker.fleet_size import fleet_size
from rgworker.process import Trainer, TrainerDiedError, TrainerPool
from rgworker.protocol import Broken, Finished, Job, Ready, Task
from rgworker.upkeep import AWAY
from rgworker.watch import Outcome, StoppedError, TimedOutError, Watch

log = logging.getLogger(__name__)

STORE_TRIES = 6  # with 1, 2, 4, ... seconds between: half a minute of a database that restarts


class OutOfToleranceError(RuntimeError):
    """This worker measures known answers wrongly; the message says which."""


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
    concurrency: int = 1
    """Trainers of this worker, who share its device."""

    def require_calibrated(self) -> None:
        """Start a trainer, which is then warm, and see whether it measures known answers rightly.

        Raises:
            OutOfToleranceError: it does not.
            TrainerDiedError: none could be started.
        """
        with self.trainers.trainer() as lent:
            self._check(lent.trainer)

    def measure_next(self) -> list[State]:
        """See the first run in line through, and those that go with it.

        Returns:
            The states it leaves them in; empty if there was none.

        Raises:
            TrainerDiedError: no trainer could be started; nothing was claimed.
            OutOfToleranceError: it measures known answers wrongly; nothing was claimed.
        """
        states: list[State] = []
        if self.stopping.is_set():
            return states
        with self.trainers.trainer() as lent:
            self._check(lent.trainer)
            ready = lent.trainer.ready
            claims = self._claim(ready)
            if not claims:
                return states
            job = Job(tuple(self._task(claim) for claim in claims))
            watch = Watch(self.database, self.settings, self.stopping, lent, claims)
            for claim, outcome in watch.outcomes(job):
                alone = len(claims) == 1
                try:
                    states.append(self._settle(claim, ready, outcome, alone=alone))
                except LeaseLostError as error:
                    log.warning("%s; leaving it to its new holder", error)
                except Exception:  # the others go on; this one is free once its lease ends
                    log.exception("run %s: how it ended could not be stored", claim.run_id)
        if State.DONE in states:
            self._judge()
        return states

    def _settle(self, claim: Claim, ready: Ready, outcome: Outcome, *, alone: bool) -> State:
        """Write down how an attempt ended."""
        match outcome:
            case Finished():
                return self._store(claim, ready, outcome.record)
            case Broken(may_pass=False):
                return self._fail(claim, "failed", outcome.error, outcome.traceback)
            case Broken():
                return self._retry(claim, "failed", outcome.error, outcome.traceback)
            case TimedOutError() if alone:
                return self._fail(claim, "timed_out", str(outcome))
            case TimedOutError() | TrainerDiedError():  # whose fault it was, each alone will show
                name = "timed_out" if isinstance(outcome, TimedOutError) else "crashed"
                return self._retry(claim, name, str(outcome))
            case StoppedError():
                return self._let_go(claim)

    def _check(self, trainer: Trainer) -> None:
        failed = sorted(name for name, passed in trainer.ready.calibration.items() if not passed)
        if failed:
            raise OutOfToleranceError(
                f"this worker measures known answers wrongly: {', '.join(failed)}. It claims "
                "nothing; run `rglab calibrate` on this machine"
            )

    def _claim(self, ready: Ready) -> Sequence[Claim]:
        holder = Holder(
            owner=f"{self.worker}/{threading.get_ident()}",
            worker=self.worker,
            host=self.host,
            device=ready.device,
            versions=ready.versions,
            calibration=ready.calibration,
            kind=ready.kind,
        )
        most = self.settings.fleet_size
        with self.database.begin() as session:
            lab = upkeep.trainers_alive(session, ready.kind)
            return leases.claim_fleet(
                session,
                holder,
                lease_seconds=self.settings.lease_seconds,
                size_of=lambda spec: fleet_size(spec, ready, trainers=self.concurrency, most=most),
                share=max(lab, self.concurrency),
            )

    def _task(self, claim: Claim) -> Task:
        """The run with the weights of an earlier training of it, if there was one."""
        spec = claimed_spec(claim)
        steps = spec.measurement.moments(spec.training.steps)
        with self.database.begin() as session:
            stored = trainings.find(session, training_hash(spec), claim.seed, steps)
        return Task(claim.spec, claim.chain_seed, claim.seed, stored)

    def _store(self, claim: Claim, ready: Ready, record: RunRecord) -> State:
        for attempt in range(STORE_TRIES):
            try:
                with self.database.begin() as session:
                    store(session, claim, record, summarise_runs)
                    mark_due(session, claim.experiment_id, claim.seed)
                    if record.trained:
                        trainings.keep(
                            session,
                            training_hash(claimed_spec(claim)),
                            claim.seed,
                            record.training,
                            device=ready.device,
                            versions=ready.versions,
                        )
            except DBAPIError as error:
                # if the commit itself was lost in doubt, the fence refuses the second try
                if attempt == STORE_TRIES - 1:
                    raise
                log.warning("run %s: result not stored yet: %s", claim.run_id, error.orig)
                time.sleep(2**attempt)
            else:
                break
        return State.DONE

    def _judge(self) -> None:
        """Write the findings that the runs have changed; what fails now, the upkeep does again."""
        try:
            added = refresh_findings(self.database, attempt_limit=self.settings.max_attempts)
            self._send(added)
        except AWAY as error:
            log.warning("findings not written yet: %s", error)

    def _send(self, run_ids: list[int]) -> None:
        if run_ids:
            with self.database.begin() as session:
                upkeep.send(session, self.sender, run_ids)

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
            self._send([claim.run_id])
        return state

    def _let_go(self, claim: Claim) -> State:
        with self.database.begin() as session:
            return leases.let_go(session, claim)
