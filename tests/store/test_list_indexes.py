"""Every filter of a list has an index that also gives its order, so that a page stays a page."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from rgcontract import State
from rgstore import experiments
from rgstore.database import Database
from rgstore.ordering import Place

pytestmark = pytest.mark.by_hand("experiments without runs")

MANY = 5000


@pytest.fixture
def stored(database: Database) -> Any:
    """Experiments enough for a table to be worth an index; returns the time of the middle one."""
    fill = text(
        "INSERT INTO experiments (id, spec_hash, training_hash, chain_hash, protocol, spec, family,"
        " corr_len, mixing, depth, width, flops_per_run, tags, priority, owner, state, created_at)"
        " SELECT 'e-' || i, 'h' || i, '', 'c' || i % 25, 1, '{}', 'family-' || i % 25, i % 500,"
        " 'm' || i % 25, i % 25, i % 25, 1, ARRAY['tag-' || i % 250], 0, 'owner-' || i % 25,"
        " 'done', now() - i * interval '1 minute' FROM generate_series(1, :many) i"
    )
    requests = text(
        "INSERT INTO submissions (owner, body_hash, experiment_id, created, added_seeds, tags)"
        " SELECT owner, '', id, true, '{}', tags FROM experiments"
    )
    with database.begin() as session:
        session.execute(fill, {"many": MANY})
        session.execute(requests)
        session.execute(text("ANALYZE experiments, submissions"))
        return session.scalar(text("SELECT created_at FROM experiments WHERE id = 'e-2500'"))


def _plan(
    database: Any, filters: dict[str, Any], after: Any = None, *, sorting: bool = True
) -> str:
    """How Postgres would find a page; without sorting, if there is a way."""
    plans: list[str] = []

    def explain(
        connection: Any,
        cursor: Any,
        statement: Any,
        parameters: Any,
        context: Any,
        executemany: Any,
    ) -> None:
        with connection.connection.driver_connection.cursor() as other:
            other.execute(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(line for (line,) in other.fetchall()))

    with database.begin() as session:
        connection = session.connection()
        connection.execute(text(f"SET LOCAL enable_sort = {'on' if sorting else 'off'}"))
        event.listen(connection, "before_cursor_execute", explain)
        experiments.page(session, filters, after=after, limit=51)
    return plans[-1]  # what is looked up before it is no page


@pytest.mark.parametrize(
    "filters",
    [
        {"state": State.FAILED},
        {"corr_len_min": 5.0, "corr_len_max": 6.0},
        {"corr_len_min": 498.0},
        {"corr_len_max": 1.0},
        {"tag": "tag-7"},
    ],
    ids=str,
)
def test_what_few_have_is_found_by_an_index(database: Database, stored: Any, filters: Any) -> None:
    plan = _plan(database, filters)
    assert "Index" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "ix_experiments_created_at_id"),
        ({"state": State.DONE}, "created_at_id"),
        ({"family": "family-3"}, "ix_experiments_family_created_at_id"),
        ({"mixing": "m3"}, "ix_experiments_mixing_created_at_id"),
        ({"depth": 3}, "ix_experiments_depth_created_at_id"),
        ({"width": 3}, "ix_experiments_width_created_at_id"),
        ({"owner": "owner-3"}, "ix_experiments_owner_created_at_id"),
        ({"chain_hash": "c3"}, "ix_experiments_chain_hash_created_at_id"),
    ],
    ids=str,
)
def test_a_page_after_another_is_read_in_order_and_nothing_is_sorted(
    database: Database, stored: Any, filters: Any, index: str
) -> None:
    plan = _plan(database, filters, Place(stored, "e-2500"), sorting=False)
    assert index in plan
    assert "Sort" not in plan


def test_a_filter_on_what_was_measured_reads_one_row_by_its_key_for_each_experiment(
    database: Database, stored: Any
) -> None:
    with database.begin() as session:
        session.execute(
            text(
                'INSERT INTO summaries (experiment_id, "when", level, quantity, step, n_rows,'
                " estimator, shape, n_runs, mean, standard_error, low, high, reasons)"
                " SELECT id, 'final', 'position', 'effective_rank', 1, 1, '', '{2}', 1,"
                " ARRAY[1, 0.5], '{0,0}', '{0,0}', '{0,0}', '{}' FROM experiments"
            )
        )
        session.execute(text("ANALYZE summaries"))
    plan = _plan(database, {"collapse_ratio_max": 0.6})
    assert "using ix_experiments_created_at_id" in plan
    assert "Index Scan using pk_summaries" in plan
    assert "Seq Scan" not in plan
