"""What compilers make of the source: no wide registers where none may be, nothing out of bounds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rgkernels.instructions import INSTRUCTIONS, usable

WIDE = {"sse2": r"%[yz]mm|%k[0-7]|\bv[a-z]+p[sd]\b", "avx2": r"%zmm|%k[0-7]"}
SANITIZED = "-fsanitize=address,undefined -fno-sanitize-recover=all -g -O1"


@pytest.mark.parametrize("name", WIDE)
def test_it_has_no_instructions_that_its_processors_lack(
    name: str, compiler: Any, tmp_path: Path
) -> None:
    if name not in [one.name for one in usable()]:
        pytest.skip(f"this machine has no {name}")
    if shutil.which("objdump") is None:
        pytest.skip("there is no objdump to take a library apart")
    instructions = next(one for one in INSTRUCTIONS if one.name == name)
    compiler.build(instructions, tmp_path / "x.so")
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", str(tmp_path / "x.so")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "rg_step" in listing
    assert re.search(r"%xmm", listing)
    assert not re.search(WIDE[name], listing)


@pytest.mark.slow
@pytest.mark.timeout(900)  # every access costs several times as much
def test_its_tests_hold_where_every_access_and_overflow_is_watched(
    compiler: Any, tmp_path: Path
) -> None:
    watcher = _sanitizer(compiler, tmp_path)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("tests/kernels/test_gradient.py", "tests/kernels/test_training.py"),
            *("-k", "vector or sgd"),
        ],
        env={
            **os.environ,
            "CC": f"{compiler.command[0]} {SANITIZED}",
            "XDG_CACHE_HOME": str(tmp_path),
            "LD_PRELOAD": watcher,
            "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert list(tmp_path.glob("rglab/kernels/*.so"))


def _sanitizer(compiler: Any, tmp_path: Path) -> str:
    """The library that must be loaded before any that is watched."""
    found = subprocess.run(
        [*compiler.command, "-print-file-name=libasan.so"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    tried = subprocess.run(
        [*compiler.command, *SANITIZED.split(), "-x", "c", "-", "-o", str(tmp_path / "x")],
        input="int main(void) { return 0; }",
        text=True,
        check=False,
    )
    if tried.returncode or not Path(found).is_absolute():
        pytest.skip(f"{compiler.version} watches no accesses")
    return found
