"""What is said of a result at a glance: which experiment, loss, rank, and the warning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rgclient._numbers import count, with_error

if TYPE_CHECKING:
    from rgclient._collapse import CollapseRatio
    from rgclient._series import LayerSeries
    from rgcontract import Estimate, Snapshot
    from rgcontract import Result as Data


def title(data: Data) -> str:
    """`Result 3f2a: xi = 7, random_reversible, depth 8, width 64, 3 seeds`."""
    model = data.spec.model
    return (
        f"Result {data.id}: xi = {data.chain.corr_len:.4g}, {data.chain.family}, "
        f"depth {model.depth}, width {model.width}, {_runs(data)}"
    )


def _runs(data: Data) -> str:
    seeds = count(len(data.seeds), "seed")
    return seeds if len(data.chain_seeds) == 1 else f"{len(data.chain_seeds)} chains x {seeds}"


def facts(data: Data, ranks: tuple[LayerSeries, CollapseRatio] | None) -> list[tuple[str, str]]:
    """Names and values, in the order they are read."""
    losses = _final(data).losses
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


def warnings(data: Data) -> list[str]:
    """What to know before believing the rank."""
    found = []
    if data.under_trained:
        gap = _percent(_final(data).losses.gap_fraction)
        found.append(
            f"UNDER-TRAINED: the loss is {gap} of the gap above the Bayes loss. "
            "Train for more steps before you believe the rank."
        )
    if data.too_few_samples:
        levels = [part.level for part in _final(data).levels if part.too_few_samples]
        found.append(
            f"TOO FEW SAMPLES at {', '.join(levels)}: ask for more n_sequences before you "
            "believe the rank."
        )
    return found


def _final(data: Data) -> Snapshot:
    return next(snapshot for snapshot in data.snapshots if snapshot.when == "final")


def _scalar(estimate: Estimate) -> str:
    return with_error(_float(estimate.mean), _float(estimate.standard_error))


def _percent(estimate: Estimate) -> str:
    mean = _float(estimate.mean)
    return "an unknown part" if math.isnan(mean) else f"{100 * mean:.3g} %"


def _float(value: float | None) -> float:
    return math.nan if value is None else value
