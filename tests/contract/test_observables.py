"""The rows of observables among themselves, and against what is stored already."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from rgcontract import Mixing
from rgcontract.observables import (
    AT_EVERY_LEVEL,
    NETWORK,
    OBSERVABLES,
    REASONS,
    Axis,
    observables_at,
)

GOLDEN = Path(__file__).parent / "golden" / "estimators.json"


def test_estimators_are_said_as_they_were_stored() -> None:
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert {name: OBSERVABLES[name].estimator for name in stored} == stored


def test_every_number_names_its_estimator_but_the_flag_that_needs_none() -> None:
    assert {row.name for row in OBSERVABLES.values() if not row.estimator} == {"too_few_samples"}


def test_every_reason_is_one_of_some_observable_and_has_a_meaning() -> None:
    assert {reason for row in OBSERVABLES.values() for reason in row.reasons} == REASONS.keys()


@pytest.mark.parametrize("row", OBSERVABLES.values(), ids=OBSERVABLES)
def test_row_is_whole(row: Any) -> None:
    assert row.label
    assert row.meaning.endswith(".")
    assert row.formula
    assert row.bias
    assert row.null
    assert set(row.levels) <= {*AT_EVERY_LEVEL, NETWORK}
    assert (row.of_independent is None) == (row.tends is None)
    assert 0 < row.resolution <= 1e-6


def test_no_two_observables_mean_the_same() -> None:
    meanings = [row.meaning for row in OBSERVABLES.values()]
    assert len(set(meanings)) == len(meanings)


def test_rows_are_json() -> None:
    said = json.dumps([asdict(row) | {"laws": sorted(row.laws)} for row in OBSERVABLES.values()])
    assert json.loads(said)[0]["axes"] == ["layer"]
    assert "NaN" not in said
    assert "Infinity" not in said


def test_only_losses_angles_and_lengths_have_a_unit() -> None:
    assert {row.name: row.unit for row in OBSERVABLES.values() if row.unit} == {
        **dict.fromkeys(("loss", "bayes_loss", "visible_bayes_loss", "excess_loss"), "nats"),
        "subspace_angle": "radians",
        "corr_len_flow": "tokens",
    }


def test_a_unit_stands_in_the_label_of_an_axis() -> None:
    assert OBSERVABLES["loss"].axis_label == "loss (nats)"
    assert OBSERVABLES["effective_rank"].axis_label == "effective rank"


def test_one_stream_per_sequence_has_no_positions() -> None:
    flat = {row.name for row in observables_at(NETWORK, Mixing.FLAT)}
    context = {row.name for row in observables_at(NETWORK, Mixing.CONTEXT)}
    assert context - flat == {"stream_correlation", "corr_len_flow"}
    assert flat < context


def test_what_is_at_each_position_has_positions() -> None:
    by_position = {row.name for row in OBSERVABLES.values() if Axis.POSITION in row.axes}
    assert by_position == {"effective_rank_by_position", "kernel_drift_by_position"}
    assert all(OBSERVABLES[name].levels == ("position",) for name in by_position)


def test_a_distance_of_a_layer_from_itself_is_none() -> None:
    zero = {row.name for row in OBSERVABLES.values() if row.on_itself == 0.0}
    one = {row.name for row in OBSERVABLES.values() if row.on_itself == 1.0}
    assert zero == {
        "kernel_drift", "kernel_drift_debiased", "kernel_drift_by_position", "frobenius_drift",
        "procrustes_distance", "subspace_angle",
    }  # fmt: skip
    assert one == {"cka", "cka_debiased"}
    assert all(math.isfinite(row.of_independent or 0.0) for row in OBSERVABLES.values())
