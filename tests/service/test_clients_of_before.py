"""Clients of before the contract had versions get specs as they have always been."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from rgcontract.version import CONTRACT, CONTRACT_HEADER

OF_BEFORE = {"User-Agent": "rgclient"}
OTHERS = {
    "of today": {"User-Agent": "rgclient", CONTRACT_HEADER: str(CONTRACT)},
    "curl": {"User-Agent": "curl/8.5.0"},
    "none": {},
}


@pytest.fixture
def path(api: TestClient) -> str:
    """Where an experiment is."""
    name = api.post("/v1/experiments", json={"chain": {"corr_len": 0.1}}).json()["id"]
    return f"/v1/experiments/{name}"


def test_schema_is_left_out_for_them_and_nothing_else(api: TestClient, path: str) -> None:
    theirs, whole = api.get(path, headers=OF_BEFORE), api.get(path).json()
    assert whole["spec"].pop("schema") == 1
    assert theirs.json() == whole
    plain = api.get(path, headers=OF_BEFORE | {"Accept-Encoding": "identity"})
    assert int(plain.headers["Content-Length"]) == len(plain.content) == len(theirs.content)
    assert theirs.headers["Content-Type"] == "application/json"


def test_it_is_left_out_of_what_an_action_answers(api: TestClient, path: str) -> None:
    for action in ("cancel", "retry"):
        answer = api.post(f"{path}/{action}", headers=OF_BEFORE)
        assert answer.status_code == 200
        assert "schema" not in answer.json()["spec"]


@pytest.mark.parametrize("who", OTHERS)
def test_all_others_are_told_of_it(api: TestClient, path: str, who: str) -> None:
    assert api.get(path, headers=OTHERS[who]).json()["spec"]["schema"] == 1


def test_what_has_no_spec_is_the_same_to_the_byte(api: TestClient, path: str) -> None:
    for page in ("/v1/experiments", "/v1/schema", "/openapi.json", "/", "/v1/experiments/e-none"):
        theirs, whole = api.get(page, headers=OF_BEFORE), api.get(page)
        assert (theirs.status_code, theirs.content) == (whole.status_code, whole.content)


def test_head_says_the_length_of_what_they_get(api: TestClient, path: str) -> None:
    got = api.get(path, headers=OF_BEFORE)
    head = api.head(path, headers=OF_BEFORE)
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
