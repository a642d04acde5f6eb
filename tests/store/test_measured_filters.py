"""Filters on what was measured compare the numbers that summaries hold."""

from __future__ import annotations

import math
from typing import Any

import pytest
from measured_study import CHAIN

from rgcore.statistics import summarise_runs
from rgstore import experiments, measurements
from rgstore.database import Database
from rgstore.records import Quantity, RunRecord, Training

RANKS, LOSS = ("position", "effective_rank"), ("network", "excess_loss")
TRAINING = Training([1, 2], [0.5, 0.25], [])


@pytest.fixture
def measured(database: Database, put: Any, take: Any) -> Any:
    """Measure an experiment; returns its name."""

    def _measured(depth: Any, numbers: Any, when: str = "final") -> Any:
        name = put(model={"depth": depth}).experiment_id
        quantities = [
            Quantity(when, 10, level, quantity, 7, "plug-in", [len(values)], values, values, {})
            for (level, quantity), values in numbers.items()
        ]
        record = RunRecord(1.0, trained=True, training=TRAINING, chain=CHAIN, quantities=quantities)
        with database.begin() as session:
            measurements.store(session, take(), record, summarise_runs)
        return name

    return _measured


def _found(database: Any, **filters: Any) -> Any:
    with database.begin() as session:
        return {row.id for row in experiments.page(session, filters, after=None, limit=10)}


def test_the_collapse_ratio_is_of_the_last_layer_over_the_first(
    database: Database, measured: Any
) -> None:
    half = measured(2, {RANKS: [8.0, 16.0, 4.0]})
    whole = measured(3, {RANKS: [8.0, 1.0, 1.0, 8.0]})
    assert _found(database, collapse_ratio_max=0.5) == {half}
    assert _found(database, collapse_ratio_max=0.49) == set()
    assert _found(database, collapse_ratio_min=0.51) == {whole}
    assert _found(database, collapse_ratio_min=0.5, collapse_ratio_max=1.0) == {half, whole}


def test_one_stream_for_a_sequence_has_the_rank_of_its_sequences(
    database: Database, measured: Any
) -> None:
    name = measured(2, {("sequence", "effective_rank"): [8.0, 16.0, 4.0]})
    assert _found(database, collapse_ratio_max=0.5) == {name}


def test_what_has_no_such_number_passes_no_filter_on_it(
    database: Database, put: Any, measured: Any
) -> None:
    measured(2, {LOSS: [math.nan], RANKS: [0.0, 1.0, 1.0]})
    measured(3, {("token", "effective_rank"): [2.0, 1.0, 1.0, 1.0]})
    measured(4, {LOSS: [0.5], RANKS: [2.0, 1.0, 1.0, 1.0, 1.0]}, when="initial")
    put()
    for filters in (
        {"excess_loss_min": -9.0}, {"excess_loss_max": 9.0},
        {"collapse_ratio_min": 0.0}, {"collapse_ratio_max": 9.0},
    ):  # fmt: skip
        assert _found(database, **filters) == set()


def test_a_loss_may_be_below_the_least(database: Database, measured: Any) -> None:
    name = measured(2, {LOSS: [-0.25]})
    assert _found(database, excess_loss_min=-0.25, excess_loss_max=-0.25) == {name}
    assert _found(database, excess_loss_min=0.0) == set()


def test_under_trained_is_a_share_of_runs(database: Database, measured: Any) -> None:
    name = measured(2, {("network", "under_trained"): [1.0]})
    assert _found(database, under_trained_min=0.5) == {name}
    assert _found(database, under_trained_max=0.5) == set()


def test_experiments_on_the_same_chain_are_found_by_its_hash(database: Database, put: Any) -> None:
    same = {put(model={"depth": depth}).experiment_id for depth in (2, 3)}
    put(chain={"corr_len": 3.0})
    with database.begin() as session:
        (of,) = {
            row.chain_hash
            for row in experiments.page(session, {}, after=None, limit=10)
            if row.id in same
        }
    assert _found(database, chain_hash=of) == same
