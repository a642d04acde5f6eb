"""Libraries that were built here before, by what they were built of."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path

from rgkernels.compiler import Compiler, found_compiler
from rgkernels.errors import UnusableError
from rgkernels.instructions import Instructions, usable
from rgkernels.library import Library, digest_of, load


def cached_library(
    directory: Path | None = None, instructions: Instructions | None = None
) -> Library:
    """The library of this source for this machine, built if it is not there.

    Its name has two digests: of the compiler, its flags and the source, and of its own content.
    Whoever builds writes beside it and renames, under a lock, so that processes that start at once
    build once and never read half a file.

    Args:
        directory: where libraries are kept; by default the user's cache.
        instructions: by default the widest of this machine.

    Raises:
        UnusableError: none can be built, or the one that is there may not be loaded.
    """
    directory = directory or user_cache_path("rglab") / "kernels"
    machine = usable()
    if not machine:
        raise UnusableError("the kernels know no instructions of this processor")
    compiler = found_compiler()
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = directory.stat()
        if about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UnusableError(f"no library is loaded from {directory}: others may write there")
        with _locked(directory):
            return load(_built(directory, compiler, instructions or machine[0]))
    except OSError as error:
        raise UnusableError(f"no library can be kept in {directory}: {error.strerror}") from None


def _built(directory: Path, compiler: Compiler, instructions: Instructions) -> Path:
    of = "\0".join((compiler.version, *compiler.command, *compiler.flags(instructions)))
    key = f"{instructions.name}-{sha256(of.encode()).hexdigest()[:16]}"
    for path in sorted(directory.glob(f"{key}-*.so")):
        return path
    with tempfile.TemporaryDirectory(dir=directory) as beside:
        new = Path(beside) / "new.so"
        compiler.build(instructions, new)
        return new.replace(directory / f"{key}-{digest_of(new.read_bytes())}.so")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Until the end only this process builds; the lock of one that is killed is free again."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
