"""The process that trains: started by a worker, fed jobs over a pipe, killed at will.

It keeps torch warm from job to job, since importing torch costs seconds and small runs last
seconds.
"""

from __future__ import annotations

import platform
import signal
import sys
from collections.abc import Collection
from importlib.metadata import version
from typing import Any

from rgstore.logs import log_to_stderr
from rgworker.memory import free_bytes
from rgworker.protocol import Job, Leave, Ready
from rgworker.wire import Wire


def main(descriptor: int, wanted_device: str, wanted_backend: str) -> None:
    """Serve jobs on the connection with this file descriptor until it closes."""
    log_to_stderr()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which then stops us
    # they load torch, which a worker never does
    from rgworker import arithmetic, subnormals  # noqa: PLC0415
    from rgworker.backends import Backends  # noqa: PLC0415
    from rgworker.fleet import GONE  # noqa: PLC0415 - it does, too

    arithmetic.settle()
    backends = Backends.of(wanted_backend)
    device = chosen_device(wanted_device)
    with Wire(descriptor, subnormals.kept) as wire:
        try:
            wire.send(_ready(device, backends))
            while True:
                message = wire.receive()
                if isinstance(message, Job):  # who leaves a job that is over has left already
                    _see_through(message, device, backends, wire)
        except GONE:
            return


def _see_through(job: Job, device: Any, backends: Any, wire: Wire) -> None:
    from rgworker.fleet import Fleet  # noqa: PLC0415

    left: set[int] = set()

    def asked_to_leave() -> Collection[int]:
        while wire.poll():
            message: Leave = wire.receive()
            left.update(message.members)
        return left

    Fleet(
        job, device, tell=wire.send, asked_to_leave=asked_to_leave, backends=backends
    ).see_through()


def _ready(device: Any, backends: Any) -> Ready:
    calibration = _calibration(
        device
    )  # first: a GPU then has its context, and free memory is what is
    return Ready(
        device=_device_name(device),
        kind=device.type,
        memory=_free_bytes(device),
        versions={**_versions(), "backend": backends.words},
        calibration=calibration,
    )


def chosen_device(wanted: str) -> Any:
    """The `torch.device` of a setting: `auto` is the GPU where there is one."""
    import torch  # noqa: PLC0415

    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wanted)


def _device_name(device: Any) -> str:
    import torch  # noqa: PLC0415

    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"cpu: {platform.machine()}"


def _free_bytes(device: Any) -> int:
    import torch  # noqa: PLC0415

    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    return free_bytes()


def _versions() -> dict[str, str]:
    from rgworker.arithmetic import float32  # noqa: PLC0415

    found = {name: version(name) for name in ("rglab", "torch", "numpy", "scipy")}
    return {**found, "python": platform.python_version(), "float32": float32()}


def _calibration(device: Any) -> dict[str, bool]:
    """Whether this process, with its libraries and device, measures known answers rightly."""
    from rgcore.calibration import calibrate  # noqa: PLC0415

    return {check.name: check.passed for check in calibrate(device)}


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
