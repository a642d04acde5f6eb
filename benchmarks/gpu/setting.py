"""What every stage is told, and the arithmetic that all of them compute in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch

from benchmarks.timing import Contender
from rgcore.fleet.graph import Recorder, record_on_cuda

CPU = torch.device("cpu")
NOT_HERE = "not on this device"


@dataclass(frozen=True)
class Setting:
    """What a stage is told.

    Attributes:
        device: that is tried.
        toy: whether all sizes are as small as can be.
        seconds: that it may take; it is killed some time after.
        begun: by `time.monotonic`.
    """

    device: torch.device
    toy: bool
    seconds: float
    begun: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.seconds - (time.monotonic() - self.begun)

    @property
    def recorder(self) -> Recorder | None:
        """How a step is recorded on the device; None where it cannot be."""
        if self.device.type != "cuda":
            return None
        return partial(record_on_cuda, self.device)

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def timed(self, work: Callable[[], object], *, units: float = 1.0) -> Contender:
        """Seconds per unit of work that is worth so many, until the device is done with it."""

        def once() -> float:
            self.wait()
            begin = time.perf_counter()
            work()
            self.wait()
            return (time.perf_counter() - begin) / units

        return once


def compute_as_a_trainer_does() -> None:
    """One thread on the CPU, denormals flushed, float32 products without TF32."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
