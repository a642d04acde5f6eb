"""A trainer as its worker sees it: start, give a job, listen, kill."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from rgstore.records import TORCH
from rgworker.protocol import Event, Job, Leave, Ready
from rgworker.wire import UnreadableMessageError, Wire

START_SECONDS = 120.0  # a cold import of torch on a busy machine
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What keeps the libraries of a process on one thread, set before it starts."""
SECRETS = {"RGLAB_DATABASE_URL", "RGLAB_BROKER_URL", "RGLAB_TOKEN", "PGPASSWORD"}
"""Not for a trainer, which reads no database and asks no server."""


class TrainerDiedError(RuntimeError):
    """The training process ended by itself; the message says how."""


class Trainer:
    """One child process; used by one thread at a time."""

    def __init__(
        self, device: str, backend: str = TORCH, *, start_seconds: float = START_SECONDS
    ) -> None:
        """Start the process and wait until it is ready.

        Raises:
            TrainerDiedError: it ended, or was not ready in time.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "rgworker.trainer", str(theirs.fileno()), device, backend],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**_without_secrets(), **dict.fromkeys(ONE_THREAD, "1")},
            )
        self._wire = Wire(ours.detach())
        event = self.listen(start_seconds)
        if not isinstance(event, Ready):
            self.kill()
            raise TrainerDiedError(f"the training process was not ready in {start_seconds:g} s")
        self.ready = event

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def start(self, job: Job) -> None:
        """Give it runs to measure.

        Raises:
            TrainerDiedError: it has ended.
        """
        self._send(job)

    def dismiss(self, members: Collection[int]) -> None:
        """Have it drop members of its job, soon.

        Raises:
            TrainerDiedError: it has ended.
        """
        self._send(Leave(frozenset(members)))

    def _send(self, message: Job | Leave) -> None:
        try:
            self._wire.send(message)
        except OSError as error:
            raise self._death() from error

    def listen(self, seconds: float) -> Event | None:
        """Its next message, or None if there is none within so many seconds.

        Raises:
            TrainerDiedError: it has ended.
        """
        try:
            if not self._wire.poll(seconds):
                return None
            event: Event = self._wire.receive()
        except (EOFError, OSError) as error:
            raise self._death() from error
        except UnreadableMessageError as error:
            self._process.kill()
            raise TrainerDiedError(f"the training process was ended: it said {error}") from error
        return event

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._wire.close()

    def _death(self) -> TrainerDiedError:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code >= 0:
            return TrainerDiedError(f"the training process ended with exit code {code}")
        name = signal.Signals(-code).name
        hint = " (out of memory?)" if -code == signal.SIGKILL else ""
        return TrainerDiedError(f"the training process was ended by {name}{hint}")


def _without_secrets() -> dict[str, str]:
    """Our environment, but for what a trainer has no use of: it asks no database and no broker."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


class Lent:
    """A trainer that is lent out of a pool."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.discarded = False

    def discard(self) -> None:
        """End it now; the pool will start another one when it needs one."""
        self.discarded = True
        self.trainer.kill()


class TrainerPool:
    """Warm trainers, handed out one at a time."""

    def __init__(self, device: str, backend: str = TORCH) -> None:
        """Start nothing yet: trainers start when they are first needed."""
        self._device, self._backend = device, backend
        self._idle: queue.LifoQueue[Trainer] = queue.LifoQueue()

    @property
    def warm(self) -> int:
        """Trainers that are ready and lent to nobody."""
        return self._idle.qsize()

    @contextmanager
    def trainer(self) -> Iterator[Lent]:
        """A trainer; it goes back to the pool unless it is discarded or the block raises.

        Raises:
            TrainerDiedError: none could be started.
        """
        lent = Lent(self._warm() or Trainer(self._device, self._backend))
        try:
            yield lent
        except BaseException:
            lent.discard()
            raise
        if not lent.discarded:
            self._idle.put(lent.trainer)

    def _warm(self) -> Trainer | None:
        """An idle trainer that still lives; one that died idle must not cost a run an attempt."""
        while True:
            try:
                trainer = self._idle.get_nowait()
            except queue.Empty:
                return None
            if trainer.alive:
                return trainer
            trainer.kill()

    def close(self) -> None:
        """End every idle trainer."""
        while True:
            try:
                self._idle.get_nowait().kill()
            except queue.Empty:
                return
