"""A fleet in the hands of its trainer: listen, keep the leases, send away who is to leave."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence

from sqlalchemy.exc import DBAPIError

from rgstore import heartbeats
from rgstore.claiming import Claim
from rgstore.database import Database
from rgstore.heartbeats import TrainingProgress
from rgstore.settings import Settings
from rgworker.process import Lent, TrainerDiedError
from rgworker.protocol import Advanced, Broken, Finished, Job, Left, Unread

log = logging.getLogger(__name__)

LISTEN_SECONDS = 0.25


class StoppedError(Exception):
    """A run ends before it is measured."""


class CancelledError(StoppedError):
    """Someone asked for it."""


class WorkerStopsError(StoppedError):
    """The worker shuts down."""


class TimedOutError(StoppedError):
    """The attempt ran past its wall-clock limit."""


Ending = Finished | Broken | Unread | StoppedError | TrainerDiedError


class Watch:
    """The runs of one claim, from when they are handed to a trainer until none is left.

    Args:
        database: keeps the leases.
        settings: how often, how long.
        stopping: set when the worker is to stop.
        lent: the trainer; it is ended where it cannot be used again.
        claims: in the order of the job's members.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        stopping: threading.Event,
        lent: Lent,
        claims: Sequence[Claim],
    ) -> None:
        self._database, self._settings, self._stopping = database, settings, stopping
        self._lent = lent
        self._limit = settings.run_time_limit_seconds * len(claims)  # they share the trainer
        self._open = dict(enumerate(claims))
        self._at_work = set(self._open)  # members that the trainer still has
        self._progress = dict.fromkeys(self._open, TrainingProgress("starting", 0.0, 0, None))

    def outcomes(self, job: Job) -> Iterator[tuple[Claim, Ending]]:
        """Hand over the job; how each run ends, as soon as it does.

        A run that has gone to another worker has no outcome here.
        """
        try:
            yield from self._listen(job)
        except (TrainerDiedError, StoppedError) as error:
            self._lent.discard()
            for claim in self._open.values():
                yield claim, error
        except Exception as error:  # nobody foresaw it: the runs end now, and say why
            self._lent.discard()
            for member, claim in self._open.items():
                yield claim, Broken.by(member, error, may_pass=True)
        else:
            if self._at_work and not self._lent.discarded:
                self._lent.discard()

    def _listen(self, job: Job) -> Iterator[tuple[Claim, Ending]]:
        self._lent.trainer.start(job)
        started = time.monotonic()
        next_beat = started + self._settings.heartbeat_seconds
        while self._open:
            match self._lent.trainer.listen(LISTEN_SECONDS):
                case Advanced(progress):
                    self._progress.update(progress)
                case (
                    Finished(member=member) | Broken(member=member) | Unread(member=member)
                ) as end:
                    self._at_work.discard(member)
                    if member in self._open:
                        yield self._open.pop(member), end
                case Left(member):
                    self._at_work.discard(member)
            now = time.monotonic()
            if self._stopping.is_set():
                raise WorkerStopsError
            if now - started > self._limit:
                raise TimedOutError(
                    f"ran longer than the limit of {self._limit:g} s (RGLAB_RUN_TIME_LIMIT_SECONDS)"
                )
            if now >= next_beat and self._open:
                next_beat = now + self._settings.heartbeat_seconds
                for claim in self._beat():
                    yield claim, CancelledError()

    def _beat(self) -> list[Claim]:
        """Extend the leases. Those who have lost theirs leave, and those to be cancelled too.

        Returns:
            The latter.
        """
        beats = [(claim, self._progress[member]) for member, claim in self._open.items()]
        try:
            with self._database.begin() as session:
                heard = heartbeats.heartbeat(
                    session, beats, lease_seconds=self._settings.lease_seconds
                )
        except DBAPIError as error:
            # the work goes on: if the database is back before the leases end, nothing is lost
            log.warning("heartbeat of %s runs not stored: %s", len(beats), error.orig)
            return []
        for run_id in sorted(heard.lost):
            log.warning("run %s has lost its lease; leaving it to its new holder", run_id)
        gone = heard.lost | heard.cancelled
        members = [member for member, claim in self._open.items() if claim.run_id in gone]
        left = [self._open.pop(member) for member in members]
        if not self._open:
            self._lent.discard()
        elif members:
            self._lent.trainer.dismiss(members)
        return [claim for claim in left if claim.run_id in heard.cancelled]
