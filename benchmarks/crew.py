"""Processes of one kind that work side by side and stay warm from one order to the next."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeVar

import torch

from benchmarks.race import RefusedError

T = TypeVar("T")

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_JAX_ON_ONE_THREAD = {
    "NPROC": "1",
    "PJRT_NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}


class Crew:
    """So many processes with so many threads each; they end with the `with` block."""

    def __init__(self, size: int, *, threads: int) -> None:
        self.size, self.threads = size, threads
        env = dict.fromkeys(_THREADS, str(threads))
        if threads == 1:
            env |= _JAX_ON_ONE_THREAD
        context = multiprocessing.get_context("spawn")  # a fork would share OpenMP's threads
        self._connections: list[Connection] = []
        self._processes = []
        with _environment(env):
            for _ in range(size):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs,), daemon=True)
                process.start()
                theirs.close()
                self._connections.append(ours)
                self._processes.append(process)

    def map(self, work: Callable[..., T], orders: Sequence[tuple[Any, ...]]) -> list[T]:
        """What `work` returns for each order, all at once: at most one for each process.

        Args:
            work: a function of a module.
            orders: its arguments.

        Raises:
            RefusedError: it raised, in at least one of them.
            EOFError: a process has died.
        """
        chosen = self._connections[: len(orders)]
        for connection, order in zip(chosen, orders, strict=True):
            connection.send((work, order))
        answers = [connection.recv() for connection in chosen]
        for answer in answers:
            if isinstance(answer, RefusedError):
                raise answer
        return answers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection, process in zip(self._connections, self._processes, strict=True):
            connection.close()
            process.join(5)
            process.kill()


class Crews:
    """The crews of a session by what runs in them, started when they are first needed."""

    def __init__(self, cores: int, stack: ExitStack) -> None:
        self.cores = cores
        self._stack = stack
        self._known: dict[tuple[str, int], Crew] = {}

    def single(self, kind: str) -> Crew:
        """A process per core with one thread each.

        Args:
            kind: libraries of different kinds do not meet in one process.
        """
        return self._crew(kind, self.cores, 1)

    def wide(self, kind: str) -> Crew:
        """One process with a thread per core."""
        return self._crew(kind, 1, self.cores)

    def _crew(self, kind: str, size: int, threads: int) -> Crew:
        known = (kind, size if threads == 1 else -threads)
        if known not in self._known:
            self._known[known] = self._stack.enter_context(Crew(size, threads=threads))
        return self._known[known]


@contextmanager
def crews(cores: int | None = None) -> Iterator[Crews]:
    """Crews that use so many cores, by default all."""
    with ExitStack() as stack:
        yield Crews(cores or os.cpu_count() or 1, stack)


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """What processes that start meanwhile inherit: libraries read it when they are imported."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _serve(connection: Connection) -> None:
    torch.set_flush_denormal(True)  # as trainers do
    while True:
        try:
            work, order = connection.recv()
        except EOFError:
            return
        try:
            connection.send(work(*order))
        except RefusedError as error:
            connection.send(error)
        except Exception as error:
            connection.send(RefusedError(f"{type(error).__name__}: {error}"))
