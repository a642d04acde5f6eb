"""A server of an earlier release refuses what it does not have: it is said that it may be older."""

from __future__ import annotations

from typing import Any

import pytest

import rgclient
from rgcontract.version import CONTRACT, CONTRACT_HEADER

LACKED = {
    "a route": {"status": 404, "code": "not_found", "detail": "nothing at /v1/new"},
    "a method": {"status": 405, "code": "method_not_allowed", "detail": "Method Not Allowed"},
    "a filter": {
        "status": 422, "code": "invalid_query",
        "errors": [{"field": "sort", "message": "unknown query parameter", "allowed": "limit"}],
    },
    "a field": {
        "status": 422, "code": "invalid_spec",
        "errors": [{"field": "model.heads", "message": "unknown field", "allowed": "depth"}],
    },
}  # fmt: skip
REFUSED = {
    "an experiment": {"status": 404, "code": "not_found", "detail": "no experiment 'exp1'"},
    "a value": {
        "status": 422, "code": "invalid_spec",
        "errors": [{"field": "model.width", "message": "is too small", "allowed": ">= 2"}],
    },
    "a token": {"status": 401, "code": "invalid_token"},
}  # fmt: skip


def _said(client: Any, server: Any, problem: Any, version: str | None) -> str:
    """What the client says of a refusal by a server that names this version."""
    if version is not None:
        problem.headers[CONTRACT_HEADER] = version
    server.will(problem)
    with pytest.raises(rgclient.ResponseError) as caught:
        client.get("exp1")
    return str(caught.value)


@pytest.mark.parametrize("lacked", LACKED)
@pytest.mark.parametrize("version", [None, f"{CONTRACT.major - 1}.9"])
def test_what_an_older_server_does_not_have_may_need_a_newer_one(
    client: Any, server: Any, answer: Any, lacked: str, version: str | None
) -> None:
    said = _said(client, server, answer.problem(**LACKED[lacked]), version)
    assert said.endswith("if this is not mistyped, upgrade the server (RGLab)")


@pytest.mark.parametrize("lacked", LACKED)
def test_what_a_server_of_today_does_not_have_is_nowhere(
    client: Any, server: Any, answer: Any, lacked: str
) -> None:
    said = _said(client, server, answer.problem(**LACKED[lacked]), str(CONTRACT))
    assert "upgrade" not in said


@pytest.mark.parametrize("refused", REFUSED)
def test_what_any_server_would_refuse_is_no_matter_of_releases(
    client: Any, server: Any, answer: Any, refused: str
) -> None:
    assert "upgrade" not in _said(client, server, answer.problem(**REFUSED[refused]), None)
