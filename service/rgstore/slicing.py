"""A part of a flat array: of some layers alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from rgcontract.observables import OBSERVABLES, Axis
from rgstore.damaged import DamagedRecordError, sum_of
from rgstore.records import Summary
from rgstore.summaries import REASONS


@dataclass(frozen=True)
class Part:
    """Of an array of a shape."""

    shape: list[int]
    """Of the whole."""
    kept: list[Sequence[int]]
    """Of each index, which of it."""

    @classmethod
    def of(cls, quantity: str, shape: Sequence[int], layers: Collection[int] | None) -> Part:
        """What there is of an array of these layers; all of it for None.

        Of what another release measured it is not known what is of a layer: all of it is kept.

        Raises:
            DamagedRecordError: this is no shape.
        """
        if any(type(length) is not int for length in shape):
            raise DamagedRecordError(f"{shape} is stored as a shape")
        row = OBSERVABLES.get(quantity)
        axes = row.axes if row is not None and layers is not None else ()
        if len(axes) != len(shape):
            return cls([*shape], [range(length) for length in shape])
        pairs = zip(axes, shape, strict=True)
        return cls([*shape], [_kept(axis, length, layers) for axis, length in pairs])

    @property
    def numbers(self) -> int:
        """How many it has."""
        return prod(map(len, self.kept))

    def values(self, flat: list[Any]) -> list[Any]:
        """Its numbers, out of those of the whole.

        Raises:
            DamagedRecordError: these are not as many as the shape says.
        """
        if self.numbers == prod(self.shape):
            return flat
        sum_of(flat, self.shape)
        return [flat[place] for place in self._places]

    def summary(self, whole: Summary) -> Summary:
        """The same of a summary.

        Raises:
            DamagedRecordError, ValidationError: it is not what a summary is.
        """
        if self.numbers == prod(self.shape):
            return whole
        mean = self.values(whole.mean)
        new = {place: at for at, place in enumerate(self._places)}
        return replace(
            whole,
            shape=[len(of_index) for of_index in self.kept],
            mean=mean,
            standard_error=self.values(whole.standard_error),
            low=self.values(whole.low),
            high=self.values(whole.high),
            half_shift=None if whole.half_shift is None else self.values(whole.half_shift),
            reasons={
                reason: found
                for reason, places in REASONS.validate_python(whole.reasons).items()
                if (found := [new[place] for place in places if place in new])
            },
        )

    @cached_property
    def _places(self) -> list[int]:
        """In the whole, of each number that is kept."""
        strides = [prod(self.shape[index + 1 :]) for index in range(len(self.shape))]
        return [
            sum(at * stride for at, stride in zip(where, strides, strict=True))
            for where in product(*self.kept)
        ]


def _kept(axis: Axis, length: int, layers: Collection[int] | None) -> Sequence[int]:
    at = range(length)
    if layers is None or axis not in {Axis.LAYER, Axis.TRANSITION}:
        return at
    if axis is Axis.TRANSITION:  # from a layer to the next: where there are both
        return [layer for layer in at if layer in layers and layer + 1 in layers]
    return [layer for layer in at if layer in layers]
