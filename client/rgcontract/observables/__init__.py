"""What is measured: a row for each observable, of which docs, columns, labels and cost are made.

A new observable is its function in `rgcore.observables`, its row here and its test. The laws that a
row claims are tested for it by `tests/laws`.
"""

from collections.abc import Iterable

from rgcontract.networks import Mixing
from rgcontract.observables.losses import FLAGS, LOSSES
from rgcontract.observables.network import OF_THE_NETWORK
from rgcontract.observables.observable import (
    AT_EVERY_LEVEL,
    NETWORK,
    OF_ALL_PAIRS,
    OF_INDEPENDENT,
    Axis,
    Group,
    Law,
    Need,
    Observable,
    Range,
    Tends,
)
from rgcontract.observables.ranks import RANKS
from rgcontract.observables.reasons import REASONS
from rgcontract.observables.transitions import TRANSITIONS

__all__ = [
    "AT_EVERY_LEVEL",
    "NETWORK",
    "OBSERVABLES",
    "OF_ALL_PAIRS",
    "OF_INDEPENDENT",
    "REASONS",
    "Axis",
    "Group",
    "Law",
    "Need",
    "Observable",
    "Range",
    "Tends",
    "measured_at",
    "observables_at",
]

OBSERVABLES: dict[str, Observable] = {
    row.name: row for row in (*RANKS, *TRANSITIONS, *OF_THE_NETWORK, *LOSSES, *FLAGS)
}
"""Every observable by name."""


def observables_at(level: str, mixing: Mixing) -> tuple[Observable, ...]:
    """What is measured at a level of a network."""
    return tuple(row for row in OBSERVABLES.values() if row.exists(level, mixing))


def measured_at(levels: Iterable[str], mixing: Mixing) -> tuple[Observable, ...]:
    """What a measurement of a network finds: at each of its levels, and of the whole network."""
    return tuple(row for level in (*levels, NETWORK) for row in observables_at(level, mixing))
