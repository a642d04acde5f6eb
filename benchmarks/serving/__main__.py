"""`python -m benchmarks.serving [--quick]`: the latencies of a lab with a history."""

from __future__ import annotations

import argparse
import sys

from benchmarks.serving.programme import measured
from benchmarks.serving.report import tables


def main(arguments: list[str]) -> None:
    """Measure; progress on stderr, tables on stdout."""
    parser = argparse.ArgumentParser("benchmarks.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 runs in place of 200,000")
    chosen = parser.parse_args(arguments)
    sys.stdout.write("\n\n".join(tables(measured(quick=chosen.quick))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
