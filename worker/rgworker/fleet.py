"""A job as its trainer sees it through: every member is measured by itself, all train together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol

import torch

from rgcore.fleet import Backend, Member, train_fleet
from rgcore.training import DivergedError, Progress, TrainingTrace
from rgstore.stored_specs import UnreadableSpecError, loaded_spec
from rgworker import subnormals
from rgworker.backends import Backends
from rgworker.protocol import Broken, End, Event, Finished, Job, Left, Unread
from rgworker.reporter import Reporter
from rgworker.run import MeasuredRun

log = logging.getLogger(__name__)

GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""The worker is gone: nobody wants to know how it ends."""
OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)


class Training(Protocol):
    """Trains the members of a fleet in place, as `rgcore.fleet.train_fleet` does."""

    def __call__(
        self,
        members: Sequence[Member],
        *,
        seq_len: int,
        on_progress: Callable[[int, Progress], None],
        on_stop: Callable[[int, int], None],
        leaving: Callable[[], Collection[int]],
        backend: Backend | None,
    ) -> list[TrainingTrace | DivergedError | None]:
        """See there."""


def still_computes(device: torch.device) -> None:
    """Ask a device whether it can go on after an error.

    Some errors of a GPU leave a process unable to compute anything more: what failed then says
    nothing of the run, and every later run would fail in the same way.

    Raises:
        RuntimeError: it cannot.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Fleet:
    """The members of one job. Each ends with one word: finished, broken, unread, or left.

    Args:
        job: what is asked for.
        device: where it computes.
        tell: takes events to the worker.
        asked_to_leave: members that the worker wants dropped, so far; never waits.
        backends: what may train.
        training: who trains.
        check: raises where the device cannot go on; whoever runs the trainer is to end it then, and
            its runs are tried again in another.
    """

    def __init__(
        self,
        job: Job,
        device: torch.device,
        *,
        tell: Callable[[Event], None],
        asked_to_leave: Callable[[], Collection[int]],
        backends: Backends | None = None,
        training: Training = train_fleet,
        check: Callable[[torch.device], None] = still_computes,
    ) -> None:
        self._job, self._device, self._tell = job, device, tell
        self._asked_to_leave, self._training, self._check = asked_to_leave, training, check
        self._backends = backends or Backends()
        self._reporter = Reporter(tell)
        self._runs: dict[int, MeasuredRun] = {}
        self._ended: set[int] = set()

    def see_through(self) -> None:
        """Until every member has ended."""
        for member in range(len(self._job.members)):
            self._begin(member)
        waiting = list(self._runs)
        size = len(waiting)
        while waiting:
            batch, waiting = waiting[:size], waiting[size:]
            smaller = self._train(batch)
            if smaller is None:
                continue
            size = smaller
            again = [member for member in batch if member not in self._ended]
            self._restart(again)
            waiting = again + waiting

    def _begin(self, member: int) -> None:
        """Measure it before it is trained; one whose weights are stored is then finished."""
        if member in self._leaving():
            return
        task = self._job.members[member]
        try:
            with subnormals.kept():
                spec = loaded_spec(task.spec, [task.seed]).of_draw(task.chain_seed)
            run = MeasuredRun(spec, task.seed, self._device, self._reporter.of(member))
            run.begin()
            if task.training is None:
                self._runs[member] = run
            else:
                self._end(Finished(member, run.restore(task.training)))
        except GONE:
            raise
        except UnreadableSpecError as error:
            self._end(Unread(member, str(error)))
        except Exception as error:
            self._end(_broken(member, error))

    def _train(self, batch: list[int]) -> int | None:
        """Train some members together; how many to try with if that did not go, or None."""
        here = [member for member in batch if member not in self._leaving()]
        if not here:
            return None
        runs = [self._runs[member] for member in here]
        started, measured = time.monotonic(), _seconds(runs)
        try:
            members = [run.member() for run in runs]
            chosen = self._backends.choose(members)
            for run in runs:
                run.backend = chosen.words
            ends = self._training(
                members,
                seq_len=runs[0].seq_len,
                on_progress=lambda index, progress: runs[index].advanced(progress),
                on_stop=lambda index, step: self._look(here[index], step),
                leaving=lambda: self._places(here),
                backend=chosen.backend,
            )
        except GONE:
            raise
        except Exception as error:
            if len(here) == 1:
                self._end(_broken(here[0], error))
                return None
            # A fault of one must not take the others along: by itself, it fails alone.
            smaller = len(here) // 2 if isinstance(error, OUT_OF_MEMORY) else 1
            log.warning("a fleet of %s: %r; going on with %s", len(here), error, smaller)
            return smaller
        part = (time.monotonic() - started - (_seconds(runs) - measured)) / len(runs)
        for member, run, end in zip(here, runs, ends, strict=True):
            run.seconds += part
            run.fleet = len(runs)
            self._finish(member, run, end)
        return None

    def _look(self, member: int, step: int) -> None:
        if member in self._leaving():
            return
        try:
            self._runs[member].look(step)
        except (*GONE, *OUT_OF_MEMORY):
            raise
        except Exception as error:
            self._end(_broken(member, error))

    def _finish(
        self, member: int, run: MeasuredRun, end: TrainingTrace | DivergedError | None
    ) -> None:
        if member in self._leaving():
            return
        try:
            match end:
                case TrainingTrace():
                    self._end(Finished(member, run.trained(end)))
                case DivergedError():
                    self._end(_broken(member, end))
        except GONE:
            raise
        except Exception as error:
            self._end(_broken(member, error))

    def _restart(self, members: Collection[int]) -> None:
        for member in members:
            self._runs[member].restart()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _leaving(self) -> Collection[int]:
        """Members that have ended: those that were asked to leave end here."""
        for member in sorted({*self._asked_to_leave()} - self._ended):
            self._end(Left(member))
        return self._ended

    def _places(self, batch: list[int]) -> list[int]:
        ended = self._leaving()
        return [index for index, member in enumerate(batch) if member in ended]

    def _end(self, end: End) -> None:
        if isinstance(end, Broken):
            self._check(self._device)
        self._ended.add(end.member)
        self._runs.pop(end.member, None)
        self._reporter.drop(end.member)
        self._tell(end)


def _seconds(runs: Sequence[MeasuredRun]) -> float:
    return sum(run.seconds for run in runs)


def _broken(member: int, error: Exception) -> Broken:
    broken = Broken.by(member, error, may_pass=isinstance(error, OUT_OF_MEMORY))
    if isinstance(error, OUT_OF_MEMORY):
        return replace(broken, error=f"out of memory: {error}")
    if isinstance(error, DivergedError):
        return replace(broken, error=f"{error}; try a smaller training.lr, or a norm")
    return broken
