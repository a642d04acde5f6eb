"""docs/fair-share.md: its request is answered, and what it counts is what is counted."""

from __future__ import annotations

import re
from datetime import timedelta

from fastapi.testclient import TestClient
from markdown import ROOT, blocks, links

from rgstore.line import WINDOW
from rgstore.tables.people import MOST_COUNTED
from rgstore.turns import LEAST_SECONDS

PAGE = "docs/fair-share.md"
TEXT = " ".join((ROOT / PAGE).read_text(encoding="utf-8").split())


def test_every_request_is_answered(api: TestClient) -> None:
    name = api.post("/v1/experiments", json={"chain": {"corr_len": 7}}).json()["id"]
    shell = "\n".join(block.code for block in blocks(PAGE) if block.language == "sh")
    paths = re.findall(r'"\$RGLAB_URL(\S+)"', shell)
    assert [api.get(path.replace("$ID", name)).json()["waiting"]["place"] for path in paths] == [0]


def test_what_it_counts_is_what_is_counted() -> None:
    assert timedelta(hours=1) == WINDOW
    assert "in the last hour" in TEXT
    assert LEAST_SECONDS == 1
    assert "for a second at least" in TEXT
    assert f"Of more than {MOST_COUNTED} the first {MOST_COUNTED} by name count" in TEXT


def test_every_link_leads_to_a_file() -> None:
    assert [link for link in links(PAGE) if not (ROOT / "docs" / link).exists()] == []
