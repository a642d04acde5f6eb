"""What is said of a result at a glance: which experiment, loss, rank, and the warning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rgclient._numbers import count, with_error

if TYPE_CHECKING:
    from rgclient._collapse import CollapseRatio
    from rgclient._series import LayerSeries
    from rgcontract import Estimate, Result


def title(data: Result) -> str:
    """`Result 3f2a: xi = 7, random_reversible, depth 8, width 64, 3 seeds`."""
    model = data.spec.model
    return (
        f"Result {data.id}: xi = {data.chain.corr_len:.4g}, {data.chain.family}, "
        f"depth {model.depth}, width {model.width}, {count(len(data.seeds), 'seed')}"
    )


def facts(data: Result, ranks: tuple[LayerSeries, CollapseRatio] | None) -> list[tuple[str, str]]:
    """Names and values, in the order they are read."""
    losses = data.snapshots[-1].losses
    loss, bayes = _scalar(losses.loss), _scalar(losses.bayes_loss)
    excess = _percent(losses.gap_fraction)
    found = [
        ("seeds", ", ".join(map(str, data.seeds))),
        ("loss", f"{loss} nats (Bayes {bayes}), excess {excess} of the gap"),
    ]
    if ranks:
        series, ratio = ranks
        first, last = (
            f"{with_error(point.mean, point.standard_error)} at layer {point.layer}"
            for point in (series[0], series[-1])
        )
        found += [
            (f"effective rank ({series.level})", f"{first} -> {last}"),
            ("collapse ratio", with_error(ratio.mean, ratio.standard_error)),
        ]
    return found


def warning(data: Result) -> str | None:
    """What to know before believing the rank."""
    if not data.under_trained:
        return None
    gap = _percent(data.snapshots[-1].losses.gap_fraction)
    return (
        f"UNDER-TRAINED: the loss is {gap} of the gap above the Bayes loss. "
        "Train for more steps before you believe the rank."
    )


def _scalar(estimate: Estimate) -> str:
    return with_error(_float(estimate.mean), _float(estimate.standard_error))


def _percent(estimate: Estimate) -> str:
    mean = _float(estimate.mean)
    return "an unknown part" if math.isnan(mean) else f"{100 * mean:.3g} %"


def _float(value: float | None) -> float:
    return math.nan if value is None else value
