"""What a run asks of a machine, counted in units that each have a price in seconds.

A roofline with a floor: an operation costs what it takes to start it, what its numbers take to
pass through memory, and what its multiply-adds take. The prices are added up, so a matrix product
of many rows with d columns goes at 1 / (price of a product + price of a value / d): thin products
go at the speed of memory, thick ones at that of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ShapeClass(StrEnum):
    """What most of a run's time goes into. How far a model is off, runs of one class share."""

    CALLS = "calls"
    """Starting operations: whatever is small."""
    MEMORY = "memory"
    """Float32 numbers that come and go: thin matrix products, activations, norms, updates."""
    PRODUCTS = "products"
    """Float32 multiply-adds: thick matrix products."""
    MEASURING = "measuring"
    """Float64 arithmetic: moments, read-outs, decompositions, laws."""


UNITS = {
    "run": ShapeClass.CALLS,  # a run: its chain, its network and its record are made
    "step": ShapeClass.CALLS,  # a training step, once for all members of a fleet
    "kernel": ShapeClass.CALLS,  # an operation of a step's blocks, both ways, once for a fleet
    "batch": ShapeClass.CALLS,  # a batch of a measurement, on all layers
    "block": ShapeClass.CALLS,  # a block of a network that is made
    "layer": ShapeClass.CALLS,  # a layer of a batch of a measurement
    "reading": ShapeClass.CALLS,  # a layer of a level whose observables are read off
    "value": ShapeClass.MEMORY,  # a float32 number of a step, forward and back
    "token": ShapeClass.MEMORY,  # a token, drawn and hidden
    "product": ShapeClass.PRODUCTS,  # a float32 multiply-add of a matrix product
    "value64": ShapeClass.MEASURING,  # a float64 number that is made or moved
    "moment": ShapeClass.MEASURING,  # an entry of a matrix of moments that is read off
    "product64": ShapeClass.MEASURING,  # a float64 multiply-add of a matrix product
    "decomposed": ShapeClass.MEASURING,  # an operation of a decomposition in float64
}
"""Name of a unit of work -> the class that it counts for."""
SHARED = frozenset({"step", "kernel"})
"""What a fleet does once for all its members."""

Counts = Mapping[str, float]
"""Name of a unit -> how many."""


@dataclass(frozen=True)
class Modelled:
    """A time out of counts and prices.

    Attributes:
        seconds: of one core, or of whatever the prices are of.
        shape_class: what most of them go into.
    """

    seconds: float
    shape_class: ShapeClass


def added(*parts: Counts) -> dict[str, float]:
    """Counts together."""
    names = {name for part in parts for name in part}
    return {name: sum(part.get(name, 0.0) for part in parts) for name in sorted(names)}


def times(n: float, counts: Counts) -> dict[str, float]:
    """The same n times."""
    return {name: n * count for name, count in counts.items()}


def of_member(counts: Counts, fleet: int) -> dict[str, float]:
    """What a member does of a run's counts, in a fleet of so many."""
    return {name: n / fleet if name in SHARED else n for name, n in counts.items()}


def modelled(counts: Counts, prices: Counts, *, fleet: int = 1) -> Modelled:
    """The time that a run takes by itself, or as one of a fleet: its part of it.

    Args:
        counts: of a run by itself.
        prices: of each unit, in seconds.
        fleet: members that are trained together.
    """
    of_class = dict.fromkeys(ShapeClass, 0.0)
    for name, count in of_member(counts, fleet).items():
        of_class[UNITS[name]] += count * prices[name]
    return Modelled(sum(of_class.values()), max(of_class, key=of_class.__getitem__))
