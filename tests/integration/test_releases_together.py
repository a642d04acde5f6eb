"""A client of one release and a server of another: all that a notebook does is understood."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import asks_of_a_server
import httpx
import pytest
import uvicorn
from lab_processes import until
from measured_study import ask, measure, numbers_of
from releases import MEASURED, RELEASES, STUDY, LabOf, Release, load, small
from sqlalchemy import create_engine, make_url, text
from stored_result import store_quickly

from rgclient import Client, ResponseError
from rgcontract import Losses
from rglab.embedded.lab import free_port
from rgservice.app import create_app
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token
from rgworker.findings import refresh_findings

ASKS = Path(asks_of_a_server.__file__)
KNOWN = MEASURED["plain"]
"""An experiment that is measured."""
TOO_MUCH = {"training": {"steps": 1_000_000}, "model": {"width": 1024, "depth": 64}}
LENGTHS = count(10)
"""Correlation lengths that nobody has asked for."""
FOREIGN = "cancel what is not asked for"
REFUSED = {
    "no result yet": "NotReady",
    "wait for what is cancelled": "ExperimentCancelled",
    "cancel what is done": "Conflict",
    FOREIGN: "Forbidden",
    "nothing there": "NotFound",
    "a refused field": "InvalidSpec",
    "too much": "OverLimit",
    "a refused token": "Unauthorized",
}
"""Step -> the error that it is to end in; all others give a value."""
WITHOUT_REQUESTS = ("0001", "0003")
"""Releases in which nobody had a request of one's own. Their servers let everybody cancel; their
clients do not know the class of that refusal, only what it says."""
BEFORE_REGISTRIES = ("0001", "0003", "0007")
LACKED: dict[str, tuple[Callable[[Client], object], Sequence[str]]] = {
    "the registries": (lambda client: client.schema(), BEFORE_REGISTRIES),
    "a field": (lambda client: client.submit(corr_len=1, schema=1), BEFORE_REGISTRIES),
    "an order": (lambda client: next(client.experiments(sort="corr_len")), ("0007", "0009")),
    "a filter": (lambda client: next(client.experiments(chain_hash="0" * 64)), ("0007",)),
    "many at once": (lambda client: client.submit_many([{"corr_len": 1}]), ("0001",)),
}
"""What servers of before refuse since they do not have it: how it is asked for, and which refuse.
Servers of before 0007 pass over query parameters that they do not know."""
Came = dict[str, dict[str, Any]]
"""Step -> what came of it."""


def _came_of(url: str, tokens: list[str], client: dict[str, str] | None = None) -> Came:
    """What comes of all that is asked of a server by the client whose environment it is."""
    alice, bob = tokens
    new, other = (small(chain={"corr_len": float(next(LENGTHS))}) for _ in range(2))
    headers = {"Authorization": f"Bearer {bob}"}
    name = httpx.post(f"{url}/v1/experiments", json=other, headers=headers).json()["id"]
    asked = {
        "url": url, "token": alice, "known": KNOWN, "study": STUDY, "new": new,
        "of another": name, "too much": TOO_MUCH,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(ASKS)],
        input=json.dumps(asked),
        env=os.environ | (client or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Came = json.loads(done.stdout)
    return found


def _checked(found: Came, refused: Mapping[str, str] = REFUSED) -> dict[str, Any]:
    """The values and the kinds of errors; the latter are as they are to be."""
    errors = {step: told["error"] for step, told in found.items() if "error" in told}
    assert errors == refused, found
    return {step: told.get("value", told.get("error")) for step, told in found.items()}


def _numbers(claim: Any) -> Any:
    losses = {(when, "network", name): [0.5] for when in ("initial", "final")
              for name in Losses.model_fields}  # fmt: skip
    return numbers_of(claim) | losses


def _named(admin: Any, postgres: str, name: str, template: str | None = None) -> Iterator[str]:
    """URL of a database."""
    copied = f"TEMPLATE {template}" if template else ""
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {copied}"))
    yield make_url(postgres).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def database_of_today(postgres: str, admin: Any, template: str) -> Iterator[str]:
    """URL of a database in which the experiment and the study are measured."""
    yield from _named(admin, postgres, "together_today", template)


@pytest.fixture(scope="module")
def server(database_of_today: str) -> Iterator[tuple[str, list[str]]]:
    """Address of a server of today on it, and tokens of alice and bob."""
    database = Database(database_of_today)
    store_quickly(database, KNOWN)
    ask(database, **STUDY)
    measure(database, _numbers)
    refresh_findings(database, attempt_limit=3)
    with database.begin() as session:
        tokens = [make_token(session, name) for name in ("alice", "bob")]
    database.dispose()
    settings = Settings(database_url=database_of_today, broker_url="redis://127.0.0.1:1")
    port = free_port("127.0.0.1")
    app = create_app(settings, lambda _: None)
    serving = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = Thread(target=serving.run)
    thread.start()
    until(lambda: serving.started)
    yield f"http://127.0.0.1:{port}", tokens
    serving.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def of_today(server: tuple[str, list[str]]) -> dict[str, Any]:
    """What comes of it where client and server are of today."""
    return _checked(_came_of(*server))


@pytest.mark.parametrize("release", RELEASES)
def test_a_client_of_before_reads_the_server_of_today(
    server: tuple[str, list[str]], of_today: dict[str, Any], release: str, tmp_path: Path
) -> None:
    before = Release(release, tmp_path)
    unknown = {FOREIGN: "ResponseError"} if release in WITHOUT_REQUESTS else {}
    found = _came_of(*server, before.env)
    assert _checked(found, REFUSED | unknown) == of_today | unknown
    assert found[FOREIGN]["text"].count("can be withdrawn by who did: bob") == 1


def test_what_is_asked_is_answered_with_what_is_there(of_today: dict[str, Any]) -> None:
    assert of_today["forecast of what is known"] is True
    assert of_today["submit what is known"] == [False, "done"]
    seeds, loss, (initial, final), spectrum, corr_len = of_today["wait"]
    assert corr_len == pytest.approx(2.0, rel=1e-9)  # of the matrix that was drawn
    assert (seeds, len(initial), spectrum) == ([0, 1], len(final), [len(final), 4])
    assert loss > 0
    assert of_today["get"][1:] == ["done", 2.0, 4, [0, 1]]
    assert len(of_today["list"]) == len(of_today["list with specs"]) == 3
    assert len(of_today["findings"]) > 3
    assert [of_today[step] for step in ("cancel", "retry", "cancel again")] == [
        "cancelled", "queued", "cancelled",
    ]  # fmt: skip


@pytest.fixture(params=RELEASES)
def lab_of_before(
    request: pytest.FixtureRequest, admin: Any, postgres: str, scratch: Path, tmp_path: Path
) -> Iterator[LabOf]:
    """A lab of a release, with what was recorded of it."""
    release = Release(request.param, tmp_path / "code")
    for url in _named(admin, postgres, "together_before"):
        engine = create_engine(url)
        load(engine, release.revision)
        engine.dispose()
        lab = LabOf(release, scratch / f"together-{release.revision}", url)
        yield lab
        lab.stop()


def test_the_client_of_today_reads_a_server_of_before(lab_of_before: LabOf) -> None:
    release, url = lab_of_before.release, lab_of_before.urls[0]
    database = lab_of_before.env["RGLAB_DATABASE_URL"]
    tokens = [release.make_token(database, name) for name in ("alice", "bob")]
    refused = dict(REFUSED)
    if release.revision in WITHOUT_REQUESTS:
        del refused[FOREIGN]
    _checked(_came_of(url, tokens), refused)
    with Client(url, tokens[0]) as client:
        for ask_for, releases in LACKED.values():
            if release.revision in releases:
                with pytest.raises(ResponseError, match="upgrade the server"):
                    ask_for(client)
