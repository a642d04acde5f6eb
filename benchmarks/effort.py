"""How much work the races are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MIXINGS = ("context", "flat", "mixer", "window")


@dataclass(frozen=True)
class Effort:
    """Sizes of the races.

    Attributes:
        rounds: in which every contender is measured once.
        shapes: names of the shapes that are trained.
        steps: by shape, of a training on one core; at most 200, so that every loss is kept.
        member_steps: by shape, of a training in a process of its own.
        sequences: drawn at a time by the samplers.
        rows: n of the layers that are compared.
        cubic_rows: n where the peer's cost grows as its cube.
        share_steps: by which a step is timed, for the shares of a run.
        share_rounds: as `rounds`, for the shares of a run.
        spec: what the shares of a run are of, where it is not the default spec.
    """

    rounds: int
    shapes: tuple[str, ...]
    steps: Mapping[str, int]
    member_steps: Mapping[str, int]
    sequences: int
    rows: int
    cubic_rows: int
    share_steps: int
    share_rounds: int
    spec: Mapping[str, Mapping[str, object]]


QUICK = Effort(
    rounds=5,
    shapes=("S",),
    steps={"S": 64, "M": 32, "L": 2},
    member_steps={"S": 400, "M": 32, "L": 3},
    sequences=4096,
    rows=8192,
    cubic_rows=512,
    share_steps=16,
    share_rounds=1,
    spec={},
)
"""Ends within five minutes on two cores."""
FULL = Effort(
    rounds=7,
    shapes=("S", "M", "L"),
    steps={"S": 192, "M": 32, "L": 2},
    member_steps={"S": 1000, "M": 64, "L": 3},
    sequences=4096,
    rows=8192,
    cubic_rows=1024,
    share_steps=32,
    share_rounds=3,
    spec={},
)
