"""What was measured, as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.ceilings import Ceiling
from benchmarks.markdown import number, table
from benchmarks.race import NoRace, Race, Unit
from benchmarks.shares import Shares
from benchmarks.timing import Timing

RACES = (
    "race",
    "(depth, width, V, T)",
    "K",
    "cores",
    "unit",
    "RGLab",
    "peer",
    "median of the peer",
    "ratio",
    "ceiling",
    "agree",
)
CEILINGS = ("one thread, one call", "unit", "measured")
SHARES = (
    "mixing",
    "ms/step",
    "sampling, of a step",
    "one measurement, s",
    "best losses, s",
    "measuring, of a run",
)


def races(found: Iterable[Race | NoRace]) -> str:
    """Medians with the least and the largest; a ratio above 1 says that RGLab is faster."""
    return table(RACES, [_race(one) if isinstance(one, Race) else _no_race(one) for one in found])


def ceilings(found: Iterable[Ceiling]) -> str:
    """What the machine can do at best."""
    rows = ([one.name, one.unit.name, spread(one.unit, one.timing)] for one in found)
    return table(CEILINGS, rows)


def shares(found: Iterable[Shares]) -> str:
    """Where the time of a run goes."""
    return table(
        SHARES,
        [
            [
                one.mixing,
                number(1e3 * one.step.median),
                f"{one.sampling_share:.1%}",
                number(one.measurement.median),
                number(one.reference.median),
                f"{one.measuring_share:.1%} of {one.training + one.measuring:.0f} s",
            ]
            for one in found
        ],
    )


def spread(unit: Unit, timing: Timing) -> str:
    """The median, and the least and the largest."""
    ends = sorted((unit.of(timing.least), unit.of(timing.most)))
    return f"{number(unit.of(timing.median))} [{number(ends[0])}, {number(ends[1])}]"


def _race(race: Race) -> list[str]:
    unit = race.unit
    ceiling = f"{race.bound}: {number(unit.of(race.ceiling.median))} ({race.share:.0%})"
    return [
        race.name,
        race.shape,
        str(race.members),
        str(race.cores),
        unit.name,
        spread(unit, race.ours),
        race.peer,
        spread(unit, race.theirs),
        f"{race.ratio:.2f}",
        ceiling,
        race.check,
    ]


def _no_race(race: NoRace) -> list[str]:
    return [
        race.name,
        race.shape,
        str(race.members),
        "",
        "",
        "",
        race.peer,
        "",
        "",
        "",
        f"no time: {race.reason}",
    ]
