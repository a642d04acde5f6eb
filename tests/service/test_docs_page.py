"""`/docs` works in a lab without internet: everything it needs comes from the server."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi.testclient import TestClient


class _References(HTMLParser):
    """What a page loads or leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        self.found += [value for name, value in attrs if name in {"src", "href"}]


@pytest.fixture
def page(api: TestClient) -> Any:
    """The page."""
    return api.get("/docs")


def test_the_page_names_nothing_outside_the_server(api: TestClient, page: Any) -> None:
    parser = _References()
    parser.feed(page.text)
    assert len(parser.found) >= 4
    for reference in parser.found:
        assert urlsplit(reference)[:2] == ("", "")
        assert not reference.startswith("/")  # so that it works behind a prefix
        assert api.get(urljoin("/docs", reference)).status_code == 200, reference


def test_its_script_names_nothing_outside_the_server(api: TestClient) -> None:
    text = api.get("/docs/page.js").text
    assert "//" not in text
    assert 'url: "openapi.json"' in text
    assert "validatorUrl: null" in text  # it would send the description to swagger.io


def test_the_browser_is_told_to_load_nothing_from_elsewhere(page: Any) -> None:
    policy = page.headers["Content-Security-Policy"]
    sources = {word for part in policy.split(";") for word in part.split()[1:]}
    assert sources <= {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert "script-src 'self';" in policy
    assert "<script>" not in page.text


def test_the_scripts_read_openapi_3_1(api: TestClient) -> None:
    text = api.get("/docs/assets/swagger-ui-bundle.js").text
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', text)
    assert version is not None
    assert int(version[1]) >= 5


def test_a_script_is_not_sent_twice(api: TestClient) -> None:
    path = "/docs/assets/swagger-ui-bundle.js"
    first = api.get(path)
    assert first.headers["Content-Type"].startswith("text/javascript")
    again = api.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "name", ["nothing.js", "../core.py", "%2e%2e/core.py", "", "%00", "a" * 5000]
)
def test_what_is_no_asset_is_not_found(api: TestClient, name: Any) -> None:
    answer = api.get(f"/docs/assets/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_asset_is_only_read(api: TestClient) -> None:
    answer = api.put("/docs/assets/swagger-ui.css")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_slash_at_the_end_leads_to_the_page(api: TestClient) -> None:
    answer = api.get("/docs/")
    assert answer.status_code == 200
    assert answer.url.path == "/docs"
