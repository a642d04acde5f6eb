"""The schema of a database as `pg_dump` tells it, all of it but the order of columns."""

from __future__ import annotations

import re
import subprocess

from sqlalchemy import make_url

from rglab.embedded.cluster import binaries

PG_DUMP = binaries() / "pg_dump"
NOISE = re.compile(r"--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*")
"""Lines that say nothing of the schema; the last carry a random word."""


def schema_of(url: str) -> str:
    """Every object with all that belongs to it; of a table the columns by name.

    Columns that were added later come last in a migrated table: that alone is normalised away.
    """
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(PG_DUMP), "--schema-only", "--no-owner", "--dbname", plain]
    command += ["--exclude-table", "alembic_version"]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = (line.rstrip() for line in dumped.stdout.splitlines())
    kept = "\n".join(line for line in lines if line and not NOISE.fullmatch(line))
    return re.sub(r"(?ms)^(CREATE TABLE \S+ \()\n(.*?)\n(\).*?;)$", _by_name, kept)


def _by_name(table: re.Match[str]) -> str:
    head, body, tail = table.groups()
    columns = sorted(line.removesuffix(",") for line in body.splitlines())
    return "\n".join([head, *columns, tail])
