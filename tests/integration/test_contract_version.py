"""The version of the contract on the wire, through a real server."""

from __future__ import annotations

from typing import Any

import httpx
from lab_processes import Lab

from rgcontract.version import CONTRACT, CONTRACT_HEADER, Version


def _ask(lab: Any, token: Any, version: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    if version is not None:
        headers[CONTRACT_HEADER] = str(version)
    return httpx.get(f"{lab.urls[0]}/v1/experiments", headers=headers)


def test_a_server_serves_its_own_contract_and_refuses_the_next(lab: Lab, token: str) -> None:
    assert _ask(lab, token).headers[CONTRACT_HEADER] == str(CONTRACT)
    assert _ask(lab, token, CONTRACT).status_code == 200
    refused = _ask(lab, token, Version(CONTRACT.major + 1, 0))
    assert (refused.status_code, refused.json()["code"]) == (400, "contract_mismatch")
    assert refused.headers[CONTRACT_HEADER] == str(CONTRACT)
