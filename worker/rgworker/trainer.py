"""The process that trains: started by a worker, fed jobs over a pipe, killed at will.

It keeps torch warm from run to run, since importing torch costs seconds and small runs last
seconds. It computes on one thread, so that a run's numbers do not depend on the number of cores
and so that several trainers share a machine evenly.
"""

from __future__ import annotations

import platform
import signal
import sys
import time
import traceback
from importlib.metadata import version
from multiprocessing.connection import Connection
from typing import Any

from rgstore.leases import TrainingProgress
from rgworker.protocol import Broken, Finished, Job, Ready

REPORT_SECONDS = 0.2


def main(descriptor: int, wanted_device: str) -> None:
    """Serve jobs on the connection with this file descriptor until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which then stops us
    import torch  # noqa: PLC0415 - here, so that the worker itself never loads it

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    device = _device(wanted_device)
    with Connection(descriptor) as connection:
        connection.send(Ready(_device_name(device), _versions(), _calibration()))
        while True:
            try:
                job = connection.recv()
                connection.send(_measure(job, device, connection))
            except (EOFError, BrokenPipeError, ConnectionResetError):
                return  # the worker is gone


def _measure(job: Job, device: Any, connection: Connection) -> Finished | Broken:
    import torch  # noqa: PLC0415

    from rgcore.training import DivergedError  # noqa: PLC0415
    from rgstore.submissions import loaded_spec  # noqa: PLC0415
    from rgworker.run import run  # noqa: PLC0415

    last_report = 0.0

    def report(progress: TrainingProgress) -> None:
        nonlocal last_report
        if time.monotonic() - last_report >= REPORT_SECONDS:
            last_report = time.monotonic()
            connection.send(progress)

    try:
        spec = loaded_spec(job.spec, [job.seed]).of_draw(job.chain_seed)
        return Finished(run(spec, job.seed, stored=job.training, device=device, report=report))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        return Broken(f"out of memory: {error}", traceback.format_exc(), may_pass=True)
    except DivergedError as error:
        hint = "; try a smaller training.lr, or a norm"
        return Broken(f"{error}{hint}", traceback.format_exc(), may_pass=False)
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        return Broken(cause, traceback.format_exc(), may_pass=False)


def _device(wanted: str) -> Any:
    import torch  # noqa: PLC0415

    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wanted)


def _device_name(device: Any) -> str:
    import torch  # noqa: PLC0415

    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"cpu: {platform.machine()}"


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("rglab", "torch", "numpy", "scipy")}
    return {**found, "python": platform.python_version()}


def _calibration() -> dict[str, bool]:
    """Whether this process, with its libraries, measures known answers within tolerance."""
    from rgcore.calibration import calibrate  # noqa: PLC0415

    return {check.name: check.passed for check in calibrate()}


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
