"""What is large, or wrong in very many ways, is answered briefly and holds up nobody."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient

from rgcontract.fields import children
from rgcontract.problem import MOST_MEMBERS, MOST_NAMED
from rgcontract.study import STUDY_FIELDS
from rgservice.http.apart import MOST_OF_ONE, MOST_WAITING, Apart
from rgservice.http.errors import Busy

MOST_BYTES = 64 * 1024
LONG = "x" * 900
WRONG: dict[str, Any] = {
    "many unknown fields": {f"f{number}": 1 for number in range(5_000)},
    "many in a section": {"model": {f"f{number}": 1 for number in range(5_000)}},
    "many in a chain": {"chain": {f"f{number}": 1 for number in range(5_000)}},
    "long names": {f"{LONG}{number}": 1 for number in range(101)},
    "long values": {"model": dict.fromkeys(("mixing", "norm", "activation"), LONG)},
    "a matrix of texts": {"chain": {"family": "explicit", "matrix": [["x"] * 128] * 128}},
    "a matrix of long texts": {"chain": {"family": "explicit", "matrix": [[LONG] * 10] * 10}},
    "many eigenvalues": {"chain": {"family": "spectrum", "eigenvalues": ["x"] * 15_000}},
    "many levels": {"measurement": {"levels": ["x"] * 15_000}},
    "many tags": {"tags": [1] * 15_000},
    "many seeds": {"seeds": ["x"] * 15_000},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("path", ["/v1/experiments", "/v1/studies", "/v1/experiments/bulk"])
def test_what_is_wrong_in_very_many_ways_is_answered_briefly(
    api: TestClient, path: str, body: Any
) -> None:
    answer = api.post(path, json={"experiments": [body] * 3} if path.endswith("bulk") else body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_spec")
    assert 1 <= len(problem["errors"]) <= MOST_NAMED
    assert len(answer.content) <= MOST_BYTES


def test_the_first_unknown_fields_are_named_and_the_others_counted(api: TestClient) -> None:
    unknown = {f"f{number}": 1 for number in range(1000)}
    problem = api.post("/v1/experiments", json={"model": unknown}).json()
    assert [one["field"] for one in problem["errors"]] == [
        f"model.f{number}" for number in range(MOST_NAMED)
    ]
    assert problem["more"] == 1000 - MOST_NAMED
    assert problem["detail"].endswith(f"; and {1000 - MOST_NAMED} more")


def test_no_object_has_as_many_fields_as_are_looked_at() -> None:
    objects = ["", *children(STUDY_FIELDS, "")]
    assert max(len(children(STUDY_FIELDS, name)) for name in objects) < MOST_MEMBERS


def test_a_study_names_the_first_cells_that_are_wrong_and_counts_the_others(
    api: TestClient,
) -> None:
    depths = [f"x{number}" for number in range(30)]
    problem = api.post("/v1/studies", json={"model": {"depth": 0, "width": depths}}).json()
    named, more = len(problem["errors"]), problem.get("more", 0)
    assert 1 <= named <= MOST_NAMED
    assert f"model.width = {depths[0]!r}".replace("'", '"') in str(problem["errors"][0]["message"])
    assert more == 0 or problem["detail"].endswith(f"; and {more} more")


def test_what_is_wrong_in_every_cell_is_counted_once(api: TestClient) -> None:
    rows = 50
    chain = {"family": "explicit", "matrix": [["x"] * rows] * rows}
    problem = api.post("/v1/studies", json={"chain": chain, "model": {"depth": [2, 3]}}).json()
    assert len(problem["errors"]) == MOST_NAMED
    assert problem["more"] == rows - MOST_NAMED


def test_large_bodies_are_read_one_at_a_time_and_of_each_person_only_some_wait() -> None:
    apart, release = Apart(), threading.Event()
    at_once, most = 0, 0

    def work() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        release.wait(20)
        at_once -= 1

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(MOST_OF_ONE):
                group.start_soon(apart.read, "ann", work)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Busy, match="yours"):
                await apart.read("ann", work)
            for number in range(MOST_WAITING - MOST_OF_ONE):
                group.start_soon(apart.read, f"user{number}", work)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Busy, match="the lab's"):
                await apart.read("bob", work)
            release.set()
        await apart.read("ann", work)  # there is room again

    anyio.run(main)
    assert most == 1
