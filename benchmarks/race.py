"""The outcome of one race: a row of the table."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.timing import Timing


class RefusedError(RuntimeError):
    """A race that has no time to show: a peer is missing, or the contenders disagree."""


@dataclass(frozen=True)
class Unit:
    """How a cost in seconds per unit is shown.

    Attributes:
        name: with the scale in it.
        scale: factor on the seconds, or on one over them.
        rate: whether units per second are shown.
    """

    name: str
    scale: float
    rate: bool = False

    def of(self, cost: float) -> float:
        """The number shown for a cost."""
        return self.scale / cost if self.rate else self.scale * cost


MEMBER_STEP = Unit("ms/member-step", 1e3)
TOKENS = Unit("M tokens/s", 1e-6, rate=True)
CALL = Unit("ms", 1e3)
RUN = Unit("s/run", 1.0)
STORED_RUN = Unit("ms/run", 1e3)


@dataclass(frozen=True)
class Race:
    """RGLab beside one peer.

    Attributes:
        name: what is done.
        shape: of what.
        members: K, networks that are trained; 1 where there is none.
        cores: that each contender may keep at work.
        unit: of the costs.
        peer: who else does it.
        ours: what it cost RGLab.
        theirs: what it cost the peer.
        ceiling: what the unavoidable part of it cost alone, on as many cores as RGLab used.
        bound: what that part is.
        check: what the two agree in, and how closely.
    """

    name: str
    shape: str
    members: int
    cores: int
    unit: Unit
    peer: str
    ours: Timing
    theirs: Timing
    ceiling: Timing
    bound: str
    check: str

    @property
    def ratio(self) -> float:
        """How many times the cost of RGLab the peer takes: above 1, RGLab is faster."""
        return self.theirs.median / self.ours.median

    @property
    def share(self) -> float:
        """The unavoidable part of RGLab's cost."""
        return self.ceiling.median / self.ours.median


@dataclass(frozen=True)
class NoRace:
    """A race that has no time to show.

    Attributes:
        name: what would have been done.
        shape: of what.
        peer: who else does it.
        reason: why not.
        members: K.
    """

    name: str
    shape: str
    peer: str
    reason: str
    members: int = 1
