"""Which libraries are loaded, and what is said of those that are not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rgkernels import UnusableError
from rgkernels.cache import cached_library
from rgkernels.compiler import Compiler, found_compiler
from rgkernels.instructions import usable
from rgkernels.library import digest_of, load

NARROWEST = usable()[-1]


@pytest.fixture
def build(compiler: Any, tmp_path: Path) -> Any:
    """Builds a small library, as the cache names it."""

    def make(*more: str, code: str | None = None) -> Path:
        new = tmp_path / "new.so"
        if code is None:
            compiler.build(NARROWEST, new, ["-O0", *more])
        else:
            command = [*compiler.command, "-shared", "-fPIC", "-x", "c", "-o", str(new), "-"]
            subprocess.run(command, input=code, text=True, check=True)
        return new.replace(tmp_path / f"x-{digest_of(new.read_bytes())}.so")

    return make


def refusal(path: Path) -> str:
    with pytest.raises(UnusableError) as refused:
        load(path)
    return str(refused.value)


def about(text: str) -> str:
    """Source of a library that says this of itself."""
    return f'const char rg_about[] = "{text}";'


def test_one_of_this_source_is_loaded(build: Any) -> None:
    assert load(build()).instructions == NARROWEST.name


@pytest.mark.parametrize("left", [0, 100, 0.5, -1])
def test_one_that_was_cut_is_refused_before_it_is_loaded(left: Any, build: Any) -> None:
    path = build()
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content)) if isinstance(left, float) else left])
    assert refusal(path) == f"{path} was cut or changed after it was built; delete it"


def test_one_of_another_source_is_refused(build: Any) -> None:
    assert "was built from source 0123abcd" in refusal(
        build(code=about(f"rgkernels 0123abcd {NARROWEST.name} 1"))
    )


def test_one_for_instructions_that_are_not_here_is_refused(build: Any, native: Any) -> None:
    source = native.kernels.source
    other = refusal(build(code=about(f"rgkernels {source} altivec 1")))
    assert "is for altivec and this" in other
    assert NARROWEST.name in other


@pytest.mark.parametrize("code", ["int x;", about(""), about("some other words here")])
def test_one_of_somebody_else_is_refused(code: str, build: Any) -> None:
    assert "is no library of these kernels" in refusal(build(code=code))


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"x-{digest_of(b'text')}.so"
    path.write_bytes(b"text")
    assert "is no library of these kernels" in refusal(path)
    assert "cannot be read" in refusal(tmp_path / "none.so")


def test_processes_that_start_at_once_build_once(compiler: Any, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from rgkernels.cache import cached_library;"
        "print(cached_library(Path(sys.argv[1])))"
    )
    counting = tmp_path / "cc"
    counting.write_text(
        f'#!/bin/sh\necho "$1" >> {tmp_path}/calls\nexec {compiler.command[0]} "$@"\n'
    )
    counting.chmod(0o755)
    command = [sys.executable, "-c", script, str(tmp_path / "here")]
    environment = {**os.environ, "CC": str(counting)}
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    said = {one.communicate()[0] for one in started}
    assert said == {f"{cached_library()}\n"}
    calls = (tmp_path / "calls").read_text().split()
    assert len([call for call in calls if call != "--version"]) == 1


def test_a_library_is_kept_for_its_owner_alone(compiler: Any, tmp_path: Path) -> None:
    cached_library(tmp_path / "here", NARROWEST)
    assert stat.S_IMODE((tmp_path / "here").stat().st_mode) == 0o700


def test_a_directory_that_others_write_to_is_not_used(compiler: Any, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(UnusableError, match="others may write there"):
        cached_library(tmp_path)


def test_where_nothing_can_be_kept_it_says_so(compiler: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnusableError, match=r"no library can be kept in .*: Not a directory"):
        cached_library(tmp_path / "file" / "here")


def test_without_a_compiler_it_says_how_to_get_one(monkeypatch: Any) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(UnusableError, match=r"install gcc or clang, or .pip install"):
        found_compiler()


def test_a_compiler_that_fails_is_quoted(tmp_path: Path, compiler: Any) -> None:
    other = replace(NARROWEST, flags=("-no-such-flag",))
    with pytest.raises(UnusableError, match=r"does not compile the kernels: .*error"):
        compiler.build(other, tmp_path / "x.so")
    with pytest.raises(UnusableError, match=r"does not compile the kernels: .*No such file"):
        Compiler(("/no/such/compiler",), "").build(NARROWEST, tmp_path / "x.so")


@pytest.mark.parametrize(
    ("machine", "capability", "names"),
    [
        ("x86_64", "AVX512", ["avx512", "avx2", "sse2"]),
        ("x86_64", "AVX2", ["avx2", "sse2"]),
        ("x86_64", "DEFAULT", ["sse2"]),
        ("x86_64", "a word of a newer torch", ["sse2"]),
        ("aarch64", "SVE256", ["neon"]),
        ("arm64", "DEFAULT", ["neon"]),
        ("ppc64le", "VSX", []),
    ],
)
def test_the_widest_instructions_that_a_processor_has_come_first(
    machine: str, capability: str, names: list[str]
) -> None:
    assert [one.name for one in usable(machine, capability)] == names
