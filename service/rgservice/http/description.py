"""`/openapi.json`: what the routes say of themselves, and the bodies that they read themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from rgcontract import BulkSubmission, StudyRequest, Submission
from rgcontract.people import NewToken, NewUser, UserChange
from rgcontract.problem import MEDIA_TYPE
from rgcontract.updates import ExperimentUpdate, StudyUpdate
from rgcontract.version import CONTRACT, CONTRACT_HEADER, NUMBER
from rgservice.http.errors import ContractMismatch, InvalidQuery, Unavailable
from rgservice.http.links import link_records
from rgservice.http.probes import PROBES

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_BODIES = (
    Submission, BulkSubmission, StudyRequest, ExperimentUpdate, StudyUpdate, NewUser, UserChange,
    NewToken,
)  # fmt: skip
"""What routes read themselves."""
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def described(app: FastAPI) -> dict[str, Any]:
    """The description of an application, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for one in _schemas(schema):
            _bound_by_integers(one)
        for model in _BODIES:
            body = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema["components"]["schemas"].update(body.pop("$defs", {}))
            schema["components"]["schemas"][model.__name__] = body
        _describe_refusals(schema)
        _describe_contract(schema)
        link_records(schema)
        app.openapi_schema = schema
    return app.openapi_schema


def _describe_refusals(schema: dict[str, Any]) -> None:
    """Every refusal is a problem, also those that FastAPI describes as its own."""
    for path, of_path in schema["paths"].items():
        for operation in of_path.values():
            answers = operation["responses"]
            if path.startswith("/v1/"):
                answers["503"] = {"description": Unavailable.title, "content": _PROBLEM}
            # any route refuses a query parameter that it does not know
            answers.setdefault("422", {"description": InvalidQuery.title})
            for status, answer in answers.items():
                if status.startswith("4"):
                    answer["content"] = _PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)


def _describe_contract(schema: dict[str, Any]) -> None:
    """Both sides name the version of the contract, whatever the route."""
    version = {"type": "string", "examples": [str(CONTRACT)]}
    asked = {
        "name": CONTRACT_HEADER,
        "in": "header",
        "required": False,
        "description": "The version of the contract that the client speaks. Another major version "
        "than the server's is refused; without it everybody is served",
        "schema": {**version, "pattern": rf"^{CONTRACT.major}(\.{NUMBER})?$"},
    }
    told = {"description": "The version that the server speaks", "schema": version}
    for path, of_path in schema["paths"].items():
        for operation in of_path.values():
            if path not in PROBES:
                operation.setdefault("parameters", []).append(asked)
                mismatch = {"description": ContractMismatch.title, "content": _PROBLEM}
                operation["responses"].setdefault("400", mismatch)
            for answer in operation["responses"].values():
                answer["headers"] = {CONTRACT_HEADER: told}


def _schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in a part of the description: schemas are among them."""
    if isinstance(part, dict):
        yield part
    for value in part.values() if isinstance(part, dict) else part:
        if isinstance(value, dict | list):
            yield from _schemas(value)


def _bound_by_integers(schema: dict[str, Any]) -> None:
    """FastAPI reads the bounds of a model's fields into floats, in which 2^63 - 1 is 2^63."""
    if schema.get("type") != "integer":
        return
    for name in _BOUNDS:
        if isinstance(schema.get(name), float):
            schema[name] = int(schema[name])
    if schema.get("maximum") == 2**63:
        schema["maximum"] = 2**63 - 1
