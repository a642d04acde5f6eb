"""How the cost of training grows: with K, depth, width, sequence length and workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from benchmarks import jobs
from benchmarks.crew import Crews
from benchmarks.effort import Effort
from benchmarks.shapes import SHAPES, Shape
from benchmarks.timing import Timing, interleave
from benchmarks.training_race import TORCH, Way, on_each_core

BASE = SHAPES["S"]
AXES: dict[str, tuple[int, ...]] = {
    "K": (1, 2, 4, 8, 16),
    "depth": (2, 4, 8, 16),
    "width": (16, 32, 64, 128),
    "T": (16, 32, 64, 128),
    "cores": (1, 2),
}
FIELDS = {"depth": "depth", "width": "width", "T": "seq_len"}


@dataclass(frozen=True)
class Point:
    """One point of a curve.

    Attributes:
        axis: what is varied, one of `AXES`.
        value: of it.
        cost: seconds per step of all its members.
        per_member: seconds per step and member.
    """

    axis: str
    value: int
    cost: Timing
    per_member: Timing


def grow(effort: Effort, crews: Crews) -> list[Point]:
    """All curves, measured in turns; axis by axis, smallest value first."""
    asked = list(_ways(effort, crews))
    costs = interleave(
        {
            f"{axis} {value}": partial(way.cost, shape, effort.growth_steps)
            for axis, value, shape, way, _ in asked
        },
        effort.rounds,
    )
    return [
        Point(
            axis,
            value,
            Timing(tuple(members * cost for cost in costs[f"{axis} {value}"].costs)),
            costs[f"{axis} {value}"],
        )
        for axis, value, _, _, members in asked
    ]


def _ways(effort: Effort, crews: Crews) -> Iterator[tuple[str, int, Shape, Way, int]]:
    """(axis, value, shape, way, members) of every point."""
    single = crews.single(TORCH)
    for axis, values in AXES.items():
        for value in values:
            shape, members, lanes = BASE, effort.growth_members, crews.cores
            if axis == "K":
                members = value
            elif axis == "cores":
                lanes = value
            else:
                shape = replace(BASE, name="", **{FIELDS[axis]: value})
            if lanes > crews.cores:
                continue
            yield (
                axis,
                value,
                shape,
                on_each_core("", single, jobs.ours, members, lanes=lanes),
                members,
            )
