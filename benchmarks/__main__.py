"""`make bench`: every race, one after another, then the tables."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import torch

from benchmarks import table
from benchmarks.ceilings import ceilings
from benchmarks.effort import FULL, MIXINGS, QUICK, Effort
from benchmarks.programme import entries
from benchmarks.progress import say
from benchmarks.race import NoRace, Race, RefusedError
from benchmarks.shapes import SHAPES
from benchmarks.shares import shares


def main(arguments: list[str]) -> None:
    """Run the races; progress on stderr, tables on stdout."""
    effort = _effort(arguments)
    found = list(outcomes(effort))
    say("ceilings")
    bounds = ceilings([SHAPES[name] for name in effort.shapes], effort.rounds)
    parts = []
    for mixing in MIXINGS:
        say(f"shares of a run, mixing {mixing}")
        parts.append(shares(mixing, effort))
    where = f"{os.cpu_count()} cores, torch {torch.__version__}, median [least, most]"
    tables = [table.races(found), table.ceilings(bounds), table.shares(parts)]
    sys.stdout.write("\n\n".join([f"{where} of {effort.rounds} rounds", *tables]) + "\n")


def outcomes(effort: Effort) -> Iterator[Race | NoRace]:
    """What came of every race; one that cannot be run gives its reason."""
    for entry in entries(effort):
        say(f"{entry.name}: {entry.shape}, beside {' and '.join(entry.peers)}")
        try:
            yield from entry.run()
        except RefusedError as error:
            say(f"no time: {error}")
            yield from (NoRace(entry.name, entry.shape, peer, str(error)) for peer in entry.peers)


def _effort(arguments: list[str]) -> Effort:
    parser = argparse.ArgumentParser("benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="at most five minutes")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, help="which networks to train")
    chosen = parser.parse_args(arguments)
    effort = QUICK if chosen.quick else FULL
    return replace(effort, shapes=tuple(chosen.shapes)) if chosen.shapes else effort


if __name__ == "__main__":
    main(sys.argv[1:])
