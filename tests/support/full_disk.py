"""`python -m full_disk BYTES STATEMENT`: run a statement where no file may grow beyond so much.

The kernel refuses the write in its midst, as that of a full disk.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

REFUSED = 3
"""Exit status: the statement met the limit."""


def leaves_alone(statement: str, *paths: Path, limit_bytes: int = 16) -> None:
    """Assert that a statement that meets the limit leaves files as they are, and nothing else."""
    before = {path: path.read_bytes() for path in paths}
    names = [sorted(path.parent.iterdir()) for path in paths]
    command = [sys.executable, __file__, str(limit_bytes), statement]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == REFUSED, ran.stderr
    assert {path: path.read_bytes() for path in paths} == before
    assert [sorted(path.parent.iterdir()) for path in paths] == names


def _run(limit_bytes: int, statement: str) -> None:
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an OSError, not the end
    setup, _, call = statement.rpartition("; ")
    names: dict[str, object] = {}
    exec(setup, names)  # what it needs is read and made before the disk is full
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    try:
        exec(call, names)
    except OSError:
        sys.exit(REFUSED)


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2])
