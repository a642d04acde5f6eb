"""Runs, start to end: claim them, have them measured, store how each of them ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

from sqlalchemy.exc import InterfaceError, OperationalError

from rgcontract import IMPLEMENTED, ExperimentSpec, Outcome, Protocols, State, training_hash
from rgcore.statistics import summarise_runs
from rgstore import claiming, endings, trainings
from rgstore.claiming import Claim, Holder
from rgstore.database import Database
from rgstore.endings import LeaseLostError
from rgstore.judging import mark_due
from rgstore.measurements import OtherProtocolError, store
from rgstore.quotas import of_lab
from rgstore.records import RunRecord
from rgstore.settings import Settings
from rgstore.speed import note
from rgstore.stored_specs import UnreadableSpecError
from rgstore.workers import trainers_alive
from rgworker.findings import refresh_findings
from rgworker.fleet_size import fleet_size
from rgworker.presence import AWAY
from rgworker.process import Lent, Trainer, TrainerDiedError, TrainerPool
from rgworker.protocol import Broken, Finished, Job, Ready, Task, Unread
from rgworker.sound import UnsoundResultError, require_sound
from rgworker.timing import claimed_spec, timing_of
from rgworker.watch import Ending, StoppedError, TimedOutError, Watch

log = logging.getLogger(__name__)

STORE_TRIES = 6  # with 1, 2, 4, ... seconds between: half a minute of a database that restarts


class OutOfToleranceError(RuntimeError):
    """This worker measures known answers wrongly; the message says which."""


class OtherReleaseError(RuntimeError):
    """The code of this worker was replaced while it ran; the message says what to do."""


@dataclass(frozen=True)
class Supervisor:
    """What a worker needs to see runs through."""

    database: Database
    settings: Settings
    trainers: TrainerPool
    worker: str
    host: str
    stopping: threading.Event
    concurrency: int = 1
    """Trainers of this worker, who share its device."""
    implements: Protocols = IMPLEMENTED
    """What it claims, and its trainers must measure."""
    check: Callable[[RunRecord, ExperimentSpec], None] = require_sound
    """Looks at what a trainer says before it is stored."""

    def require_calibrated(self) -> Ready:
        """Start a trainer, which is then warm, and see whether it measures known answers rightly.

        Returns:
            What it says of itself, as every trainer of this worker does.

        Raises:
            OutOfToleranceError: it does not. OtherReleaseError: it is not of this release.
            TrainerDiedError: none could be started.
        """
        with self.trainers.trainer() as lent:
            self._check(lent.trainer)
            return lent.trainer.ready

    def in_line(self, ready: Ready, most: int) -> int:
        """Runs that wait for a worker with such trainers, counted up to so many."""
        with self.database.begin() as session:
            return claiming.in_line(session, self._holder(ready), most=most)

    def measure_next(self, claimed: Callable[[], None] = lambda: None) -> list[State]:
        """See the first run in line through, and those that go with it.

        Args:
            claimed: called when they are claimed.

        Returns:
            The states it leaves them in; empty if there was none.

        Raises:
            TrainerDiedError: no trainer could be started; nothing was claimed.
            OutOfToleranceError: it measures known answers wrongly; nothing was claimed.
            OtherReleaseError: it is of another release than this worker; nothing was claimed.
        """
        states: list[State] = []
        if self.stopping.is_set():
            return states
        with self.trainers.trainer() as lent:
            self._check(lent.trainer)
            ready = lent.trainer.ready
            claims = self._claim(ready)
            claimed()
            if not claims:
                return states
            for claim, ending in self._endings(lent, claims):
                alone, speaks = len(claims) == 1, State.DONE not in states
                try:
                    state = self._settle(claim, ready, ending, alone=alone, speaks=speaks)
                    states.append(state)
                except LeaseLostError as error:
                    log.warning("%s; leaving it to its new holder", error)
                except Exception as error:  # the others go on
                    states += self._unsettled(claim, error)
        if State.DONE in states:
            self._judge()
        return states

    def _endings(self, lent: Lent, claims: Sequence[Claim]) -> Iterator[tuple[Claim, Ending]]:
        """How each run ends, as soon as it does: some before the trainer hears of them."""
        begun: list[tuple[Claim, Task]] = []
        for claim in claims:
            try:
                begun.append((claim, self._task(claim)))
            except UnreadableSpecError as error:
                yield claim, Unread(0, str(error))
            except Exception as error:  # whatever it is, it must not cost the lease
                yield claim, Broken.by(0, error, may_pass=True)
        if begun:
            of_job = [claim for claim, _ in begun]
            watch = Watch(self.database, self.settings, self.stopping, lent, of_job)
            yield from watch.outcomes(Job(tuple(task for _, task in begun)))

    def _unsettled(self, claim: Claim, error: Exception) -> list[State]:
        """How a run ended could not be written: it is tried again, and says why.

        If that cannot be written either, it is free once its lease ends.
        """
        log.error("run %s: how it ended could not be stored", claim.run_id, exc_info=error)
        lost = Broken.by(0, error, may_pass=True)
        cause = f"how it ended could not be stored: {lost.error}"
        try:
            return [self._retry(claim, Outcome.FAILED, cause, lost.traceback)]
        except Exception:
            log.exception("run %s: it waits for the end of its lease", claim.run_id)
            return []

    def _settle(
        self, claim: Claim, ready: Ready, ending: Ending, *, alone: bool, speaks: bool
    ) -> State:
        """Write down how an attempt ended; one speaks for its fleet of how long they take."""
        match ending:
            case Unread():
                return self._hand_back(claim, f"cannot read the spec: {ending.error}")
            case Finished():
                return self._store_sound(claim, ready, ending.record, speaks=speaks)
            case Broken():
                write = self._retry if ending.may_pass else self._fail
                return write(claim, Outcome.FAILED, ending.error, ending.traceback)
            case TimedOutError() if alone:
                return self._fail(claim, Outcome.TIMED_OUT, str(ending))
            case TimedOutError() | TrainerDiedError():  # whose fault it was, each alone will show
                late = isinstance(ending, TimedOutError)
                outcome = Outcome.TIMED_OUT if late else Outcome.CRASHED
                return self._retry(claim, outcome, str(ending))
            case StoppedError():
                return self._let_go(claim)

    def _check(self, trainer: Trainer) -> None:
        if trainer.ready.implements != self.implements:
            raise OtherReleaseError(
                f"this worker implements {self.implements}, and a trainer that it started "
                f"{trainer.ready.implements}: its code was replaced while it ran. It claims "
                "nothing; start it again"
            )
        failed = sorted(name for name, passed in trainer.ready.calibration.items() if not passed)
        if failed:
            raise OutOfToleranceError(
                f"this worker measures known answers wrongly: {', '.join(failed)}. It claims "
                "nothing; run `rglab calibrate` on this machine"
            )

    def _holder(self, ready: Ready) -> Holder:
        return Holder(
            owner=f"{self.worker}/{threading.get_ident()}",
            worker=self.worker,
            host=self.host,
            device=ready.device,
            versions=ready.versions,
            calibration=ready.calibration,
            kind=ready.kind,
            implements=self.implements,
        )

    def _claim(self, ready: Ready) -> Sequence[Claim]:
        most = self.settings.fleet_size
        with self.database.begin() as session:
            lab = trainers_alive(session, ready.kind, self.implements)
            return claiming.claim_fleet(
                session,
                self._holder(ready),
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

    def _store_sound(self, claim: Claim, ready: Ready, record: RunRecord, *, speaks: bool) -> State:
        """Store a result, unless it is none: another trainer may measure better."""
        spec = cache(partial(claimed_spec, claim))  # read at most once
        if (
            record.protocols == self.implements
        ):  # what another release measures is not ours to judge
            try:
                self.check(record, spec())
            except UnsoundResultError as error:
                log.warning("run %s: %s", claim.run_id, error)
                return self._retry(claim, Outcome.FAILED, str(error))
        return self._store(claim, ready, record, spec, speaks=speaks)

    def _store(
        self,
        claim: Claim,
        ready: Ready,
        record: RunRecord,
        spec: Callable[[], ExperimentSpec],
        *,
        speaks: bool,
    ) -> State:
        # worked out once for all tries, and never for a result that the store refuses
        training = cache(lambda: training_hash(spec()))
        timing = cache(lambda: timing_of(spec(), ready, record))
        for attempt in range(STORE_TRIES):
            try:
                with self.database.begin() as session:
                    store(session, claim, record, summarise_runs)
                    mark_due(session, claim.experiment_id, claim.seed)
                    if record.trained:
                        trainings.keep(
                            session,
                            training(),
                            claim.seed,
                            record.training,
                            device=ready.device,
                            versions={**ready.versions, **endings.by(record.backend)},
                        )
                        if speaks:
                            note(session, claim.run_id, timing())
            except OtherProtocolError as error:
                return self._hand_back(claim, str(error))
            except (InterfaceError, OperationalError) as error:
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
            refresh_findings(
                self.database,
                attempt_limit=self.settings.max_attempts,
                lab=of_lab(self.settings),
            )
        except AWAY as error:
            log.warning("findings not written yet: %s", error)

    def _fail(
        self, claim: Claim, outcome: Outcome, error: str, traceback: str | None = None
    ) -> State:
        with self.database.begin() as session:
            endings.fail(session, claim, outcome=outcome, error=error, traceback=traceback)
        return State.FAILED

    def _retry(
        self, claim: Claim, outcome: Outcome, error: str, traceback: str | None = None
    ) -> State:
        with self.database.begin() as session:
            return endings.retry_or_fail(
                session, claim, outcome=outcome, error=error, traceback=traceback
            )

    def _hand_back(self, claim: Claim, error: str) -> State:
        log.warning("run %s: handed back: %s", claim.run_id, error)
        with self.database.begin() as session:
            return endings.hand_back(session, claim, worker=self.worker, error=error)

    def _let_go(self, claim: Claim) -> State:
        with self.database.begin() as session:
            return endings.let_go(session, claim)
