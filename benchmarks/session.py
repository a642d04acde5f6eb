"""All measurements of `make bench`, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.ceilings import Ceiling, ceilings
from benchmarks.crew import Crews
from benchmarks.effort import Effort
from benchmarks.growth import Point, grow
from benchmarks.machine import Machine, this_machine
from benchmarks.programme import entries
from benchmarks.progress import say
from benchmarks.race import NoRace, Race, RefusedError
from benchmarks.serving.programme import Serving, measured
from benchmarks.shapes import SHAPES
from benchmarks.shares import Shares, shares
from benchmarks.sweep import Sweep, sweep
from benchmarks.ways import Compared, compare


@dataclass(frozen=True)
class Found:
    """What was measured.

    Attributes:
        machine: where, and how busy it was.
        rounds: in which every contender was measured once.
        races: one row for each peer.
        ceilings: what the machine can do at best.
        sweep: through a lab; in words, why there is none.
        ways: to train several members, by shape.
        growth: points of the growth curves.
        shares: where the time of a run goes.
        serving: storing and serving.
    """

    machine: Machine
    rounds: int
    races: tuple[Race | NoRace, ...]
    ceilings: tuple[Ceiling, ...]
    sweep: Sweep | str
    ways: tuple[Compared, ...]
    growth: tuple[Point, ...]
    shares: tuple[Shares, ...]
    serving: Serving


def run(effort: Effort, crews: Crews, *, quick: bool) -> Found:
    """Everything.

    Args:
        effort: how much of it.
        crews: who trains.
        quick: how much the server stores before it is measured.
    """
    machine = this_machine()
    races = tuple(outcomes(effort, crews))
    say("ceilings")
    bounds = tuple(ceilings([SHAPES[name] for name in effort.shapes], effort.rounds))
    ways = []
    for name in effort.ways:
        say(f"ways to train several networks: {name}")
        ways.append(compare(name, effort, crews))
    say("growth")
    growth = tuple(grow(effort, crews))
    parts = []
    for mixing in effort.mixings:
        say(f"shares of a run, mixing {mixing}")
        parts.append(shares(mixing, effort))
    say("sweep")
    swept: Sweep | str
    try:
        swept = sweep(effort, crews.cores)
    except RefusedError as error:
        swept = str(error)
    say("storing and serving")
    serving = measured(quick=quick)
    return Found(
        machine, effort.rounds, races, bounds, swept, tuple(ways), growth, tuple(parts), serving
    )


def outcomes(effort: Effort, crews: Crews) -> Iterator[Race | NoRace]:
    """What came of every race; one that cannot be run gives its reason."""
    for entry in entries(effort, crews):
        say(f"{entry.name}: {entry.shape}, K = {entry.members}, beside {', '.join(entry.peers)}")
        try:
            yield from entry.run()
        except RefusedError as error:
            say(f"no time: {error}")
            yield from (
                NoRace(entry.name, entry.shape, peer, str(error), entry.members)
                for peer in entry.peers
            )
