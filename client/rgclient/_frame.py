"""A result as a tidy table: one row per moment, level, quantity and index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rgclient._extras import optional
from rgclient._series import layer_series
from rgcontract.observables import OBSERVABLES, Axis

if TYPE_CHECKING:
    import pandas as pd

    from rgcontract import Result

INDEXES = tuple(
    axis.value for axis in Axis if any(row.axes == (axis,) for row in OBSERVABLES.values())
)
"""What the one index of an observable may count: a column each, empty for the others."""
COLUMNS = [
    "when", "step", "level", "quantity", *INDEXES,
    "mean", "standard_error", "low", "high", "n_seeds", "n", "half_shift",
]  # fmt: skip


def frame(data: Result) -> pd.DataFrame:
    """Every quantity with one index; arrays with more are left out."""
    pandas = optional("pandas", "frame")
    found = pandas.DataFrame(rows(data), columns=COLUMNS)
    return found.astype(dict.fromkeys(INDEXES, "Int64"))


def rows(data: Result) -> list[tuple[Any, ...]]:
    """The rows, in the order of `COLUMNS`."""
    seeds = tuple(data.seeds)
    found: list[tuple[Any, ...]] = []
    for snapshot in data.snapshots:
        network = [] if snapshot.network is None else [snapshot.network]
        for part in [*snapshot.levels, *network]:
            for name, estimate in part.quantities.items():
                if len(estimate.shape) != 1:
                    continue
                series = layer_series(
                    estimate, quantity=name, level=part.level, when=snapshot.when, seeds=seeds
                )
                key = (snapshot.when, snapshot.step, part.level, name)
                found += [
                    (*key, *_index(name, at), *numbers, len(seeds), series.n, shift)
                    for (at, *numbers), shift in zip(series, series.half_shift, strict=True)
                ]
    return found


def _index(quantity: str, at: int) -> list[int | None]:
    """The index in the column of what it counts; of what is not known here, a layer."""
    row = OBSERVABLES.get(quantity)
    counts = row.axes[0].value if row is not None and row.axes else Axis.LAYER.value
    return [at if name == counts else None for name in INDEXES]
