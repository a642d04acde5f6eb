"""What libraries and formats do that one would not guess: `findings/*.sh`, run and tabulated.

    python scripts/library_findings.py table          # rewrites the table of findings/README.md
    python scripts/library_findings.py run [NAME]     # as `make findings` does

A script runs a released package by itself, on valid input, and fails once the package no longer
does what its header says. Nothing but Python's own library is needed here.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "findings"
HEADER = ("package", "guess", "seen", "here")
"""What the first comments of a script say, in this order, one line each."""
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
COLUMNS = ("package", "one would guess", "what happens", "what RGLab does about it")
LONGEST_S = 900
"""Seconds that a script may take, its downloads included."""
INSTALLING = re.compile(r"-m venv|pip install")
NOT_FOUND = 127
"""Exit status of the shell where a command does not exist: there was no environment to run in."""
NOTING = 'trap \'printf %s "$BASH_COMMAND" >"$NOTE"\' ERR; . "$1"'
"""Runs a script and notes the command that ended it."""


@dataclass(frozen=True)
class Finding:
    """A script, by its header.

    Attributes:
        name: of the file, without its ending.
        package: names and versions, comma-separated: `kombu 5.7.0, celery 5.7.0`.
        guess: what one would expect.
        seen: what happens instead.
        here: what RGLab does about it, and where.
    """

    name: str
    package: str
    guess: str
    seen: str
    here: str


@dataclass(frozen=True)
class Outcome:
    """What became of a script: `ok`, `changed` or `could not install`, and its last words."""

    name: str
    state: str
    seconds: float
    said: str

    def __str__(self) -> str:
        return f"{self.name:<32} {self.state:<18} {self.seconds:5.0f} s  {self.said}".rstrip()


def scripts(folder: Path) -> list[Path]:
    """All scripts, by name."""
    return sorted(folder.glob("*.sh"))


def read(script: Path) -> Finding:
    """The header of a script.

    Raises:
        ValueError: one of its lines is missing, empty or out of place; the message names it.
    """
    lines = script.read_text(encoding="utf-8").splitlines()[1 : 1 + len(HEADER)]
    found: dict[str, str] = {}
    for key, line in zip(HEADER, [*lines, *[""] * len(HEADER)], strict=False):
        start, value = f"# {key}:", line.removeprefix(f"# {key}:").strip()
        if not line.startswith(start) or not value:
            raise ValueError(f"{script.name}: line {2 + len(found)} must be '{start} ...'")
        found[key] = value
    return Finding(script.stem, **found)


def packages(finding: Finding) -> dict[str, str]:
    """Name to version.

    Raises:
        ValueError: the header does not say `NAME VERSION, NAME VERSION`.
    """
    found: dict[str, str] = {}
    for one in finding.package.split(","):
        match = re.fullmatch(r"\s*([\w.-]+) (\d[\w.]*)\s*", one)
        if match is None:
            raise ValueError(
                f"{finding.name}: package {one.strip()!r}; allowed: NAME VERSION, NAME VERSION"
            )
        found[match[1]] = match[2]
    return found


def table(found: Sequence[Finding]) -> str:
    """The findings as Markdown, a row each."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    for one in found:
        cells = (one.package, one.guess, one.seen, one.here)
        first, *rest = (cell.replace("|", "\\|") for cell in cells)
        rows.append((f"[{first}]({one.name}.sh)", *rest))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def filled(page: str, found: Sequence[Finding]) -> str:
    """The page with the table of these findings between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{after}"


def run(script: Path, longest_s: float = LONGEST_S) -> Outcome:
    """Run a script in a temporary folder that goes with it."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="finding-") as folder:
        note = Path(folder) / "note"
        process = subprocess.Popen(  # noqa: S603 - a script of this repository
            ["bash", "-c", NOTING, "bash", str(script.resolve())],  # noqa: S607
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHON": sys.executable, **os.environ, "TMPDIR": folder, "NOTE": str(note)},
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=longest_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # pip and its children with it
            process.communicate()
            state, said = "could not install", f"not done after {longest_s:.0f} s"
        else:
            ended = note.read_text() if note.exists() else ""
            state = _state(process.returncode, ended)
            said = _last(out if state == "ok" else err or out)
    return Outcome(script.stem, state, time.monotonic() - begin, said)


def _state(status: int, ended: str) -> str:
    if status == 0:
        return "ok"
    missing = status == NOT_FOUND or INSTALLING.search(ended)
    return "could not install" if missing else "changed"


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def run_all(names: Sequence[str], folder: Path = FOLDER) -> int:
    """Run the scripts of these names, or all; a line for each. 1 if one of them has changed."""
    known = {script.stem: script for script in scripts(folder)}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"no finding {unknown[0]}; there are: {', '.join(known)}\n")
        return 2
    changed = False
    for name in names or known:
        outcome = run(known[name])
        changed |= outcome.state == "changed"
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()
    return int(changed)


def main(arguments: Sequence[str]) -> int:
    """`table`, or `run` with the names of scripts; all without."""
    match list(arguments):
        case ["table"]:
            page = FOLDER / "README.md"
            beside = page.with_suffix(".tmp")
            beside.write_text(filled(page.read_text(), [read(one) for one in scripts(FOLDER)]))
            beside.replace(page)
            return 0
        case ["run", *names]:
            return run_all(names)
    sys.stderr.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
