"""Where a number stands in a result, by its names; and what is there, where it is not."""

from __future__ import annotations

from collections.abc import Iterable

from rgcontract.networks import Level, Mixing
from rgcontract.observables import NETWORK
from rgcontract.result import Estimate, LevelResult, Losses, Result, Snapshot


class NotThere(LookupError):
    """The result has no such quantity, level or moment; the message names what is there."""


def deciding_level(result: Result) -> str:
    """The level that a quantity is read at if none is given."""
    flat = result.spec.model.mixing is Mixing.FLAT
    return Level.SEQUENCE.value if flat else Level.POSITION.value


def estimate(result: Result, name: str, level: str, when: str) -> Estimate:
    """A quantity of a level, or of `network` as a whole, at a moment.

    Raises:
        NotThere: it was not measured.
    """
    quantities = _quantities(result, level, when)
    if not isinstance(name, str) or name not in quantities:
        raise NotThere(f"no quantity {name!r} at level {level!r}; there are {_listed(quantities)}")
    return quantities[name]


def _quantities(result: Result, level: str, when: str) -> dict[str, Estimate]:
    """What was measured at a level; losses are of the network, and stand beside the levels."""
    if level != NETWORK:
        return at_level(result, level, when).quantities
    snapshot = at_moment(result, when)
    others = {} if snapshot.network is None else snapshot.network.quantities
    losses = {name: getattr(snapshot.losses, name) for name in Losses.model_fields}
    return {name: value for name, value in losses.items() if value is not None} | others


def at_level(result: Result, level: str, when: str) -> LevelResult:
    """All quantities of a level at a moment.

    Raises:
        NotThere: it was not measured.
    """
    snapshot = at_moment(result, when)
    levels = {part.level: part for part in snapshot.levels}
    if snapshot.network is not None:
        levels[snapshot.network.level] = snapshot.network
    if not isinstance(level, str) or level not in levels:
        raise NotThere(f"level {level!r} was not measured; there are {_listed(levels)}")
    return levels[level]


def at_moment(result: Result, when: str) -> Snapshot:
    """The network at a moment of its training: `initial`, `step_N`, `final`, `shuffled`.

    Raises:
        NotThere: nothing was measured then.
    """
    snapshots = {snapshot.when: snapshot for snapshot in result.snapshots}
    if not isinstance(when, str) or when not in snapshots:
        raise NotThere(f"nothing was measured at {when!r}; there are {_listed(snapshots)}")
    return snapshots[when]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(str, names)) or "none"
