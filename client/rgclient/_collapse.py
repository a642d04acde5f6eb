"""The collapse ratio: by how much the effective rank falls from the first layer to the last."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rgclient._numbers import with_error

if TYPE_CHECKING:
    from rgclient._series import LayerSeries


@dataclass(frozen=True, repr=False)
class CollapseRatio:
    """rank_L / rank_0 over seeds; below 1 the network coarse-grains."""

    level: str
    when: str
    """`initial` or `final`."""
    mean: float
    """Of the ratios of the seeds; nan if a seed has none."""
    standard_error: float
    """Sample standard deviation / sqrt(seeds); nan for a single seed."""
    per_seed: dict[int, float]
    """Seed -> its own ratio."""

    def __repr__(self) -> str:
        """The number with its error."""
        return (
            f"CollapseRatio({with_error(self.mean, self.standard_error)}, level={self.level!r}, "
            f"when={self.when!r}, n_seeds={len(self.per_seed)})"
        )


def collapse_ratio(ranks: LayerSeries) -> CollapseRatio:
    """The ratio of the last to the first value of each seed, its mean and standard error."""
    per_seed = {
        seed: column[-1] / column[0] if column[0] else math.nan
        for seed, column in ranks.per_seed.items()
    }
    values = list(per_seed.values())
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
