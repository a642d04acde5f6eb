"""Every migration, one by one, on what the database of each release held."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import pytest
from fastapi.testclient import TestClient
from releases import RELEASES, REVISIONS, load
from sqlalchemy import Engine, create_engine, inspect, make_url, text

from migrations import upgrade
from rgcontract import Experiment, ExperimentPage, Result, State, Study
from rgservice.app import create_app
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token

SET_RIGHT = {
    ("0007", "experiments", "spec"): "of a matrix of one's own: its correlation length",
    ("0007", "experiments", "corr_len"): "the same",
    ("0007", "runs", "chain_seed"): "0 for a family that draws nothing",
    ("0007", "chains", "corr_len"): "of a matrix of one's own",
    ("0007", "chains", "eigenvalues_real"): "the same",
    ("0007", "chains", "eigenvalues_imag"): "the same",
    ("0007", "chains", "reversible"): "the same",
    ("0006", "experiments", "training_protocol"): "of what was measured under earlier protocols",
}
"""(revision, table, column) -> what it may change of values that were there."""
Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
"""Table -> primary key -> column -> value."""


@pytest.fixture
def empty(admin: Any, postgres: str) -> Iterator[str]:
    """URL of a database without any table."""
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE upgraded"))
    yield make_url(postgres).set(database="upgraded").render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE upgraded WITH (FORCE)"))


@pytest.fixture
def engine(empty: str) -> Iterator[Engine]:
    """Connections to it."""
    made = create_engine(empty)
    yield made
    made.dispose()


def _rows(engine: Engine) -> Rows:
    found: Rows = {}
    with engine.connect() as connection:
        tables = inspect(connection)
        for name in tables.get_table_names():
            key = tables.get_pk_constraint(name)["constrained_columns"]
            # as JSON, in which every double has its shortest text and nan is itself
            rows = connection.scalars(text(f'SELECT row_to_json(one) FROM "{name}" one'))
            found[name] = {tuple(row[column] for column in key): row for row in rows}
    return found


def _lost(revision: str, before: Rows, after: Rows) -> list[str]:
    """What was there and is not, or is something else."""
    return [
        f"{table}.{column} of {key}"
        for table, rows in before.items()
        if table != "alembic_version"
        for key, row in rows.items()
        for column, value in row.items()
        if (revision, table, column) not in SET_RIGHT
        and after[table].get(key, {}).get(column, ...) != value
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_no_migration_changes_what_was_there(empty: str, engine: Engine, release: Any) -> None:
    load(engine, release)
    before = _rows(engine)
    assert len(before["runs"]) > 10
    for revision in REVISIONS[REVISIONS.index(release) + 1 :]:
        upgrade(empty, revision)
        after = _rows(engine)
        assert _lost(revision, before, after) == []
        before = after


def test_a_value_that_a_migration_changed_would_be_seen(empty: str, engine: Engine) -> None:
    load(engine, REVISIONS[0])
    before = _rows(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE weights SET data = data || '\\x00'"))
        connection.execute(text("UPDATE results SET seconds = seconds * (1 + 1e-15::float8)"))
    lost = {of.partition(" ")[0] for of in _lost(REVISIONS[1], before, _rows(engine))}
    assert lost >= {"weights.data", "results.seconds"}


@pytest.mark.parametrize("release", RELEASES)
def test_the_server_of_today_reads_all_that_a_release_stored(
    empty: str, engine: Engine, release: Any
) -> None:
    load(engine, release)
    upgrade(empty)
    database = Database(empty)
    with database.begin() as session:
        token = make_token(session, "reader")
    database.dispose()
    settings = Settings(database_url=empty, allowed_hosts="testserver")
    app = create_app(settings, lambda _: None)
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as http:
        page = ExperimentPage.model_validate_json(http.get("/v1/experiments?limit=500").text)
        assert {State.DONE, State.CANCELLED, State.QUEUED} == {one.state for one in page.items}
        for one in page.items:
            read = Experiment.model_validate_json(http.get(f"/v1/experiments/{one.id}").text)
            assert (read.unreadable, read.state) == (None, one.state)
            if one.state is State.DONE:
                answer = http.get(f"/v1/experiments/{one.id}/result?arrays=runs").text
                _compare(engine, Result.model_validate_json(answer))
        (name,) = _rows(engine)["studies"].keys()
        study = Study.model_validate_json(http.get(f"/v1/studies/{name[0]}").text)
        assert study.state is State.DONE
        assert http.get(f"/v1/studies/{name[0]}/findings").json()["groups"]


def _compare(engine: Engine, result: Result) -> None:
    """The answer has the very numbers that the database has."""
    with engine.connect() as connection:
        kept = connection.execute(
            text('SELECT "when", level, quantity, mean FROM summaries WHERE experiment_id = :id'),
            {"id": result.id},
        ).all()
    answered = {
        (snapshot.when, level.level, name): estimate.mean
        for snapshot in result.snapshots
        for level in snapshot.levels
        for name, estimate in level.quantities.items()
    }
    compared = 0
    for when, level, quantity, mean in kept:
        if (when, level, quantity) in answered:
            compared += 1
            assert _flat(answered[when, level, quantity]) == [
                value if isfinite(value) else None for value in mean
            ]
    assert compared >= len(answered) > 10


def _flat(nested: Any) -> list[Any]:
    if not isinstance(nested, list):
        return [nested]
    return [value for part in nested for value in _flat(part)]
