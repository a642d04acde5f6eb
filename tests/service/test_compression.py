"""Answers are compressed for those who take that; what they say is the same."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

LARGE = ("/v1/schema", "/openapi.json")


def _raw(api: TestClient, path: str, encoding: str) -> tuple[Mapping[str, str], bytes]:
    """The answer as it is sent."""
    with api.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", LARGE)
def test_a_large_answer_is_compressed_for_those_who_take_it(api: TestClient, path: str) -> None:
    headers, sent = _raw(api, path, "br, gzip;q=0.5")
    whole_headers, whole = _raw(api, path, "br")
    assert headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in whole_headers
    assert headers["Vary"] == whole_headers["Vary"] == "Accept-Encoding"
    assert (int(headers["Content-Length"]), int(whole_headers["Content-Length"])) == (
        len(sent), len(whole),
    )  # fmt: skip
    assert gzip.decompress(sent) == whole
    assert len(sent) < len(whole)


@pytest.mark.parametrize("encoding", ["identity", "gzip;q=0", "deflate, GZIP ; q=0.000", ""])
def test_who_does_not_take_it_gets_it_as_it_is(api: TestClient, encoding: str) -> None:
    headers, sent = _raw(api, "/v1/schema", encoding)
    assert "Content-Encoding" not in headers
    assert sent.startswith(b"{")


def test_a_small_answer_is_sent_as_it_is(api: TestClient) -> None:
    headers, sent = _raw(api, "/v1/me", "gzip")
    assert "Content-Encoding" not in headers
    assert b"alice" in sent


def test_a_file_is_sent_as_its_tag_says(api: TestClient) -> None:
    headers, sent = _raw(api, "/docs/assets/swagger-ui.css", "gzip")
    assert "Content-Encoding" not in headers
    assert (not headers["ETag"].startswith("W/"), len(sent) > 1_024) == (True, True)


def test_a_secret_is_not_compressed_with_what_others_may_write(api: TestClient) -> None:
    for _ in range(8):
        made = api.post("/v1/tokens", json={"name": "n" * 60})
        assert made.status_code == 201
        assert "Content-Encoding" not in made.headers
    headers, sent = _raw(api, "/v1/tokens", "gzip")
    assert len(sent) > 1_024
    assert "Content-Encoding" not in headers


def test_who_has_it_compressed_is_not_sent_it_again(api: TestClient) -> None:
    for encoding in ("gzip", "identity"):
        asked: Any = {"Accept-Encoding": encoding}
        tag = api.get("/v1/schema", headers=asked).headers["ETag"]
        assert tag.startswith('W/"')
        for other in ("gzip", "identity"):
            asked = {"Accept-Encoding": other, "If-None-Match": tag}
            assert api.get("/v1/schema", headers=asked).status_code == 304


def test_the_tag_of_what_is_changed_is_the_same_however_it_is_sent(api: TestClient) -> None:
    name = api.post("/v1/experiments", json={}).json()["id"]
    path = f"/v1/experiments/{name}"
    tags = {_raw(api, path, encoding)[0]["ETag"] for encoding in ("gzip", "identity")}
    assert len(tags) == 1
    changed = api.patch(path, json={"label": "a"}, headers={"If-Match": tags.pop()})
    assert changed.status_code == 200


def test_a_head_says_what_the_answer_would(api: TestClient) -> None:
    got = api.get("/v1/schema")
    head = api.head("/v1/schema")
    for name in ("Content-Encoding", "Content-Length", "Vary"):
        assert head.headers[name] == got.headers[name]
