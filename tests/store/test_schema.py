"""The migrations build the very schema that the models describe: `pg_dump` tells both alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from schema_dump import schema_of
from sqlalchemy import create_engine, make_url, text

from rgstore.tables import Base

KEY = "ALTER TABLE weights ADD CONSTRAINT fk_step FOREIGN KEY (seed) REFERENCES runs (id)"
CHANGES = {
    "a generated column that is not stored": (
        "ALTER TABLE runs ADD half_step integer GENERATED ALWAYS AS (step / 2) STORED",
        "ALTER TABLE runs ADD half_step integer GENERATED ALWAYS AS (step / 2) VIRTUAL",
    ),
    "a constraint that is not validated": (
        "ALTER TABLE runs ADD CONSTRAINT ck_step CHECK (step >= 0)",
        "ALTER TABLE runs ADD CONSTRAINT ck_step CHECK (step >= 0) NOT VALID",
    ),
    "a constraint that is not enforced": (
        "ALTER TABLE runs ADD CONSTRAINT ck_step CHECK (step >= 0)",
        "ALTER TABLE runs ADD CONSTRAINT ck_step CHECK (step >= 0) NOT ENFORCED",
    ),
    "a foreign key that is not enforced": (
        KEY,
        f"{KEY} NOT ENFORCED",
    ),
    "a default": ("", "ALTER TABLE runs ALTER fraction SET DEFAULT 1"),
    "no default": ("", "ALTER TABLE runs ALTER cancel_requested DROP DEFAULT"),
    "a null that is allowed": ("", "ALTER TABLE runs ALTER fraction DROP NOT NULL"),
    "a type": ("", "ALTER TABLE runs ALTER fraction TYPE real"),
    "the text of a check": (
        "ALTER TABLE runs ADD CONSTRAINT ck_step CHECK (step >= 0)",
        "ALTER TABLE runs ADD CONSTRAINT ck_step CHECK (step > 0)",
    ),
    "an index of other rows": (
        "CREATE INDEX ix_step ON runs (step) WHERE state = 'queued'",
        "CREATE INDEX ix_step ON runs (step) WHERE state = 'running'",
    ),
    "an index in another order": (
        "CREATE INDEX ix_step ON runs (step, seed)",
        "CREATE INDEX ix_step ON runs (seed, step)",
    ),
    "an index of another kind": (
        "CREATE INDEX ix_step ON runs (step)",
        "CREATE INDEX ix_step ON runs USING hash (step)",
    ),
    "what happens on deletion": (
        KEY,
        f"{KEY} ON DELETE CASCADE",
    ),
    "when a foreign key is checked": (
        KEY,
        f"{KEY} DEFERRABLE INITIALLY DEFERRED",
    ),
    "a trigger that is missing": ("", "DROP TRIGGER implemented ON attempts"),
    "a trigger that is off": ("", "ALTER TABLE attempts DISABLE TRIGGER implemented"),
    "identity that is always given": ("", "ALTER TABLE runs ALTER id SET GENERATED ALWAYS"),
    "collation": ("", 'ALTER TABLE runs ALTER phase TYPE text COLLATE "C"'),
    "a table without a log": ("", "ALTER TABLE tokens SET UNLOGGED"),
}
"""What differs -> what is done to one database and to the other."""


@pytest.fixture(scope="module")
def described(admin: Any, postgres: str) -> Iterator[str]:
    """Name of a database that is made from the models alone."""
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE described"))
    engine = create_engine(make_url(postgres).set(database="described"))
    Base.metadata.create_all(engine)
    engine.dispose()
    yield "described"
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE described WITH (FORCE)"))


@pytest.fixture
def from_models(admin: Any, postgres: str, described: str) -> Iterator[str]:
    """URL of a database that is made from the models alone, for a test to change."""
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE from_models TEMPLATE {described}"))
    url = make_url(postgres).set(database="from_models")
    yield url.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE from_models WITH (FORCE)"))


def _do(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        if statement:
            connection.execute(text(statement))
    engine.dispose()


def test_the_migrations_build_what_the_models_describe(database_url: str, from_models: str) -> None:
    assert schema_of(database_url) == schema_of(from_models)


@pytest.mark.parametrize(("here", "there"), CHANGES.values(), ids=CHANGES)
def test_a_difference_in_anything_is_seen(
    database_url: str, from_models: str, here: Any, there: Any
) -> None:
    _do(database_url, here)
    _do(from_models, there)
    assert schema_of(database_url) != schema_of(from_models)


def test_the_order_of_columns_is_no_difference(database_url: str, from_models: str) -> None:
    for url, names in ((database_url, ("early", "late")), (from_models, ("late", "early"))):
        for name in names:
            _do(url, f"ALTER TABLE runs ADD {name} text DEFAULT 'a, b' NOT NULL")
    assert schema_of(database_url) == schema_of(from_models)
