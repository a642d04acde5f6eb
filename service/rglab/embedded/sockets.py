"""Where embedded servers listen: on a Unix socket in their own directory, if its path is short."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

MAX_PATH_BYTES = 100  # the kernel's limit is 108, 104 on macOS
SHORT = Path("/tmp")  # noqa: S108 - not TMPDIR, which is not the same in every shell


def socket_directory(directory: Path, name: str) -> Path:
    """Where a server with this data directory has its socket `name`. Makes nothing."""
    directory = directory.resolve()
    path = os.fsencode(directory / name)
    if len(path) <= MAX_PATH_BYTES and b"," not in path:  # at a comma drivers split a list of hosts
        return directory
    return SHORT / f"rglab-{hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]}"


def make_private(directory: Path, uid: int, gid: int) -> None:
    """Make a directory under `SHORT` that only this user can enter.

    Raises:
        OSError: somebody else has made it: what listens there could be theirs.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if found.st_uid not in {uid, os.geteuid()} or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{directory} belongs to somebody else")
    os.chown(directory, uid, gid)
    directory.chmod(0o700)
