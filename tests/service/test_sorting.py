"""GET /v1/experiments in an order: ties, what has no number, and cursors that are of one list."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from rgcontract.sorting import SORTS
from rgstore.database import Database

LIST = "/v1/experiments"
RATIOS = [0.5, 2.0, 0.5, None, 1.0 / 3.0, None, 0.5]
"""Of the experiments in `made`: ties, and two that are not measured."""


@pytest.fixture
def made(api: TestClient, database: Database) -> list[str]:
    """Experiments of depths 1, 2, 1, 2, ... with ratios of their own."""
    names = [_made(api, index) for index in range(len(RATIOS))]
    for name, ratio in zip(names, RATIOS, strict=True):
        if ratio is not None:
            _measure(database, name, ratio)
    return names


def _made(api: TestClient, index: int) -> str:
    body = {"chain": {"corr_len": 1 + index}, "model": {"depth": 1 + index % 2}}
    name: str = api.post(LIST, json=body).json()["id"]
    return name


def _measure(database: Database, name: str, ratio: float) -> None:
    with database.begin() as session:
        session.execute(
            text(
                'INSERT INTO summaries (experiment_id, "when", level, quantity, step, n_rows,'
                " estimator, shape, n_runs, mean, standard_error, low, high, reasons)"
                " VALUES (:name, 'final', 'position', 'effective_rank', 1, 1, '', '{2}', 1,"
                " ARRAY[3, 3 * :ratio], '{0,0}', '{0,0}', '{0,0}', '{}')"
            ),
            {"name": name, "ratio": ratio},
        )


def _pages(api: TestClient, sort: str, between: Any = None, **filters: Any) -> list[str]:
    """All names, two at a time; `between` is called after each page with what was seen."""
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = api.get(LIST, params={"limit": 2, "sort": sort, **filters, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return seen
        cursor = {"cursor": page["next_cursor"]}
        if between is not None:
            between(seen)


def _expected(values: dict[str, Any], *, falling: bool) -> list[str]:
    there = [name for name in values if values[name] is not None]
    there.sort(key=lambda name: (values[name], name), reverse=falling)
    return there + sorted(values.keys() - set(there), reverse=falling)


@pytest.mark.parametrize("falling", [False, True])
def test_pages_go_through_ties_and_end_with_what_has_no_number(
    api: TestClient, made: list[str], falling: bool
) -> None:
    by_ratio = dict(zip(made, RATIOS, strict=True))
    by_depth = {name: index % 2 for index, name in enumerate(made)}
    sign = "-" * falling
    assert _pages(api, f"{sign}collapse_ratio") == _expected(by_ratio, falling=falling)
    assert _pages(api, f"{sign}depth") == _expected(by_depth, falling=falling)


@pytest.mark.parametrize("sort", ["depth", "-depth", "collapse_ratio", "-collapse_ratio"])
def test_experiments_that_are_added_between_pages_move_none_of_the_others(
    api: TestClient, database: Database, made: list[str], sort: str
) -> None:
    before = _pages(api, sort)
    added: list[str] = []

    def add(seen: list[str]) -> None:
        for ratio in (0.5, None):
            name = _made(api, 10 + len(added))
            added.append(name)
            if ratio is not None:
                _measure(database, name, ratio)

    found = _pages(api, sort, add)
    assert len(found) == len(set(found))
    assert [name for name in found if name in made] == before
    after = _pages(api, sort)
    assert found == [name for name in after if name in found]


@pytest.mark.parametrize("name", SORTS)
def test_every_order_goes_through_all_both_ways(
    api: TestClient, made: list[str], name: str
) -> None:
    rising, falling = _pages(api, name), _pages(api, f"-{name}")
    assert sorted(rising) == sorted(falling) == sorted(made)
    items = {item["id"]: item for item in api.get(LIST).json()["items"]}
    if name in items[made[0]]:
        assert rising == falling[::-1]
        assert [items[one][name] for one in rising] == sorted(items[one][name] for one in made)


def test_the_newest_comes_first_if_nothing_is_said(api: TestClient, made: list[str]) -> None:
    assert [one["id"] for one in api.get(LIST).json()["items"]] == made[::-1]
    assert _pages(api, "-created_at") == made[::-1]


def test_an_order_goes_with_filters(api: TestClient, made: list[str]) -> None:
    assert _pages(api, "-corr_len", depth=1) == made[::-2]


@pytest.mark.parametrize(
    ("sort", "near"),
    [("corr_length", "corr_len"), ("-dept", "depth"), ("", None), ("--depth", "depth")],
)
def test_an_unknown_order_is_refused_with_the_nearest(
    api: TestClient, sort: str, near: str | None
) -> None:
    answer = api.get(LIST, params={"sort": sort})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "sort"
    assert (f"did you mean {near}" in error["message"]) == (near is not None)
    assert all(name in error["allowed"] for name in SORTS)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"sort": "-depth"}, "is of a list in the order depth"),
        ({"sort": "corr_len"}, "is of a list in the order depth"),
        ({}, "is of a list in the order depth"),
        ({"sort": "depth", "state": "queued"}, "is of a list with other filters"),
    ],
)
def test_a_cursor_of_another_list_is_refused_and_says_so(
    api: TestClient, made: list[str], asked: dict[str, str], says: str
) -> None:
    cursor = api.get(LIST, params={"sort": "depth", "limit": 1}).json()["next_cursor"]
    answer = api.get(LIST, params={**asked, "cursor": cursor})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["message"]) == ("cursor", says)


@pytest.mark.parametrize(
    ("position", "value"),
    [(2, '"x"'), (2, "NaN"), (2, "[]"), (3, "7"), (3, '"\\u0000"'), (3, "null")],
)
def test_a_cursor_that_was_changed_is_refused(
    api: TestClient, made: list[str], position: int, value: str
) -> None:
    cursor = api.get(LIST, params={"sort": "corr_len", "limit": 1}).json()["next_cursor"]
    parts = base64.urlsafe_b64decode(cursor).decode()[1:-1].split(",")
    parts[position] = value
    changed = base64.urlsafe_b64encode(f"[{','.join(parts)}]".encode()).decode()
    answer = api.get(LIST, params={"sort": "corr_len", "cursor": changed})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "is not a cursor of this server"
