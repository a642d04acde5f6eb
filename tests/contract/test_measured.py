"""A number of a result stands under its names; where it does not, it is said what there is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rgcontract import StoredSpec
from rgcontract.measured import NotThere, at_level, at_moment, deciding_level, estimate
from rgcontract.result import Estimate, LevelResult, Losses, Result, Snapshot

LOSS, RANK = (
    Estimate(shape=[], mean=mean, standard_error=None, low=None, high=None) for mean in (1.5, 4.0)
)


def result(*snapshots: Snapshot, mixing: str = "context") -> Result:
    """Of these snapshots and of a spec that says how tokens mix, and of nothing else."""
    spec = StoredSpec.model_validate_json(json.dumps({"model": {"mixing": mixing}, "seeds": [0]}))
    parts: dict[str, Any] = {"spec": spec, "snapshots": list(snapshots)}
    return Result.model_construct(**parts)


def snapshot(when: str, *levels: LevelResult, network: LevelResult | None = None) -> Snapshot:
    none: dict[str, Any] = dict.fromkeys(Losses.model_fields)
    losses = Losses.model_construct(**none)
    parts: dict[str, Any] = {
        "when": when, "levels": list(levels), "network": network, "losses": losses,
    }  # fmt: skip
    return Snapshot.model_construct(**parts)


def level(name: str, **quantities: Estimate) -> LevelResult:
    return LevelResult(level=name, n_rows=10, too_few_samples=False, quantities=quantities)


WHOLE = result(
    snapshot(
        "final",
        level("position", effective_rank=RANK, loss=LOSS),
        level("token"),
        network=level("network", stream_correlation=LOSS),
    ),
    snapshot("initial"),
)


def test_a_number_is_found_by_quantity_level_and_moment() -> None:
    assert estimate(WHOLE, "effective_rank", "position", "final") == RANK
    assert estimate(WHOLE, "stream_correlation", "network", "final") == LOSS


def test_what_is_not_there_is_said_with_all_that_is() -> None:
    with pytest.raises(NotThere, match=r"no quantity 'rank' .*; there are effective_rank, loss$"):
        estimate(WHOLE, "rank", "position", "final")
    with pytest.raises(NotThere, match=r"'flow' was not .*; there are position, token, network$"):
        at_level(WHOLE, "flow", "final")
    with pytest.raises(NotThere, match=r"measured at 'step_7'; there are final, initial$"):
        at_moment(WHOLE, "step_7")


def test_where_there_is_nothing_none_is_what_there_is() -> None:
    with pytest.raises(NotThere, match=r"there are none$"):
        at_level(WHOLE, "position", "initial")
    with pytest.raises(NotThere, match=r"there are none$"):
        at_moment(result(), "final")


@pytest.mark.parametrize(
    ("mixing", "decides"), [("context", "position"), ("window", "position"), ("flat", "sequence")]
)
def test_positions_decide_where_there_are_any(mixing: str, decides: str) -> None:
    assert deciding_level(result(mixing=mixing)) == decides
