"""Files that are there whole or not at all: written beside their place, then put into it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: str | PathLike[str], *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` when all is written and on the disk.

    If anything fails, a full disk or the writer itself, what was at `path` stays as it was, and
    nothing is left beside it. A link stays a link, and what it points to is replaced; permissions
    stay. What is no regular file, such as `/dev/stdout` or a pipe, is written to directly.

    Args:
        path: in a directory that exists.
        private: for this user only, whatever the permissions were.

    Raises:
        OSError: it cannot be written; `path` is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        there = target.stat()
    except FileNotFoundError:
        mode = None
    else:
        if stat.S_ISDIR(there.st_mode):
            raise IsADirectoryError(f"{target} is a directory; name a file in it")
        if not stat.S_ISREG(there.st_mode):
            with target.open("wb") as file:
                yield file
            return
        if not os.access(target, os.W_OK):
            raise PermissionError(f"{target} is read-only")
        mode = stat.S_IMODE(there.st_mode)
    # a short name without the target's: that may be as long as a name can be
    beside = target.parent / f".{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:  # as `open` makes files, or for nobody else until the permissions are known
        handle = os.open(beside, flags, 0o666 if mode is None and not private else 0o600)
    except OSError as error:
        error.filename = str(path)  # no such directory, or no permission to write in it
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None and not private:
                beside.chmod(mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        raise
    _settle(target.parent)


def write_bytes(path: str | PathLike[str], content: bytes, *, private: bool = False) -> Path:
    """Replace a file by these bytes, as `replacing` does."""
    with replacing(path, private=private) as file:
        file.write(content)
    return Path(path)


def write_text(path: str | PathLike[str], content: str, *, private: bool = False) -> Path:
    """Replace a file by this text in UTF-8, as `replacing` does."""
    return write_bytes(path, content.encode(), private=private)


def _settle(directory: Path) -> None:
    """Put the new name on the disk too, where directories can be synchronised."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
