"""Every observable that has a row is a method of a result, found by completion."""

from __future__ import annotations

from typing import Any

import pytest

from rgclient import NotMeasured, Result
from rgclient._result import BY_NAME
from rgcontract import Losses
from rgcontract.observables import OBSERVABLES, Group


@pytest.fixture
def whole(make_result: Any) -> Any:
    """A result that has every observable wherever it exists."""
    found = make_result(levels=("position", "masked", "pooled"))
    for snapshot in found.data.snapshots:
        given = snapshot.levels[0].quantities["effective_rank"]
        for part in [*snapshot.levels, snapshot.network]:
            for row in OBSERVABLES.values():
                if part.level in row.levels:
                    part.quantities.setdefault(row.name, given)
    return found


@pytest.mark.parametrize("name", BY_NAME)
def test_an_observable_is_read_as_a_method(name: Any, whole: Any) -> None:
    row = BY_NAME[name]
    assert name in dir(whole)
    if name in {"spectrum", "cka"}:  # these say what shape they have
        return
    read = getattr(whole, name)()
    assert (read.quantity, read.when) == (name, "final")
    assert read.level in row.levels
    assert getattr(whole, name)(when="initial").when == "initial"


def test_all_but_the_flags_of_the_whole_are_methods() -> None:
    left = {name: row.group for name, row in OBSERVABLES.items() if name not in BY_NAME}
    assert left == {"under_trained": Group.FLAGS, "too_few_samples": Group.FLAGS}


@pytest.mark.parametrize("name", [*Losses.model_fields])
def test_a_loss_is_read_as_a_method_with_its_error_bar(name: Any, result: Result) -> None:
    told = getattr(result.losses("initial"), name)
    read = getattr(result, name)(when="initial")
    assert (read.quantity, read.level, read.when) == (name, "network", "initial")
    assert (read.mean, read.n) == (told.mean, told.n)
    assert repr(read).startswith(f"{name}, level network, initial")


def test_a_loss_that_an_earlier_protocol_had_not_is_said_to_be_missing(
    result: Result,
) -> None:
    losses = result.losses().model_copy(update={"view_fraction": None})
    final = result.data.snapshots[-1].model_copy(update={"losses": losses, "network": None})
    older = Result(result.data.model_copy(update={"snapshots": [final]}))
    assert older.quantity("loss", "network").mean == losses.loss.mean
    with pytest.raises(NotMeasured, match="no quantity 'view_fraction' at level 'network'"):
        older.quantity("view_fraction", "network")


def test_a_method_says_what_the_row_says(whole: Any) -> None:
    assert whole.frobenius_drift.__doc__ == OBSERVABLES["frobenius_drift"].meaning
    assert whole.frobenius_drift.__name__ == "frobenius_drift"


def test_a_name_that_is_none_gets_the_nearest(result: Result) -> None:
    with pytest.raises(AttributeError, match="no 'frobenius'; did you mean frobenius_drift"):
        _ = result.frobenius  # type: ignore[attr-defined]  # wrong on purpose
    with pytest.raises(AttributeError, match=r"has no 'weather'$"):
        _ = result.weather  # type: ignore[attr-defined]  # wrong on purpose


def test_what_was_not_measured_is_said_as_ever(result: Result) -> None:
    with pytest.raises(NotMeasured, match="no quantity 'frobenius_drift' at level 'position'"):
        result.frobenius_drift()  # type: ignore[attr-defined]  # made where it is asked for
