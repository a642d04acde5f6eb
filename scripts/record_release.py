"""Records what the database of a release holds, for the tests of the migrations that follow it.

`python -m scripts.record_release REVISION` runs the code of that release in a lab of its own, asks
of it what any release takes, and writes `tests/store/golden/releases/REVISION.sql.gz`. A release
comes before a new migration: list its commit in `tests/support/releases.py` first.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import make_url

from migrations import upgrade
from rgcontract.files import write_bytes
from rglab.embedded.cluster import binaries
from rglab.embedded.postgres import EmbeddedPostgres
from rgstore.settings import Settings

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from releases import RECORDED, LabOf, Release, fill  # noqa: E402 - of the tests

SESSION = (b"\\", b"SET ", b"SELECT pg_catalog.set_config", b"--")
"""Beginnings of lines that are no rows; they would unset the search path of whoever loads them."""
OPTIONS = ["--data-only", "--inserts", "--rows-per-insert=1000", "--no-owner"]


def record(revision: str) -> Path:
    """Run a release on a new database and write down all rows that it leaves there."""
    with tempfile.TemporaryDirectory(prefix="rglab-", dir="/tmp") as name:  # sockets: a short path
        directory = Path(name)
        server = EmbeddedPostgres(directory / "pg")
        url = Settings(database_url=server.url).database
        upgrade(url, revision)
        lab = LabOf(Release(revision, directory / "code"), directory / "lab", url)
        try:
            names = fill(lab)
        finally:
            lab.stop()
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        command = [str(binaries() / "pg_dump"), *OPTIONS, "--exclude-table=alembic_version"]
        dumped = subprocess.run(  # noqa: S603 - our own
            [*command, "--dbname", plain], check=True, capture_output=True
        )
        server.stop()
    sys.stdout.writelines(f"{what}: {name}\n" for what, name in names.items())
    lines = dumped.stdout.splitlines()
    rows = b"\n".join(line for line in lines if not line.startswith(SESSION))
    path = RECORDED / f"{revision}.sql.gz"
    write_bytes(path, gzip.compress(rows, mtime=0))
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{record(sys.argv[1]).relative_to(ROOT)}\n")
