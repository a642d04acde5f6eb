"""How much work the races are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MIXINGS = ("context", "flat", "mixer", "window")


@dataclass(frozen=True)
class Trial:
    """A training that is raced.

    Attributes:
        shape: name of the shape.
        members: K, networks to train.
        steps: of each; at most 200, so that every loss is kept.
        plain_steps: of the plain loop, which is many times slower and trains one member: the
            others repeat it.
    """

    shape: str
    members: int
    steps: int
    plain_steps: int


@dataclass(frozen=True)
class Effort:
    """Sizes of the races.

    Attributes:
        rounds: in which every contender is measured once.
        all_ways: whether JAX is also tried in one process where there are networks for all.
        trials: trainings.
        ways: steps, by shape, of the comparison of ways to train several members.
        growth_steps: of every point of the growth curves.
        growth_members: K of every point of the growth curves but those of K.
        sequences: drawn at a time by the samplers.
        rows: n of the layers that are compared.
        cubic_rows: n where the peer's cost grows as its cube.
        tracked: runs that trackers write at a time.
        sweep_points: experiments of the sweep, each with four seeds.
        sweep_steps: of every run of the sweep.
        sweep_singles: runs that are asked for one after another, beside it.
        share_steps: by which a step is timed, for the shares of a run.
        share_rounds: as `rounds`, for the shares of a run.
        mixings: whose shares are shown.
        spec: what the shares of a run are of, where it is not the default spec.
    """

    rounds: int
    all_ways: bool
    trials: tuple[Trial, ...]
    ways: Mapping[str, int]
    growth_steps: int
    growth_members: int
    sequences: int
    rows: int
    cubic_rows: int
    tracked: int
    sweep_points: int
    sweep_steps: int
    sweep_singles: int
    share_steps: int
    share_rounds: int
    mixings: tuple[str, ...]
    spec: Mapping[str, Mapping[str, object]]

    @property
    def shapes(self) -> tuple[str, ...]:
        """Names of the shapes that are trained."""
        return tuple(dict.fromkeys(trial.shape for trial in self.trials))


QUICK = Effort(
    rounds=5,
    all_ways=False,
    trials=(
        Trial("S", members=1, steps=64, plain_steps=8),
        Trial("S", members=8, steps=16, plain_steps=4),
        Trial("S", members=64, steps=6, plain_steps=4),
        Trial("M", members=8, steps=2, plain_steps=1),
    ),
    ways={"tiny": 32, "S": 8},
    growth_steps=4,
    growth_members=2,
    sequences=4096,
    rows=2048,
    cubic_rows=512,
    tracked=6,
    sweep_points=3,
    sweep_steps=100,
    sweep_singles=2,
    share_steps=16,
    share_rounds=1,
    mixings=("context",),
    spec={},
)
"""Ends within five minutes on two cores."""
FULL = Effort(
    rounds=5,
    all_ways=True,
    trials=(
        Trial("S", members=1, steps=128, plain_steps=16),
        Trial("S", members=8, steps=64, plain_steps=16),
        Trial("S", members=64, steps=16, plain_steps=16),
        Trial("M", members=1, steps=16, plain_steps=2),
        Trial("M", members=8, steps=8, plain_steps=2),
        Trial("M", members=64, steps=2, plain_steps=2),
        Trial("L", members=1, steps=1, plain_steps=1),
        Trial("L", members=8, steps=1, plain_steps=1),
    ),
    ways={"tiny": 192, "S": 64, "M": 8},
    growth_steps=32,
    growth_members=2,
    sequences=4096,
    rows=8192,
    cubic_rows=1024,
    tracked=20,
    sweep_points=16,
    sweep_steps=300,
    sweep_singles=16,
    share_steps=32,
    share_rounds=3,
    mixings=MIXINGS,
    spec={},
)
"""L at K = 64 would repeat K = 8: every contender trains its members one after another."""
