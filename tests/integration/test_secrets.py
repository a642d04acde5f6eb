"""No password and no token is in anything that a lab writes, says or shows of its processes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from lab_processes import TINY, Lab
from sqlalchemy import inspect, make_url, text

import rgclient
from rgstore.database import Database

PASSWORD = f"canary{secrets.token_hex(12)}"


@pytest.fixture
def guarded(scratch: Path, database_url: str) -> Iterator[Lab]:
    """A system whose database takes a password."""
    url = make_url(database_url).set(password=PASSWORD).render_as_string(hide_password=False)
    assert PASSWORD in url
    started = Lab(scratch / "secrets", url)
    yield started
    started.stop()


def test_no_secret_leaves_where_it_is_kept(
    guarded: Lab, database: Database, token: str, tmp_path: Path
) -> None:
    worker = guarded.worker()
    told = [httpx.get(f"{url}/readyz").text for url in guarded.urls]
    with rgclient.Client(guarded.urls[0], token) as client:
        told.append(repr(client))
        result = client.submit(**TINY, seeds=1).wait()
    result.save(tmp_path / "result.json")
    result.to_frame().to_csv(tmp_path / "result.csv")
    shown = _shown_of_processes(guarded)
    assert any(psutil.Process(worker.pid).children()), "no trainer was looked at"
    told += [answer.text for answer in _mistakes(guarded.urls[0], token)]
    told += [answer.text for answer in _away(guarded, token)]
    guarded.stop()
    written = {
        str(path): path.read_bytes()
        for folder in (guarded.directory, tmp_path)
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert [name for name in written if name.endswith(".log")]
    assert len(written) > len(guarded.children)
    for secret in (PASSWORD, token):
        assert [name for name, content in written.items() if secret.encode() in content] == []
        assert [line for line in told if secret in line] == []
        assert [line for line in shown if secret in line] == []
    assert [row for row in _rows(database) if token in row] == []


def _shown_of_processes(lab: Lab) -> list[str]:
    """What a list of processes shows of ours, and of trainers their environment too."""
    ours = [psutil.Process(child.pid) for child in lab.children]
    trainers = [one for process in ours for one in process.children(recursive=True)]
    found = [" ".join(process.cmdline()) for process in (*ours, *trainers)]
    environments = [one.environ() for one in trainers if "rgworker.trainer" in one.cmdline()]
    assert environments
    return found + [str(one) for one in environments]


def _mistakes(url: str, token: str) -> Iterator[httpx.Response]:
    """Answers to people who put a token where it does not belong."""
    rightly = {"Authorization": f"Bearer {token}"}
    for headers in (rightly, {"Authorization": f"Basic {token}"}, {"Cookie": f"token={token}"}):
        yield httpx.get(f"{url}/v1/experiments", params={"token": token}, headers=headers)
    yield httpx.get(f"{url}/v1/experiments", params={"tag": "a" * 65}, headers=rightly)
    yield httpx.post(f"{url}/v1/experiments", json={"token": token}, headers=rightly)
    yield httpx.post(f"{url}/v1/users", json={"name": token * 9}, headers=rightly)
    yield httpx.get(f"{url}/v1/tokens", headers=rightly)
    yield httpx.get(f"{url}/v1/audit", headers=rightly)
    yield httpx.get(f"{url}/metrics")


def _away(lab: Lab, token: str) -> Iterator[httpx.Response]:
    """Answers of a server whose database and broker are not there."""
    url = lab.api(
        RGLAB_DATABASE_URL=f"postgresql://rglab:{PASSWORD}@127.0.0.1:1/rglab",
        RGLAB_BROKER_URL=f"redis://:{PASSWORD}@127.0.0.1:1/0",
    )
    rightly = {"Authorization": f"Bearer {token}"}
    for path in ("/v1/me", "/readyz", "/metrics"):
        yield httpx.get(f"{url}{path}", headers=rightly)
    yield httpx.post(f"{url}/v1/experiments", json={}, headers=rightly)


def _rows(database: Database) -> Iterator[str]:
    """All that is stored, as a dump has it."""
    with database.begin() as session:
        for table in inspect(session.connection()).get_table_names():
            yield from session.scalars(text(f'SELECT one::text FROM "{table}" one'))
