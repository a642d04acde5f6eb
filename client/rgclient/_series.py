"""A quantity layer by layer, with its error bar.

Where the server has no number the value is `nan`, and `reasons` says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from rgclient._html import grid
from rgclient._numbers import count, number, with_error

if TYPE_CHECKING:
    from rgcontract import Estimate

Column = tuple[float, ...]
"""A number for each layer."""

RunKey = int | tuple[int, int]
"""A training seed; (chain seed, training seed) where an experiment has several chains."""

T = TypeVar("T")

HEADER = ("layer", "mean", "standard_error", "low", "high")


class LayerPoint(NamedTuple):
    """One layer of a series."""

    layer: int
    mean: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class _Measured(Generic[T]):
    """A quantity with its error bar; `T` holds a number for each of its indexes."""

    quantity: str
    level: str
    when: str
    """`initial`, `step_N`, `final` or `shuffled`."""
    seeds: tuple[int, ...]
    mean: T
    """Over seeds, or over chains where there are several; as are the others."""
    standard_error: T
    """Of the mean; nan for a single seed."""
    low: T
    """Lower end of the bootstrap interval of the mean."""
    high: T
    """Upper end."""
    per_seed: dict[RunKey, T]
    """Run -> its own values; empty where they were not asked for."""
    n: int
    """Samples behind each number."""
    estimator: str
    """How it is estimated, and its known bias."""
    half_shift: T
    """Value from n samples less that from n/2, mean over runs: what more samples may change."""
    reasons: dict[int, str]
    """Flat index -> why it has no number."""

    @property
    def _title(self) -> str:
        seeds = count(len(self.seeds), "seed")
        return f"{self.quantity}, level {self.level}, {self.when}, {seeds}"


@dataclass(frozen=True, repr=False)
class LayerSeries(_Measured[Column]):
    """A quantity over the layers 0 to L: `series[l]` is a `LayerPoint`, `series.mean` all means.

    `kernel_drift` has one value per transition: index l is from layer l to layer l + 1.
    """

    def __len__(self) -> int:
        """Number of layers."""
        return len(self.mean)

    def __iter__(self) -> Iterator[LayerPoint]:
        """The layers in order, each with its error bar."""
        for layer, values in enumerate(
            zip(self.mean, self.standard_error, self.low, self.high, strict=True)
        ):
            yield LayerPoint(layer, *values)

    @overload
    def __getitem__(self, layer: int) -> LayerPoint: ...
    @overload
    def __getitem__(self, layer: slice) -> list[LayerPoint]: ...
    def __getitem__(self, layer: int | slice) -> LayerPoint | list[LayerPoint]:
        """A layer, counted from the end if negative, or several."""
        return list(self)[layer]

    def __repr__(self) -> str:
        """A small table."""
        lines = [self._title, f"{'layer':>5}" + "".join(f"{name:>15}" for name in HEADER[1:])]
        for layer, *values in self:
            why = f"  {self.reasons[layer]}" if layer in self.reasons else ""
            lines.append(f"{layer:>5}" + "".join(f"{number(value):>15}" for value in values) + why)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = ([str(layer), *map(number, values)] for layer, *values in self)
        return grid(self._title, HEADER, rows)


@dataclass(frozen=True, repr=False)
class LayerArray(_Measured[Any]):
    """A quantity with other indexes, as nested tuples: `spectrum` is (L + 1, d)."""

    shape: tuple[int, ...]

    def __len__(self) -> int:
        """Length of the first index."""
        return len(self.mean)

    def __repr__(self) -> str:
        """Its name and shape."""
        if not self.shape:
            return f"{self._title}: {with_error(float(self.mean), float(self.standard_error))}"
        return (
            f"{self._title}: array of shape {self.shape}; see .mean, .standard_error, .low, .high"
        )


def layer_series(
    estimate: Estimate, *, quantity: str, level: str, when: str, seeds: tuple[int, ...]
) -> LayerSeries:
    """A per-layer estimate as the wire has it, as a series."""
    return LayerSeries(quantity=quantity, level=level, when=when, seeds=seeds, **_fields(estimate))


def layer_array(
    estimate: Estimate, *, quantity: str, level: str, when: str, seeds: tuple[int, ...]
) -> LayerArray:
    """An estimate with other indexes as the wire has it, as nested tuples."""
    return LayerArray(
        quantity=quantity,
        level=level,
        when=when,
        seeds=seeds,
        shape=tuple(estimate.shape),
        **_fields(estimate),
    )


def _fields(estimate: Estimate) -> dict[str, Any]:
    """The numbers of an estimate, null as nan."""
    arrays = {
        name: _or_nan(getattr(estimate, name), estimate.shape)
        for name in ("mean", "standard_error", "low", "high", "half_shift")
    }
    return {
        **arrays,
        "per_seed": _per_seed(estimate),
        "n": estimate.n,
        "estimator": estimate.estimator,
        "reasons": _reasons(estimate),
    }


def _numbers(value: Any) -> Any:
    """Nested lists as nested tuples of floats, null as nan."""
    if isinstance(value, list):
        return tuple(_numbers(item) for item in value)
    return math.nan if value is None else float(value)


def _or_nan(value: Any, shape: list[int]) -> Any:
    """As `_numbers`; an array of nan of the given shape where there is none at all."""
    if value is None and shape:
        return tuple(_or_nan(None, shape[1:]) for _ in range(shape[0]))
    return _numbers(value)


def _per_seed(estimate: Estimate) -> dict[RunKey, Any]:
    return {run_key(name): _numbers(values) for name, values in (estimate.per_seed or {}).items()}


def run_key(name: str) -> RunKey:
    """`3` is training seed 3; `1/3` is training seed 3 on the chain of seed 1."""
    chain, slash, seed = name.rpartition("/")
    return (int(chain), int(seed)) if slash else int(seed)


def _reasons(estimate: Estimate) -> dict[int, str]:
    found = {index: reason for reason, where in estimate.reasons.items() for index in where}
    return dict(sorted(found.items()))
