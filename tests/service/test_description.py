"""`/openapi.json`: what the API takes and gives, for programs that read it."""

from __future__ import annotations

import json
import re

import pytest

METHODS = {"get", "post"}


@pytest.fixture
def described(api) -> dict:
    """The description."""
    return api.get("/openapi.json").json()


def _answers(described):
    for path, operations in described["paths"].items():
        assert set(operations) <= METHODS
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                yield path, status, answer["content"]


def test_every_refusal_is_described_as_a_problem(described):
    refusals = [content for _, status, content in _answers(described) if status[0] == "4"]
    assert refusals
    for content in refusals:
        assert list(content) == ["application/problem+json"]
        assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem")


def test_every_json_answer_has_a_schema(described):
    for path, _, content in _answers(described):
        assert all(kind.get("schema") for kind in content.values()), path


def test_every_reference_leads_somewhere(described):
    for name in re.findall(r"#/components/schemas/([^\"]+)", json.dumps(described)):
        assert name in described["components"]["schemas"]
