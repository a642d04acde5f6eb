"""docs/api.md says what is so."""

from __future__ import annotations

import json
import re

from fastapi.testclient import TestClient
from markdown import blocks

BLOCKS = blocks("docs/api.md")


def test_the_refusal_is_the_one_that_is_shown(api: TestClient) -> None:
    (shown,) = [json.loads(block.code) for block in BLOCKS if block.language == "json"]
    (path,) = [
        found
        for block in BLOCKS
        if block.heading == "When it is refused"
        for found in re.findall(r"\$RGLAB_URL(/[^\"]+)\"", block.code)
    ]
    answer = api.get(path)
    assert answer.status_code == shown["status"]
    assert answer.json() == shown


def test_the_body_is_accepted(api: TestClient) -> None:
    (block,) = [block for block in BLOCKS if block.heading == "Ask"]
    (body,) = re.findall(r"-d '(.*)'", block.code)
    assert api.post("/v1/experiments", json=json.loads(body)).status_code == 201
