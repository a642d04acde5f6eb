#!/usr/bin/env python
"""Write constraints.txt, the versions that are tested together: `make lock`.

For each Python that is named, pip says what it would install, and installs nothing. What is in
constraints.txt already stays as it is where it can; `--upgrade` takes the newest of everything:

    .venv/bin/python scripts/lock.py [--upgrade] python3.11 python3.12 python3.13

A version that is not the same for all of them gets a marker; the newest Python that was asked
speaks for later ones too. There are no hashes and no builds (`+cpu`): one file holds for every
platform, and where a wheel comes from is what pip is configured to.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from rgcontract.files import replacing

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "constraints.txt"
WANTED = ("torch", "-e", "./client", "-e", ".[dev,bench]")
OURS = {"rglab", "rgclient"}
OF_A_BUILD = re.compile(r"(nvidia|cuda|triton)\b.*")
"""What some builds of torch bring: those pin it themselves, and others have none of it."""
HEADER = """\
# The versions that are tested together, of all that is installed. `make lock` asked Python {}.
"""

Versions = dict[str, dict[str, str]]
"""Distribution -> Python ("3.11") -> version."""


def _usable(python: str) -> bool:
    """Whether it runs: a shim that is found may still fail."""
    if shutil.which(python) is None:
        return False
    command = [python, "-m", "pip", "--version"]
    asked = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # as named
    return asked.returncode == 0


def resolved(python: str, constraints: Path | None) -> tuple[str, dict[str, str]]:
    """What pip would install for a Python: its version, and distribution -> version."""
    arguments = ["--dry-run", "--ignore-installed", "--quiet", "--disable-pip-version-check"]
    if constraints is not None:
        arguments += ["-c", str(constraints)]
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        command = [python, "-m", "pip", "install", *arguments, "--report", str(report), *WANTED]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603  # as named
        said = json.loads(report.read_text())
    found = {
        canonicalize_name(one["metadata"]["name"]): Version(one["metadata"]["version"]).public
        for one in said["install"]
    }
    return said["environment"]["python_version"], {
        name: version
        for name, version in found.items()
        if name not in OURS and not OF_A_BUILD.fullmatch(name)
    }


def text(versions: Versions) -> str:
    """One requirement per distribution and version, with a marker where Pythons differ."""
    pythons = sorted({one for of in versions.values() for one in of}, key=Version)
    written = [HEADER.format(", ".join(pythons))]
    for name, of in sorted(versions.items()):
        by_version: dict[str, list[str]] = defaultdict(list)
        for python in pythons:
            if python in of:
                by_version[of[python]].append(python)
        for version, those in by_version.items():
            marker = "" if those == pythons else _marker(those, pythons)
            written.append(f"{name}=={version}{marker}\n")
    return "".join(written)


def _marker(those: list[str], pythons: list[str]) -> str:
    if those == pythons[-len(those) :]:
        return f' ; python_version >= "{those[0]}"'
    return " ; " + " or ".join(f'python_version == "{python}"' for python in those)


def read(text: str) -> list[Requirement]:
    """The requirements of a constraints file."""
    stripped = (line.partition("#")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in stripped if line]


def main(arguments: list[str]) -> None:
    """Ask each Python, then write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--upgrade", action="store_true", help="the newest of everything")
    parser.add_argument("pythons", nargs="+", help="an interpreter for each version of Python")
    given = parser.parse_args(arguments)
    versions: Versions = defaultdict(dict)
    for python in filter(_usable, given.pythons):
        number, found = resolved(python, None if given.upgrade else LOCK)
        for name, version in found.items():
            versions[name][number] = version
    if not versions:
        parser.error(f"none of {' '.join(given.pythons)} runs with pip")
    with replacing(LOCK) as file:
        file.write(text(versions).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
