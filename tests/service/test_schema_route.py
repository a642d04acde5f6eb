"""GET /v1/schema: what the API takes is in it, and what is in it the API takes."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from rgcontract import SCHEMA, Outcome, State
from rgcontract.fields import rows
from rgcontract.figures import FIGURES
from rgcontract.observables import OBSERVABLES
from rgcontract.roles import Role
from rgcontract.schema import Schema
from rgcontract.spec import Submission
from rgcontract.study import STUDY_FIELDS
from rgcontract.version import CONTRACT

PATH = "/v1/schema"


@pytest.fixture
def told(api: TestClient) -> Schema:
    """What the server says, with nothing that the contract does not know."""
    answer = api.get(PATH)
    assert answer.status_code == 200
    return Schema.model_validate(answer.json())


def test_every_query_parameter_of_the_list_is_a_filter_and_the_other_way_round(
    api: TestClient, told: Schema
) -> None:
    listing = api.get("/openapi.json").json()["paths"]["/v1/experiments"]["get"]
    taken = {one["name"]: one for one in listing["parameters"] if one["in"] == "query"}
    assert set(taken) - {"limit", "cursor", "sort"} == {row.name for row in told.filters}
    for row in told.filters:
        assert taken[row.name]["description"] == row.meaning


def test_every_column_is_shown_and_the_other_way_round(api: TestClient, told: Schema) -> None:
    api.post("/v1/experiments", json={})
    (item,) = api.get("/v1/experiments").json()["items"]
    assert [row.name for row in told.columns] == list(item)


def test_every_order_that_is_told_is_taken_and_none_else(api: TestClient, told: Schema) -> None:
    refused = api.get("/v1/experiments?sort=no").json()["errors"][0]["allowed"]
    assert refused.partition(";")[0].split(", ") == [row.name for row in told.sorts]
    for row in told.sorts:
        assert api.get("/v1/experiments", params={"sort": row.name}).status_code == 200


def test_every_field_of_a_submission_is_told(told: Schema) -> None:
    assert [row.path for row in told.fields] == [row.path for row in rows(Submission)]
    assert [row.path for row in told.study_fields] == [row.path for row in rows(STUDY_FIELDS)]


@pytest.mark.parametrize("section", ["data", "model", "training", "measurement"])
def test_a_default_that_is_told_is_the_one_that_is_filled_in(
    api: TestClient, told: Schema, section: str
) -> None:
    name = api.post("/v1/experiments", json={}).json()["id"]
    spec = api.get(f"/v1/experiments/{name}").json()["spec"][section]
    said = {
        row.path.partition(".")[2]: row.default
        for row in told.fields
        if row.path.startswith(f"{section}.")
    }
    assert said.keys() == spec.keys()
    assert {field for field in said if said[field] not in (spec[field], None)} == set()


def test_the_rest_is_what_the_registries_have(told: Schema) -> None:
    assert (told.contract, told.spec_schema) == (str(CONTRACT), SCHEMA)
    assert [row.name for row in told.observables] == list(OBSERVABLES)
    assert [one.name for one in told.states] == list(State)
    assert [one.name for one in told.outcomes] == list(Outcome)
    assert {one for row in told.observables for one in row.reasons} <= {
        one.name for one in told.reasons
    }
    assert [row.name for row in told.figures] == list(FIGURES)
    assert {need for row in told.figures for need in row.needs} <= OBSERVABLES.keys()
    assert [role.name for role in told.roles] == list(Role)


@pytest.mark.parametrize("family", ["potts", "ring", "random_reversible"])
def test_a_family_that_is_told_is_taken(api: TestClient, told: Schema, family: str) -> None:
    assert family in {row.name for row in told.families}
    assert api.post("/v1/experiments", json={"chain": {"family": family}}).status_code == 201


def test_who_has_it_is_not_sent_it_again(api: TestClient) -> None:
    first = api.get(PATH)
    again = api.get(PATH, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert api.get(PATH, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_token_is_needed(anonymous: TestClient) -> None:
    assert anonymous.get(PATH).status_code == 401
