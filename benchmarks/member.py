"""A peer in a process of its own: trains what it is told, on one thread, and stays warm."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import torch

from benchmarks.peer_loops import masked_loop
from benchmarks.peer_network import PeerNetwork
from benchmarks.shapes import SHAPES

Order = tuple[str, int, int]
"""Name of the shape, steps, seed."""


class Member:
    """A process that trains PyTorch's masked loop; ends with its `with` block."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share OpenMP's threads
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def train(self, order: Order) -> list[float]:
        """The losses of a training, once it has ended.

        Raises:
            EOFError: the process has died.
        """
        self._connection.send(order)
        losses: list[float] = self._connection.recv()
        return losses

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.join(5)
        self._process.kill()


def _serve(connection: Connection) -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    while True:
        try:
            shape, steps, seed = connection.recv()
        except EOFError:
            return
        problem = SHAPES[shape].problem(steps)
        connection.send(masked_loop(PeerNetwork(problem.network(seed)), problem, seed))
