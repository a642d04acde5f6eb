"""Ways to train several members of a shape: the measurement that a worker's choice rests on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from benchmarks import jobs
from benchmarks.crew import Crews
from benchmarks.effort import Effort
from benchmarks.shapes import SHAPES
from benchmarks.timing import Timing, interleave
from benchmarks.training_race import TORCH, Way, on_each_core

MEMBERS = 8
WAYS = (
    "a process per core",
    "threads in one process",
    f"a process per core, batches of {MEMBERS // 2}",
)


@dataclass(frozen=True)
class Compared:
    """One shape.

    Attributes:
        shape: its name and sizes.
        timings: in the order of `WAYS`, per member and step.
        chosen: K of the fleets of a worker.
    """

    shape: str
    timings: tuple[Timing, ...]
    chosen: int


def compare(name: str, effort: Effort, crews: Crews) -> Compared:
    """The three ways for one shape, in turns."""
    shape, steps = SHAPES[name], effort.ways[name]
    single, wide = crews.single(TORCH), crews.wide(TORCH)
    ways = dict(
        zip(
            WAYS,
            (
                on_each_core("", single, jobs.solo, MEMBERS),
                Way("", wide, jobs.solo, (tuple(range(MEMBERS)),)),
                on_each_core("", single, jobs.fleets, MEMBERS, MEMBERS // 2),
            ),
            strict=True,
        )
    )
    found = interleave(
        {key: partial(way.cost, shape, steps) for key, way in ways.items()}, effort.rounds
    )
    return Compared(str(shape), tuple(found[way] for way in WAYS), jobs.fleet_size(shape))
