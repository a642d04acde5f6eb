"""Every refusal keeps its code, its fields and its text, or says better what `better.toml` lists.

`pytest tests/service/test_refusals.py --record-refusals` records requests that are new.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from refused_requests import Refused, refused_requests

from rgservice.app import create_app
from rgstore.settings import Settings

GOLDEN = Path(__file__).parent / "golden" / "refusals.json"
BETTER = Path(__file__).parent / "golden" / "better.toml"
REQUESTS = refused_requests()

Answer = dict[str, Any]


@pytest.fixture
def answers(settings: Settings, announcer: Any, token: str) -> dict[str, Answer]:
    """Request -> what it is answered now, in a lab that has two experiments and two studies."""
    app = create_app(settings.model_copy(update={"max_bulk_bytes": 200_000}), announcer)
    with TestClient(app, raise_server_exceptions=False) as api:
        api.headers["Authorization"] = f"Bearer {token}"
        queued, cancelled = (
            api.post("/v1/experiments", json={"seeds": 1, "chain": {"seed": seed}}).json()["id"]
            for seed in (0, 1)
        )
        api.post("/v1/experiments", json={"seeds": 1}, headers={"Idempotency-Key": "of-another"})
        study, cancelled_study = (
            api.post("/v1/studies", json={"chain": {"seed": seeds}, "seeds": 1}).json()["id"]
            for seeds in ([2, 3], [4, 5])
        )
        assert api.post(f"/v1/experiments/{cancelled}/cancel").is_success
        assert api.post(f"/v1/studies/{cancelled_study}/cancel").is_success
        there = {
            "queued": queued, "cancelled": cancelled,
            "study": study, "cancelled_study": cancelled_study,
        }  # fmt: skip
        return {request.name: _answer(api, request, there) for request in REQUESTS}


def _answer(api: TestClient, request: Refused, there: dict[str, str]) -> Answer:
    headers = dict(request.headers)
    if not request.token:
        headers.setdefault("Authorization", "")
    sent = api.build_request(
        request.method, request.path.format(**there), content=request.content, headers=headers
    )
    if sent.headers["Authorization"] == "":
        del sent.headers["Authorization"]
    got = api.send(sent)
    if not got.is_client_error:
        return {"status": got.status_code}
    assert got.headers["Content-Type"] == "application/problem+json"
    body = got.json()
    assert body["status"] == got.status_code
    shown = ("Allow", "WWW-Authenticate")
    return {
        "status": got.status_code,
        "code": body["code"],
        "title": body["title"],
        "detail": body["detail"],
        "errors": [[one["field"], one["message"], one["allowed"]] for one in body["errors"]],
        **{name: got.headers[name] for name in shown if name in got.headers},
    }


@pytest.fixture(scope="module")
def recorded() -> dict[str, Answer]:
    """Request -> what it was answered when it was recorded."""
    return json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}


@pytest.fixture(scope="module")
def better() -> dict[str, list[dict[str, Any]]]:
    """What may differ from the record."""
    return tomllib.loads(BETTER.read_text())


def test_every_refusal_is_as_recorded_or_better(
    answers: dict[str, Answer],
    recorded: dict[str, Answer],
    better: dict[str, list[dict[str, Any]]],
    pytestconfig: Any,
) -> None:
    if pytestconfig.getoption("record_refusals", default=False):
        new = {name: answer for name, answer in answers.items() if name not in recorded}
        GOLDEN.write_text(_a_line_each(recorded | new))
    accepted = {one["request"] for one in better.get("accepted", [])}
    worse = [
        f"{name}\n  {difference}"
        for name, before in recorded.items()
        if not any(name == f"{one['method']} {one['path']}" for one in better["served"])
        for difference in _differences(
            _with_methods(name, before, better["served"]),
            answers[name],
            name in accepted,
            _about(name, better["text"] + better["fields"]),
        )
    ]
    assert worse == [], "\n".join(worse)


def _with_methods(name: str, before: Answer, served: list[dict[str, Any]]) -> Answer:
    """A refusal as it would have been, had its path had the methods that it has learnt since."""
    learnt = [one["method"] for one in served if name.partition(" ")[2] == one["path"]]
    if not learnt or "Allow" not in before:
        return before
    return {**before, "Allow": ", ".join([before["Allow"], *learnt])}


def _a_line_each(answers: dict[str, Answer]) -> str:
    lines = [
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(answer, ensure_ascii=False)}"
        for name, answer in answers.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _about(name: str, better: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in better if re.search(one.get("request", ""), name)]


def _differences(
    before: Answer, now: Answer, accepted: bool, better: list[dict[str, Any]]
) -> list[str]:
    if accepted:
        return [] if now["status"] < 300 else [f"is to be accepted, and gets {now}"]
    for part in ("status", "code", "title", "Allow", "WWW-Authenticate"):
        if before.get(part) != now.get(part):
            return [f"{part}: {before.get(part)} -> {now.get(part)}: {now}"]
    fields, fields_now = ([one[0] for one in answer["errors"]] for answer in (before, now))
    gone = [name for name in fields if name not in fields_now and _says("gone", name, better)]
    new = [name for name in fields_now if name not in fields and _says("new_field", name, better)]
    before, now = _without(gone, before), _without(new, now)
    fields, fields_now = ([one[0] for one in answer["errors"]] for answer in (before, now))
    if fields != fields_now:
        return [f"fields: {fields} -> {fields_now}"]
    pairs = [
        (old, new)
        for (_, *olds), (_, *news) in zip(before["errors"], now["errors"], strict=True)
        for old, new in zip(olds, news, strict=True)
    ]
    if not pairs:
        pairs = [(before["detail"], now["detail"])]
    elif any(one[1] not in now["detail"] for one in now["errors"]):
        return [f"detail leaves a field out: {now['detail']}"]
    return [
        f"{old!r}\n  -> {new!r}"
        for old, new in pairs
        if old != new
        and not any(_is_better(one, str(old), str(new)) for one in better if "old" in one)
    ]


def _says(what: str, field: str, better: list[dict[str, Any]]) -> bool:
    return any(re.fullmatch(one[what], field) for one in better if what in one)


def _without(fields: list[str], answer: Answer) -> Answer:
    return {**answer, "errors": [one for one in answer["errors"] if one[0] not in fields]}


def _is_better(one: dict[str, Any], old: str, new: str) -> bool:
    if not one.get("pattern"):
        return (old, new) == (one["old"], one["new"])
    # one expression over both, so that the new text may refer to groups of the old one
    return re.fullmatch(f"(?:{one['old']})\n(?:{one['new']})", f"{old}\n{new}") is not None


def test_there_are_many_and_each_has_its_own_name(recorded: dict[str, Answer]) -> None:
    assert len(recorded) >= 200
    assert max(Counter(request.name for request in REQUESTS).values()) == 1
    assert set(recorded) == {request.name for request in REQUESTS}


def test_nothing_recorded_was_accepted_or_a_fault(recorded: dict[str, Answer]) -> None:
    assert {name: one for name, one in recorded.items() if not 400 <= one["status"] < 500} == {}


def test_what_is_better_is_about_a_text_that_was_recorded(
    recorded: dict[str, Answer], better: dict[str, list[dict[str, Any]]]
) -> None:
    texts = [
        (name, str(text))
        for name, answer in recorded.items()
        for text in (answer["detail"], *(part for one in answer["errors"] for part in one[1:]))
    ]
    for one in better["text"]:
        assert one["why"]
        old = one["old"] if one.get("pattern") else re.escape(one["old"])
        assert any(_about(name, [one]) and re.fullmatch(old, text) for name, text in texts), one
    assert {one["request"] for one in better.get("accepted", [])} <= set(recorded)
