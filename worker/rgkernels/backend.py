"""The kernels as a backend of `rgcore.fleet`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from rgcore.fleet import Member
from rgcore.fleet.lockstep import Lockstep, member_stream
from rgcore.network import ResidualNetwork
from rgkernels.library import Library
from rgkernels.network import NativeNetwork


@dataclass(frozen=True)
class Native:
    """Kernels in C for mixing `context` in float32 on the CPU.

    Attributes:
        kernels: the library.
    """

    kernels: Library
    name: str = "native"

    @property
    def detail(self) -> str:
        """Instructions, source and compiler."""
        return str(self.kernels)

    def refuses(self, members: Sequence[Member]) -> str | None:
        """Why these members are torch's; None if they are not."""
        network = members[0].network
        weight = next(network.parameters())
        if network.arch.mixing != "context":
            return f"mixing {network.arch.mixing}"
        if weight.device.type != "cpu":
            return f"device {weight.device.type}"
        if weight.dtype != torch.float32:
            return str(weight.dtype).replace("torch.", "precision ")
        return None

    def start(self, members: Sequence[Member], seq_len: int) -> Lockstep:
        """The members before their first step.

        Raises:
            MemoryError: there is not enough of it.
        """
        return NativeFleet(self.kernels, members, seq_len)


class NativeFleet(Lockstep):
    """Members that share nothing, each with its own memory; side by side on torch's threads.

    So the numbers of a member depend on nothing but itself and the library.
    """

    def __init__(self, kernels: Library, members: Sequence[Member], seq_len: int) -> None:
        super().__init__(members)
        self._networks = [NativeNetwork(kernels, one.network, one.plan) for one in members]
        self._streams = [member_stream(one, seq_len) for one in members]
        self._rates = [one.plan.lr for one in members]
        threads = min(len(members), torch.get_num_threads())
        self._threads = ThreadPoolExecutor(threads) if threads > 1 else None

    def _advance(self, share: float) -> Tensor:
        step = partial(self._step, share)
        rows = range(len(self._networks))
        losses = self._threads.map(step, rows) if self._threads else map(step, rows)
        return torch.tensor(list(losses), dtype=torch.float32)

    def _step(self, share: float, row: int) -> float:
        return self._networks[row].step(self._streams[row].next(), self._rates[row] * share)

    def _keep(self, rows: Sequence[int]) -> None:
        self._networks = [self._networks[row] for row in rows]
        self._streams = [self._streams[row] for row in rows]
        self._rates = [self._rates[row] for row in rows]

    def _write(self, row: int, network: ResidualNetwork) -> None:
        self._networks[row].write(network)
