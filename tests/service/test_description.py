"""`/openapi.json`: what the API takes and gives, for programs that read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from markdown import blocks
from openapi_spec_validator import validate
from pydantic import BaseModel, Field
from refused_requests import WRONG_VALUES

from rgcontract import PRESETS, StudyRequest
from rgcontract.chains import CHAIN_OF
from rgservice.http.description import described as app_described

METHODS = {"get", "post", "patch", "delete"}
LEAST, MOST = -(2**63), 2**63 - 1


@pytest.fixture
def described(api: TestClient) -> dict[str, Any]:
    """The description."""
    found: dict[str, Any] = api.get("/openapi.json").json()
    return found


def _answers(described: Any) -> Iterator[Any]:
    for path, operations in described["paths"].items():
        assert set(operations) <= METHODS
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status != "304":  # which has no body
                    yield path, status, answer["content"]


def test_every_refusal_is_described_as_a_problem(described: dict[str, Any]) -> None:
    refusals = [content for _, status, content in _answers(described) if status[0] == "4"]
    assert refusals
    for content in refusals:
        assert list(content) == ["application/problem+json"]
        assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem")


def test_every_json_answer_has_a_schema(described: dict[str, Any]) -> None:
    for path, _, content in _answers(described):
        assert all(kind.get("schema") for kind in content.values()), path


@pytest.mark.parametrize("path", ["/v1/experiments", "/v1/experiments/bulk", "/v1/studies"])
def test_who_asks_for_something_is_told_of_every_answer(
    described: dict[str, Any], path: str
) -> None:
    answers = described["paths"][path]["post"]["responses"]
    assert {"200", "201", "400", "401", "408", "413", "415", "422", "429", "503"} == {*answers}


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for name in re.findall(r"#/components/schemas/([^\"]+)", json.dumps(described)):
        assert name in described["components"]["schemas"]


def _validator(described: Any, model: str) -> Draft202012Validator:
    reference = {"$ref": f"#/components/schemas/{model}"}
    return Draft202012Validator({"components": described["components"], **reference})


def _documented() -> list[dict[str, Any]]:
    """Every body on a page: of a block of JSON, or sent with curl."""
    pages = ["README.md", *(f"docs/{name}.md" for name in ("chains", "many", "studies"))]
    texts = [
        text
        for page in pages
        for block in blocks(page)
        for text in (
            [block.code] if block.language == "json" else re.findall(r"-d '(\{.*?\})'", block.code)
        )
    ]
    return [json.loads(text) for text in texts]


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"seeds": [3, 1]},
    {"chain": {}},
    {"chain": {"seeds": 3, "concentration": 2}},
    {"chain": {"seeds": None}},
    {"chain": {"family": "ring", "seed": 4}},
    {"chain": {"family": "hierarchical", "branching": 4, "scales": None}},
    {"chain": {"family": "explicit", "matrix": [[0.9, 0.1], [0.1, 0.9]], "corr_len": None}},
    {"model": {"mixing": "flat", "context": None}, "measurement": {"levels": ["sequence"]}},
    {"training": {"grad_clip": None, "lr": 1}, "label": None, "tags": ["a.b:c"], "device": "cpu"},
]
"""Beside those of the documentation."""


def test_every_body_of_the_documentation_is_valid_and_accepted(
    api: TestClient, described: dict[str, Any]
) -> None:
    bodies = _documented()
    assert {"chain": {"corr_len": 7}} in bodies
    assert len(bodies) >= 12
    for body in [*bodies, *ACCEPTED]:
        many, grid = "experiments" in body, _is_grid(body)
        path = "experiments/bulk" if many else "studies" if grid else "experiments"
        model = "BulkSubmission" if many else "StudyRequest" if grid else "Submission"
        _validator(described, model).validate(body)
        answer = api.post(f"/v1/{path}?dry_run=true", json=body)
        assert answer.status_code == 200, (body, answer.text)


def _is_grid(body: Any) -> bool:
    chain = body.get("chain", {})
    return "preset" in body or isinstance(chain.get("corr_len"), list)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_and_every_experiment_of_it_are_valid(
    described: dict[str, Any], name: Any
) -> None:
    _validator(described, "StudyRequest").validate({"preset": name})
    _validator(described, "StudyRequest").validate(PRESETS[name])
    for _, body in StudyRequest.model_validate_json(json.dumps(PRESETS[name])).cells():
        _validator(described, "Submission").validate(body)


NOT_IN_A_SCHEMA = (16.0, 32.0, 8.0, 64.0, 10.0, 1500.0, 128.0, 4096.0, [1, 1], ["position"] * 6)
"""JSON Schema takes 16.0 for an integer; that items differ is said by the API alone."""


@pytest.mark.parametrize("path", WRONG_VALUES)
def test_what_a_field_refuses_is_not_valid_either(described: dict[str, Any], path: Any) -> None:
    section, _, name = path.partition(".")
    for value in WRONG_VALUES[path]:
        if value in NOT_IN_A_SCHEMA or (path, value) == ("chain.seed", 1.0):
            continue
        body = {section: {name: value} if name else value}
        assert not _validator(described, "Submission").is_valid(body), body


@pytest.mark.parametrize("family", [*CHAIN_OF])
def test_a_chain_is_of_the_one_family_that_it_names(described: dict[str, Any], family: Any) -> None:
    needed: dict[str, dict[str, Any]] = {
        "spectrum": {"eigenvalues": [0.5]},
        "explicit": {"matrix": [[0.5, 0.5]] * 2},
    }
    validator = _validator(described, "Submission")
    chain = {"family": family, **needed.get(family, {})}
    validator.validate({"chain": chain})
    assert not validator.is_valid({"chain": {**chain, "nothing": 1}})
    if family in needed:
        assert not validator.is_valid({"chain": needed[family]})


def test_what_the_api_answers_is_as_described(api: TestClient, described: dict[str, Any]) -> None:
    made = api.post("/v1/experiments", json={"chain": {"family": "ring"}}).json()
    _validator(described, "Acknowledgement").validate(made)
    found = api.get(f"/v1/experiments/{made['id']}").json()
    _validator(described, "Experiment").validate(found)
    _validator(described, "ExperimentPage").validate(api.get("/v1/experiments").json())


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    validate(described)


def _integers(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        if part.get("type") == "integer":
            yield part
        for value in part.values():
            yield from _integers(value)
    elif isinstance(part, list):
        for value in part:
            yield from _integers(value)


def test_an_integer_is_bound_by_integers(described: dict[str, Any]) -> None:
    bounds = [
        schema[name]
        for schema in _integers(described)
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        if name in schema
    ]
    assert len(bounds) > 40
    assert {type(bound) for bound in bounds} == {int}


class Large(BaseModel):
    """Numbers of 63 bits."""

    one: int = Field(ge=LEAST, le=MOST)
    other: int | None = Field(gt=1, lt=2**63)


def test_a_bound_of_63_bits_is_exact() -> None:
    app = FastAPI()

    @app.get("/v1/x")
    def route(least: Annotated[int, Query(ge=LEAST, le=MOST)]) -> Large:
        raise NotImplementedError

    found = app_described(app)
    parameter, _ = found["paths"]["/v1/x"]["get"]["parameters"]
    one, other = found["components"]["schemas"]["Large"]["properties"].values()
    for schema in (parameter["schema"], one):
        assert (schema["minimum"], schema["maximum"]) == (LEAST, MOST)
        assert {type(schema["minimum"]), type(schema["maximum"])} == {int}
    bounds = other["anyOf"][0]
    assert (bounds["exclusiveMinimum"], bounds["exclusiveMaximum"]) == (1, 2**63)
    assert type(bounds["exclusiveMaximum"]) is int
