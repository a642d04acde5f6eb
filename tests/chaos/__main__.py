"""`python -m tests.chaos [--quick] [--seed N] [NAME ...]`: every fault, and a ledger at the end.

The exit code is 1 if a promise was not kept.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.chaos.ledger import Entry, ledger
from tests.chaos.scenario import Effort, Scenario, Seen, known


def main(arguments: list[str]) -> int:
    """Do them one after another; progress on stderr, the ledger on stdout."""
    scenarios = known()
    parser = argparse.ArgumentParser("tests.chaos", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="within eight minutes")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(scenarios))
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(scenarios):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    sys.stderr.write(f"seed {asked.seed}\n")
    entries = [
        _entry(scenarios[name], quick=asked.quick, seed=asked.seed)
        for name in asked.names or scenarios
    ]
    sys.stdout.write(ledger(entries, asked.seed))
    return 0 if all(entry.seen.held for entry in entries) else 1


def _entry(scenario: Scenario, *, quick: bool, seed: int) -> Entry:
    sys.stderr.write(f"{scenario.name}\n")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rglab-", dir="/tmp") as directory:  # sockets
        try:
            seen = scenario.run(Effort(quick, seed, Path(directory)))
        except Exception as error:  # the others are done, and the ledger says it
            sys.stderr.write(traceback.format_exc())
            seen = Seen(held=False, what=f"{type(error).__name__}: {error}".partition("\n")[0])
    return Entry(scenario, seen, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
