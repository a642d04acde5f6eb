"""Releases of before, out of the repository's history, and what a lab of such a release has."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.script import ScriptDirectory
from lab_processes import LONG, TINY, Lab, until
from sqlalchemy import Engine, inspect, text

from migrations import alembic_config, upgrade

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "store" / "golden" / "releases"
"""Rows of a database of each release: `scripts/record_release.py`."""
RELEASES = {
    "0001": "6bc4bc44bde824a43ad389f91548d5c07edfec86",
    "0003": "610f1c42e11f6d1bb74d88107c36ccc51c555c6b",
    "0007": "5211b0a9158b4af90951fc46ec51aeeb3f8e3661",
    "0009": "4fc6062828bfa7081fe4ab0663c1244cb8317e42",
}
"""The newest revision that a release knows -> its last commit. Only grows."""
REVISIONS = [
    found.revision
    for found in ScriptDirectory.from_config(alembic_config("postgresql://")).walk_revisions()
][::-1]
"""All that there are, oldest first."""
PACKAGES = ("client", "service", "worker", "migrations")
MATRIX = [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]


class Release:
    """The code of a release, and how its processes are started."""

    def __init__(self, revision: str, directory: Path) -> None:
        """Unpack it; skips the test, saying why, where this clone's history is cut off before."""
        commit = RELEASES[revision]
        packed = subprocess.run(
            ["git", "archive", commit, *PACKAGES], cwd=ROOT, capture_output=True, check=False
        )
        if packed.returncode:
            pytest.skip(f"no commit {commit[:9]} here: fetch the whole history to run its code")
        with tarfile.open(fileobj=BytesIO(packed.stdout)) as files:
            files.extractall(directory, filter="data")
        self.revision = revision
        roots = [directory / name for name in PACKAGES[:-1]]
        self.env = {"PYTHONPATH": os.pathsep.join(map(str, [*roots, directory]))}

    def make_token(self, database_url: str, name: str = "alice") -> str:
        """A token of somebody, made by its own code."""
        code = (
            "import sys\n"
            "from rgstore.database import Database\n"
            "from rgstore.tokens import make_token\n"
            "_, url, name = sys.argv\n"
            "with Database(url).begin() as session: print(make_token(session, name))\n"
        )
        command = [sys.executable, "-c", code, database_url, name]
        made = subprocess.run(
            command, env=os.environ | self.env, capture_output=True, check=True, text=True
        )
        return made.stdout.strip()


def load(engine: Engine, release: str) -> None:
    """Make the tables of a release in an empty database, and fill them with its recorded rows."""
    upgrade(engine.url.render_as_string(hide_password=False), release)
    rows = gzip.decompress((RECORDED / f"{release}.sql.gz").read_bytes()).decode()
    with engine.begin() as connection:
        if inspect(connection).has_table("lab"):  # the migration has given the lab an id already
            connection.execute(text("DELETE FROM lab"))
        connection.connection.cursor().execute(rows)


class LabOf(Lab):
    """A lab whose servers and workers are of one release."""

    def __init__(self, release: Release, directory: Path, database_url: str) -> None:
        self.release = release
        super().__init__(directory, database_url)
        self.http = httpx.Client(
            base_url=self.urls[0],
            headers={"Authorization": f"Bearer {release.make_token(database_url)}"},
            timeout=30,
        )

    def api(self, **env: str) -> str:
        return super().api(**self.release.env, **env)

    def worker(self, **env: str) -> Any:
        return super().worker(**self.release.env, **env)

    def stop(self) -> None:
        self.http.close()
        super().stop()

    def ask(self, body: dict[str, Any], *, of: str = "experiments") -> str:
        """Submit; returns the name."""
        answer = self.http.post(f"/v1/{of}", json=body)
        assert answer.is_success, answer.text
        name: str = answer.json()["id"]
        return name

    def read(self, path: str) -> dict[str, Any]:
        """What a route answers."""
        answer = self.http.get(path)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def state(self, name: str, *, of: str = "experiments") -> str:
        """Of an experiment or a study."""
        found: str = self.read(f"/v1/{of}/{name}")["state"]
        return found

    def await_state(self, name: str, state: str, *, of: str = "experiments") -> None:
        """Wait for it."""
        until(lambda: self.state(name, of=of) == state)


SMALL = {**TINY, "measurement": {"n_sequences": 64, "levels": ["pooled"]}}
SMALL["model"] = TINY["model"] | {"width": 4}
"""As `TINY`, with few numbers to keep."""


def small(**sections: Any) -> dict[str, Any]:
    """A small spec with some sections changed."""
    return {**SMALL, **{name: SMALL.get(name, {}) | new for name, new in sections.items()}}


MEASURED = {
    "plain": small() | {"seeds": 2, "label": "first", "tags": ["a", "b"]},
    "matrix": SMALL
    | {"seeds": 1, "chain": {"family": "explicit", "n_states": 3, "matrix": MATRIX}},
    "idle seed": SMALL
    | {"seeds": 1, "chain": {"family": "ring", "n_states": 4, "corr_len": 3.0, "seed": 5}},
    "several chains": small(chain={"seeds": 2}) | {"seeds": 1},
    "whole sequence": small(
        model={"mixing": "flat", "context": None}, measurement={"levels": ["sequence"]}
    )
    | {"seeds": 1},
    "along training": small(training={"steps": 4}, measurement={"at": "log"}) | {"seeds": 1},
}
"""What any release takes, small."""
STUDY = small(chain={"corr_len": [1.0, 4.0]}, measurement={"levels": ["position"]}) | {"seeds": 2}


def fill(lab: LabOf) -> dict[str, str]:
    """Put into a lab what any release takes: experiments in all states, and a study.

    Returns:
        What it is for -> its name.
    """
    worker = lab.worker()
    names = {what: lab.ask(spec) for what, spec in MEASURED.items()}
    names["study"] = lab.ask(STUDY, of="studies")
    for what, name in names.items():
        lab.await_state(name, "done", of="studies" if what == "study" else "experiments")
    until(lambda: lab.http.get(f"/v1/studies/{names['study']}/findings").is_success)
    worker.stop()
    names["cancelled"] = lab.ask(LONG | {"label": "too long"})
    assert lab.http.post(f"/v1/experiments/{names['cancelled']}/cancel").is_success
    names["queued"] = lab.ask(small(chain={"seed": 9}))
    return names
