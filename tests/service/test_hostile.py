"""Hostile requests: every row of `tests/support/hostile.py` is answered as it says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hostile import ASKING, Hostile, hostile
from kept_database import Copies
from stored import stored

from rgcontract.roles import Role
from rgservice.app import create_app
from rgservice.http.safety import SAFE
from rgstore.database import Database
from rgstore.people import add_user
from rgstore.settings import Settings
from rgstore.tokens import make_token

ROWS = hostile()
MOST_BYTES = 64 * 1024
LIMIT = 250_000


@dataclass(frozen=True)
class House:
    """A lab and what it has."""

    http: TestClient
    database: Database
    bearer: str
    there: Mapping[str, str]

    def send(self, row: Hostile) -> Any:
        """The answer to a row."""
        given = [(name, value.replace("{bearer}", self.bearer)) for name, value in row.headers]
        if not any(name == "Authorization" for name, _ in given):
            given.append(("Authorization", self.bearer))
        given = [(name, value) for name, value in given if (name, value) != ("Authorization", "")]
        path = row.path
        for name, value in self.there.items():
            path = path.replace(f"{{{name}}}", value)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in given]
        return self.http.request(row.method, path, content=row.content, headers=headers)


@pytest.fixture(scope="module")
def house(copies: Copies) -> Iterator[House]:
    """One lab for all rows."""
    with copies.new() as url:
        database = Database(url)
        with database.begin() as session:
            add_user(session, "root", Role.ADMIN)
            add_user(session, "dan", Role.MEMBER)
            bearer = f"Bearer {make_token(session, 'root')}"
        settings = Settings(
            database_url=url, broker_url="redis://127.0.0.1:1", allowed_hosts="testserver",
            max_body_bytes=LIMIT, max_bulk_bytes=LIMIT,
        )  # fmt: skip
        app = create_app(settings, lambda _: None)
        with TestClient(app, raise_server_exceptions=False) as http:
            asked = {
                name: http.post(
                    f"/v1/{name}", json={"seeds": 1}, headers={"Authorization": bearer}
                ).json()["id"]
                for name in ("experiments", "studies")
            }
            there = {
                "experiment": asked["experiments"], "study": asked["studies"], "user": "dan",
            }  # fmt: skip
            yield House(http, database, bearer, there)
        database.dispose()


REFUSED = [row for row in ROWS if row.code]
TAKEN = [row for row in ROWS if not row.code]


def test_what_is_refused_is_refused_as_it_says_and_changes_nothing(house: House) -> None:
    before = stored(house.database)
    wrong = _wrong(house, REFUSED)
    assert wrong == [], f"{len(wrong)}\n" + "\n".join(wrong)
    assert stored(house.database) == before


def test_text_is_taken_and_handed_back_as_it_is(house: House) -> None:
    wrong = _wrong(house, TAKEN)
    assert wrong == [], f"{len(wrong)}\n" + "\n".join(wrong)


def test_a_zero_below_zero_is_zero(house: House) -> None:
    asked = [
        house.http.post(
            "/v1/experiments",
            content=b'{"training": {"weight_decay": %s}}' % zero,
            headers={"Authorization": house.bearer, "Content-Type": "application/json"},
        ).json()
        for zero in (b"0", b"-0.0", b"-0", b"-1e-400", b"0." + b"0" * 400 + b"1")
    ]
    assert len({one["id"] for one in asked}) == 1


def test_there_are_many_and_each_has_its_own_name() -> None:
    assert len(ROWS) >= 1_000
    assert [name for name, times in Counter(row.name for row in ROWS).items() if times > 1] == []


def test_every_route_that_reads_a_body_has_its_rows(house: House) -> None:
    assert isinstance(house.http.app, FastAPI)
    reading = {
        (method.upper(), path)
        for path, of_path in house.http.app.openapi()["paths"].items()
        for method, operation in of_path.items()
        if "requestBody" in operation
    }
    tried = {
        (method, re.sub(r"{\w+}", "{name}", path))
        for method, paths in ASKING.items()
        for path in paths
    }
    assert tried == reading


def _wrong(house: House, rows: Iterable[Hostile]) -> list[str]:
    return [f"{row.name}: {said}" for row in rows if (said := _otherwise(house, row))]


def _otherwise(house: House, row: Hostile) -> str:
    """How an answer differs from its row; empty if it does not."""
    answer = house.send(row)
    body = answer.json()
    field, written = row.verbatim
    if field:
        found = body.get(field, "nothing")
        if answer.is_success and "location" in answer.headers:
            shown = house.http.get(
                answer.headers["location"], headers={"Authorization": house.bearer}
            ).json()
            found = shown.get(field, "nothing")
        return "" if answer.is_success and found == written else f"{answer.status_code} {found!r}"
    said = (
        answer.status_code,
        body.get("code"),
        [one["field"] for one in body.get("errors", [])][:1],
    )
    wanted = (row.status, row.code, [row.field] if row.field else [])
    if said != wanted:
        return f"{said} for {wanted}: {body.get('detail', '')[:200]}"
    if answer.headers["Content-Type"] != "application/problem+json":
        return str(answer.headers["Content-Type"])
    if len(answer.content) > MOST_BYTES:
        return f"{len(answer.content)} bytes"
    missing = [name for name in SAFE if name not in answer.headers]
    return ", ".join(missing)
