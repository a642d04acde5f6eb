"""GET /v1/experiments: filters, and pages that never shift."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

SHORT = {"chain": {"family": "potts", "corr_len": 1}, "tags": ["short", "first"]}
LONG = {
    "chain": {"corr_len": 7},
    "model": {"mixing": "flat", "depth": 4, "width": 32},
    "tags": ["long"],
}
MEMORYLESS = {"chain": {"family": "explicit", "matrix": [[0.2, 0.8], [0.2, 0.8]]}}


@pytest.fixture
def ids(api: TestClient) -> dict[str, str]:
    """What the lab has."""
    specs = {"short": SHORT, "long": LONG, "memoryless": MEMORYLESS}
    return {
        name: api.post("/v1/experiments", json=body).json()["id"] for name, body in specs.items()
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["memoryless", "long", "short"]),
        ("tag=short", ["short"]),
        ("tag=first", ["short"]),
        ("tag=sho", []),
        ("state=queued", ["memoryless", "long", "short"]),
        ("state=done", []),
        ("family=potts", ["short"]),
        ("mixing=flat", ["long"]),
        ("corr_len_min=2", ["long"]),
        ("corr_len_max=1", ["memoryless", "short"]),
        ("corr_len_max=0", ["memoryless"]),
        ("depth=4", ["long"]),
        ("width=32", ["long"]),
        ("owner=alice", ["memoryless", "long", "short"]),
        ("owner=bob", []),
        ("tag=long&family=potts", []),
    ],
)
def test_a_filter_leaves_what_it_names_newest_first(
    api: TestClient, ids: dict[str, str], query: str, expected: Any
) -> None:
    answer = api.get(f"/v1/experiments?{query}")
    assert answer.status_code == 200
    assert [item["id"] for item in answer.json()["items"]] == [ids[name] for name in expected]


def test_pages_follow_each_other_whatever_is_added_meanwhile(
    api: TestClient, ids: dict[str, str]
) -> None:
    seen, query = [], "limit=1"
    while True:
        page = api.get(f"/v1/experiments?{query}").json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        api.post("/v1/experiments", json={"chain": {"corr_len": 20 + len(seen)}})
        query = f"limit=1&cursor={page['next_cursor']}"
    assert seen == [ids[name] for name in ("memoryless", "long", "short")]
