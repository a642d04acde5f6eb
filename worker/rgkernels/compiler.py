"""The C compiler of this machine, and what it makes of the kernels' source."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from rgkernels.errors import UnusableError
from rgkernels.instructions import Instructions

SOURCE = Path(__file__).parent / "source"
FLAGS = (
    "-std=gnu11",
    "-O3",
    "-ffp-contract=fast",  # a * b + c in one instruction, also by compilers that must be told
    "-fno-math-errno",  # a root is one instruction
    "-fno-trapping-math",
    "-Wno-psabi",
    "-shared",
    "-fPIC",
)
NAMES = ("cc", "gcc", "clang")
MOST_SECONDS = 300
"""Far more than a build takes (two to five seconds): bounds one that hangs."""


@cache
def source_digest() -> str:
    """What names the source: it changes with every character of it."""
    digest = sha256()
    for path in sorted(SOURCE.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Compiler:
    """A C compiler.

    Attributes:
        command: what runs it.
        version: the first line that it says of itself.
    """

    command: tuple[str, ...]
    version: str

    def build(self, instructions: Instructions, out: Path, more: Sequence[str] = ()) -> None:
        """Write a shared library.

        Raises:
            UnusableError: the compiler fails; with the first line of what it says.
        """
        command = [*self.command, *self.flags(instructions), *more]
        command += ["-o", str(out), str(SOURCE / "kernel.c"), "-lm"]
        try:
            ran = subprocess.run(  # noqa: S603 - the compiler of whoever runs us
                command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnusableError(
                f"{self.command[0]} does not compile the kernels: {error}"
            ) from None
        if ran.returncode:
            said = [line for line in ran.stderr.splitlines() if "error" in line] or [
                "no reason said"
            ]
            raise UnusableError(
                f"{self.command[0]} does not compile the kernels: {said[0].strip()}"
            )

    def flags(self, instructions: Instructions) -> tuple[str, ...]:
        """All that decides what comes out, but for the compiler and the source."""
        return (
            *FLAGS,
            *instructions.flags,
            f"-DLANES={instructions.lanes}",
            f"-DRG_SOURCE={source_digest()}",
            f"-DRG_INSTRUCTIONS={instructions.name}",
        )


def found_compiler() -> Compiler:
    """The compiler that `CC` names, else the first of `cc`, `gcc`, `clang`, and zig out of a wheel.

    Raises:
        UnusableError: there is none.
    """
    for command in _commands():
        if (version := _version(command)) is not None:
            return Compiler(command, version)
    named = os.environ.get("CC")
    missing = f"CC={named} does not run" if named else "no C compiler is found"
    raise UnusableError(f"{missing}; install gcc or clang, or `pip install 'rglab[kernels]'`")


def _commands() -> list[tuple[str, ...]]:
    if named := shlex.split(os.environ.get("CC", "")):
        return [tuple(named)]
    found: list[tuple[str, ...]] = [(path,) for name in NAMES if (path := shutil.which(name))]
    if importlib.util.find_spec("ziglang"):
        # by itself zig compiles for the processor that it runs on
        found.append((sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline"))
    return found


def _version(command: Sequence[str]) -> str | None:
    try:
        ran = subprocess.run(  # noqa: S603 - the compiler of whoever runs us
            [*command, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.splitlines()[0].strip() if ran.returncode == 0 and ran.stdout else None
