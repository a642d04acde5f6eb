"""docs/studies.md: its requests are accepted, its names exist, what it says of the server holds."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from markdown import ROOT, blocks, links

import rgclient
from rgclient._body import body
from rgcontract import PRESETS
from rgcontract.study import LISTS, STUDY_FIELDS
from rgstore.settings import Settings

PAGE = "docs/studies.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
BODIES = [
    found
    for block in blocks(PAGE)
    for found in re.findall(r"-d '(\{.*?\})'", block.code, re.DOTALL)
]
CALLS = re.findall(r"rgclient\.study\((.*)\)", TEXT)


@pytest.mark.parametrize("text", BODIES)
def test_every_body_is_accepted(api: TestClient, text: Any) -> None:
    answer = api.post("/v1/studies?dry_run=true", json=json.loads(text))
    assert answer.status_code == 200


@pytest.mark.parametrize("arguments", CALLS)
def test_every_call_is_a_request_that_is_accepted(api: TestClient, arguments: Any) -> None:
    def called(preset: Any = None, **fields: Any) -> Any:
        return fields | ({"preset": preset} if preset else {})

    fields = eval(f"called({arguments})", {"called": called})
    answer = api.post("/v1/studies?dry_run=true", json=body(fields, STUDY_FIELDS))
    assert answer.status_code == 200


def test_the_python_says_what_the_client_has() -> None:
    code = "\n".join(block.code for block in blocks(PAGE) if block.language == "python")
    assert set(re.findall(r"rgclient\.(\w+)", code)) <= set(rgclient.__all__)
    assert all(hasattr(rgclient.Study, name) for name in re.findall(r"\bstudy\.(\w+)\(", code))
    assert all(hasattr(rgclient.Findings, name) for name in re.findall(r"findings\.(\w+)\(", code))
    compile(code, PAGE, "exec")


def test_the_presets_are_listed() -> None:
    table = TEXT.partition("| preset |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == [*PRESETS]


def test_the_fields_that_make_no_grid_are_listed() -> None:
    (listed,) = re.findall(r"lists by nature \((.*?)\)", TEXT, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", listed)) == LISTS


def test_the_cap_is_that_of_the_settings() -> None:
    (said,) = re.findall(r"`RGLAB_MAX_STUDY_EXPERIMENTS` experiments \((\d+)\)", TEXT)
    assert int(said) == Settings.model_fields["max_study_experiments"].default


def test_every_link_leads_to_a_file() -> None:
    assert [link for link in links(PAGE) if not (ROOT / "docs" / link).exists()] == []
