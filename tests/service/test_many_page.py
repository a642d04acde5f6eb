"""docs/many.md: its requests are accepted, its names exist, its numbers are those of the code."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from markdown import ROOT, blocks, links

import rgclient
from rgclient._body import body
from rgcontract import MOST_AT_ONCE, Acknowledgement
from rgcontract.problem import MOST_NAMED
from rgstore.settings import Settings

PAGE = "docs/many.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
SHELL = [block.code for block in blocks(PAGE) if block.language == "sh"]
BODIES = [found for code in SHELL for found in re.findall(r"-d '(\{.*?\})'", code, re.DOTALL)]


@pytest.mark.parametrize("text", BODIES)
def test_every_body_is_accepted(api: TestClient, text: Any) -> None:
    answer = api.post("/v1/experiments/bulk", json=json.loads(text))
    assert answer.status_code == 201


def test_the_python_runs_against_a_server(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Handle:
        def __init__(self, told: Any) -> None:
            self.id, self.state, self.created = told["id"], told["state"], told["created"]

    def submit_many(specs: Any) -> Any:
        answer = api.post(
            "/v1/experiments/bulk", json={"experiments": [body(dict(spec)) for spec in specs]}
        )
        assert answer.status_code == 201
        return [Handle(told) for told in answer.json()["experiments"]]

    (code,) = (block.code for block in blocks(PAGE) if block.language == "python")
    assert all(hasattr(rgclient.Experiment, name) for name in ("id", "state", "created"))
    monkeypatch.setattr(rgclient, "submit_many", submit_many)
    exec(compile(code, PAGE, "exec"), {})
    assert capsys.readouterr().out.count("queued True") == 3


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"up to {MOST_AT_ONCE} specs" in TEXT
    assert f"the first {MOST_NAMED} refused fields" in TEXT


def test_the_fields_of_an_answer_are_listed() -> None:
    (listed,) = re.findall(r"gives: (.*?)\. Its", TEXT, re.DOTALL)
    assert re.findall(r"`(\w+)`", listed) == [*Acknowledgement.model_fields]


def test_every_variable_named_is_a_setting() -> None:
    variables = {f"RGLAB_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"RGLAB_[A-Z_]+", TEXT)) - {"RGLAB_URL", "RGLAB_TOKEN"}
    assert named <= variables


def test_every_link_leads_to_a_file() -> None:
    assert [link for link in links(PAGE) if not (ROOT / "docs" / link).exists()] == []
