"""Filters, columns and states: rows that nothing repeats."""

from __future__ import annotations

import inspect
import runpy

import pytest

import rgclient
from rgcontract import ExperimentSummary, RunCounts, State
from rgcontract.columns import COLUMNS, Column
from rgcontract.fields import rows
from rgcontract.filters import FILTERS, RANGES, Filter, How, Measured
from rgcontract.observables import OBSERVABLES
from rgcontract.spec import Submission
from rgcontract.status import SHOWN

ROWS = FILTERS.values()


def test_the_page_has_the_table_that_the_rows_make() -> None:
    script = runpy.run_path("scripts/filters_table.py")
    text = script["PAGE"].read_text()
    assert text == script["current"](text)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_filter_says_what_it_compares(row: Filter) -> None:
    assert row.meaning
    assert row.schema.keys() & {"type", "enum"}


@pytest.mark.parametrize(("column", "path"), SHOWN.items())
def test_a_column_that_shows_a_field_of_a_spec_says_what_the_field_says(
    column: str, path: str
) -> None:
    (row,) = (row for row in rows(Submission) if row.path == path)
    assert COLUMNS[column] == Column(column, row.meaning, row.unit, row.symbol)


@pytest.mark.parametrize(
    "of", [row.on for row in ROWS if isinstance(row.on, Measured)], ids=lambda of: of.quantity
)
def test_a_filter_on_what_was_measured_is_on_an_observable_of_those_levels(of: Measured) -> None:
    row = OBSERVABLES[of.quantity]
    assert set(of.levels) <= set(row.levels)
    assert len(row.axes) == (1 if of.last_over_first else 0)


def test_a_range_has_two_ends() -> None:
    assert {row.name for row in ROWS if row.how is How.AT_MOST} == set(RANGES.values())
    assert all(FILTERS[low].on == FILTERS[high].on for low, high in RANGES.items())


def test_a_column_says_what_it_shows() -> None:
    assert list(COLUMNS) == list(ExperimentSummary.model_fields)
    assert [row.name for row in COLUMNS.values() if not row.meaning] == []


def test_runs_are_counted_by_each_state_that_there_is() -> None:
    assert list(RunCounts.model_fields) == list(State)


def test_a_notebook_is_told_every_filter() -> None:
    experiments = rgclient.Client.experiments
    assert set(FILTERS) < set(inspect.signature(experiments).parameters)
    assert all(f"{name}: " in (experiments.__doc__ or "") for name in FILTERS)
