"""A result as a tidy table: one row per moment, level, quantity and layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rgclient._extras import optional
from rgclient._series import layer_series

if TYPE_CHECKING:
    import pandas as pd

    from rgcontract import Result

COLUMNS = [
    "when", "step", "level", "quantity", "layer",
    "mean", "standard_error", "low", "high", "n_seeds", "n", "half_shift",
]  # fmt: skip


def frame(data: Result) -> pd.DataFrame:
    """Every per-layer quantity; arrays with more indexes are left out."""
    pandas = optional("pandas", "frame")
    return pandas.DataFrame(rows(data), columns=COLUMNS)


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
                    (*key, *point, len(seeds), series.n, shift)
                    for point, shift in zip(series, series.half_shift, strict=True)
                ]
    return found
