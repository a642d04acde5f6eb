"""Client and server name the version of the contract that they speak, and do not guess."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rgcontract.version import CONTRACT, CONTRACT_HEADER, Version
from rgservice.http.deps import caller

LIST = "/v1/experiments"


def _ask(api: Any, version: Any, path: Any = LIST) -> Any:
    return api.get(path, headers={CONTRACT_HEADER: version})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/", 200),
        ("GET", "/metrics", 200),
        ("GET", "/openapi.json", 200),
        ("GET", LIST, 200),
        ("HEAD", LIST, 200),
        ("POST", LIST, 201),
        ("GET", f"{LIST}/e-none", 404),
        ("GET", "/nothing", 404),
        ("PUT", LIST, 405),
        ("GET", f"{LIST}?nothing=1", 422),
    ],
)
def test_every_answer_names_the_version_of_the_server(
    api: TestClient, method: str, path: Any, status: int
) -> None:
    answer = api.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert answer.headers.get_list(CONTRACT_HEADER) == [str(CONTRACT)]


def test_an_answer_to_another_host_name_names_it_too(api: TestClient) -> None:
    answer = api.get(LIST, headers={"Host": "elsewhere"})
    assert (answer.status_code, answer.headers[CONTRACT_HEADER]) == (421, str(CONTRACT))


def test_a_mistake_of_the_server_names_it_too(api: TestClient) -> None:
    def broken() -> None:
        raise RuntimeError

    assert isinstance(api.app, FastAPI)
    api.app.dependency_overrides[caller] = broken
    answer = api.get(LIST)
    assert (answer.status_code, answer.headers[CONTRACT_HEADER]) == (500, str(CONTRACT))


def test_who_names_no_version_is_served(api: TestClient) -> None:
    assert CONTRACT_HEADER not in api.headers
    assert api.get(LIST).status_code == 200


@pytest.mark.parametrize("minor", ["", ".0", ".7"])
def test_the_same_major_version_is_served_whatever_the_minor(api: TestClient, minor: str) -> None:
    assert _ask(api, f"{CONTRACT.major}{minor}").status_code == 200


def test_a_newer_client_is_told_to_upgrade_the_server(api: TestClient) -> None:
    newer = Version(CONTRACT.major + 1, 2)
    refused = _ask(api, str(newer))
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (400, "contract_mismatch")
    assert problem["detail"] == (
        f"this client speaks contract {newer} and this server {CONTRACT}: "
        f"upgrade the server (RGLab), or use a client of contract {CONTRACT.major}"
    )
    assert (problem["client"], problem["server"]) == (str(newer), str(CONTRACT))


def test_an_older_client_is_told_to_upgrade_itself(api: TestClient) -> None:
    older = Version(CONTRACT.major - 1, 9)
    problem = _ask(api, str(older)).json()
    assert problem["code"] == "contract_mismatch"
    assert problem["detail"] == (
        f"this client speaks contract {older} and this server {CONTRACT}: "
        f"upgrade the client (rgclient), or ask a server of contract {older.major}"
    )


@pytest.mark.parametrize("text", ["", "latest", "1.0.0", "1.0, 1.0", "-1", "9" * 5000])
def test_a_header_that_is_no_version_is_refused(api: TestClient, text: Any) -> None:
    refused = _ask(api, text)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_contract")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert len(refused.json()["detail"]) < 200


def test_a_header_that_comes_twice_is_refused(api: TestClient) -> None:
    refused = api.get(LIST, headers=[(CONTRACT_HEADER, "1"), (CONTRACT_HEADER, "2")])
    assert refused.json()["code"] == "invalid_contract"


def test_a_submission_under_another_contract_stores_nothing(api: TestClient) -> None:
    headers = {CONTRACT_HEADER: str(Version(CONTRACT.major + 1, 0))}
    assert api.post(LIST, json={}, headers=headers).status_code == 400
    assert api.get(LIST).json()["items"] == []


def test_it_is_said_before_who_asks_is_known(anonymous: TestClient) -> None:
    assert _ask(anonymous, "99").json()["code"] == "contract_mismatch"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_answered_whatever_they_name(api: TestClient, path: str) -> None:
    assert _ask(api, "99", path).status_code == 200


def test_the_description_has_the_header_both_ways(api: TestClient) -> None:
    described = api.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for operation in operations.values():
            probe = path in {"/healthz", "/readyz"}
            asked = [one["name"] for one in operation.get("parameters", [])]
            assert (CONTRACT_HEADER in asked) is not probe
            assert probe or "400" in operation["responses"]
            for answer in operation["responses"].values():
                assert CONTRACT_HEADER in answer["headers"]
