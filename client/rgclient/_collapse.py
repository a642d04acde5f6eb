"""The collapse ratio: by how much the effective rank falls from the first layer to the last."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rgclient._numbers import with_error

if TYPE_CHECKING:
    from rgclient._series import LayerSeries, RunKey


@dataclass(frozen=True, repr=False)
class CollapseRatio:
    """rank_L / rank_0 over seeds; below 1 the network coarse-grains."""

    level: str
    when: str
    """`initial`, `step_N`, `final` or `shuffled`."""
    mean: float
    """Of the ratios of the runs; nan if a run has none."""
    standard_error: float
    """Of the mean over seeds, or over chains (each the mean of its seeds); nan for a single one."""
    per_seed: dict[RunKey, float]
    """Run -> its own ratio."""

    def __repr__(self) -> str:
        """The number with its error."""
        return (
            f"CollapseRatio({with_error(self.mean, self.standard_error)}, level={self.level!r}, "
            f"when={self.when!r}, n_seeds={len(self.per_seed)})"
        )


def collapse_ratio(ranks: LayerSeries) -> CollapseRatio:
    """The ratio of the last to the first value of each run, its mean and standard error."""
    per_seed = {
        seed: column[-1] / column[0] if column[0] else math.nan
        for seed, column in ranks.per_seed.items()
    }
    values = _sampled(per_seed)
    complete = bool(values) and not any(map(math.isnan, values))
    return CollapseRatio(
        level=ranks.level,
        when=ranks.when,
        mean=statistics.fmean(values) if complete else math.nan,
        standard_error=(
            statistics.stdev(values) / math.sqrt(len(values))
            if complete and len(values) > 1
            else math.nan
        ),
        per_seed=per_seed,
    )


def _sampled(per_seed: dict[RunKey, float]) -> list[float]:
    """What the error is over: the runs, or the means of the chains where there are several."""
    chains: dict[int, list[float]] = {}
    for run, value in per_seed.items():
        if isinstance(run, int):
            return list(per_seed.values())
        chains.setdefault(run[0], []).append(value)
    return [statistics.fmean(values) for values in chains.values()]
