"""docs/sharing.md: its names exist, its requests are answered, its code is the code of an error."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient
from markdown import ROOT, blocks, links

import rgclient
from rgcontract import Code

PAGE = "docs/sharing.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")


def test_the_python_says_what_the_client_has() -> None:
    code = "\n".join(block.code for block in blocks(PAGE) if block.language == "python")
    assert set(re.findall(r"rgclient\.(\w+)", code)) <= set(rgclient.__all__)
    handle = r"(?:\be|everything|\))\.(\w+)"
    assert all(
        hasattr(rgclient.Experiment, name) for name in re.findall(handle, code) if name != "id"
    )
    compile(code, PAGE, "exec")


def test_every_request_is_answered(api: TestClient) -> None:
    name = api.post("/v1/experiments", json={"chain": {"corr_len": 7}}).json()["id"]
    shell = "\n".join(block.code for block in blocks(PAGE) if block.language == "sh")
    paths = re.findall(r'"\$RGLAB_URL(\S+)"', shell)
    answers = [api.get(path.replace("$ID", name)) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 409]  # nothing is measured here


def test_the_code_of_the_refusal_is_one() -> None:
    found = re.search(r"403 \(`(\w+)`\)", TEXT)
    assert found is not None
    assert Code(found[1]) is Code.NOT_ASKED


def test_every_link_leads_to_a_file() -> None:
    assert [link for link in links(PAGE) if not (ROOT / "docs" / link).exists()] == []
