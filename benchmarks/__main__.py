"""`make bench`: every race, one after another, then the tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.crew import crews
from benchmarks.effort import FULL, QUICK
from benchmarks.progress import say
from benchmarks.report import as_json, as_markdown
from benchmarks.session import run
from rgcontract.files import write_text

RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str]) -> None:
    """Run the races; progress on stderr, tables on stdout, both forms in a directory."""
    parser = argparse.ArgumentParser("benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="at most five minutes")
    parser.add_argument("--output", type=Path, default=RESULTS, help="directory of the results")
    chosen = parser.parse_args(arguments)
    with crews() as workers:
        found = run(QUICK if chosen.quick else FULL, workers, quick=chosen.quick)
    name = "quick" if chosen.quick else "full"
    chosen.output.mkdir(parents=True, exist_ok=True)
    write_text(chosen.output / f"{name}.json", as_json(found))
    text = as_markdown(found)
    write_text(chosen.output / f"{name}.md", text)
    say(f"wrote {chosen.output}/{name}.md and .json")
    sys.stdout.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
