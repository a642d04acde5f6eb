"""Processes of two releases on one lab; the other release is this one with a line changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from lab_processes import TINY, Lab, until
from sqlalchemy import select

import rgclient
import rgcontract
from rgcontract import IMPLEMENTED, State
from rgstore.database import Database
from rgstore.tables import AttemptRow, RunRow


def _release(directory: Path, module: str, before: str, after: str) -> dict[str, str]:
    """The environment of a process whose wire contract differs in one place."""
    copy = directory / "rgcontract"
    shutil.copytree(Path(rgcontract.__file__).parent, copy)
    source = (copy / module).read_text()
    assert source.count(before) == 1
    (copy / module).write_text(source.replace(before, after))
    return {"PYTHONPATH": str(directory)}


@pytest.fixture
def other_protocol(tmp_path: Path) -> dict[str, str]:
    """The next release, which measures other numbers."""
    now = f"\nPROTOCOL = {IMPLEMENTED.protocol}\n"
    return _release(tmp_path, "identity.py", now, now.replace("= ", "= 1"))


@pytest.fixture
def new_field(tmp_path: Path) -> dict[str, str]:
    """The next release, whose specs have a field more; nobody has counted the schema up."""
    before = "    seq_len: Annotated["
    return _release(tmp_path, "spec.py", before, f"    tempo: int = 1\n{before}")


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _workers(database: Any) -> dict[str, str | None]:
    """Worker -> how its last attempt ended."""
    with database.begin() as session:
        rows = select(AttemptRow.worker, AttemptRow.outcome).order_by(AttemptRow.started_at)
        return dict(tuple(row) for row in session.execute(rows))


def _done(database: Any) -> bool:
    with database.begin() as session:
        return set(session.scalars(select(RunRow.state))) == {State.DONE}


def test_three_seeds_are_measured_by_workers_of_their_protocol_alone(
    lab: Lab, client: rgclient.Client, database: Database, other_protocol: dict[str, str]
) -> None:
    lab.worker(**other_protocol)
    waiting = client.submit(**TINY, seeds=3)

    def told() -> bool:
        why = client.view(waiting.id).waiting
        assert why is not None
        return "measurement protocol" in why.reason

    until(told, 150)
    ours = lab.worker()
    waiting.wait(progress=False)
    (measured_by,) = _workers(database)
    assert f"-{ours.pid}-" in measured_by


def test_a_job_with_a_field_that_a_worker_does_not_know_waits_for_one_that_does(
    lab: Lab, token: str, database: Database, new_field: dict[str, str]
) -> None:
    url = lab.api(**new_field)
    old = lab.worker()
    answer = httpx.post(f"{url}/v1/experiments", json=TINY | {"seeds": 1}, headers=_headers(token))
    name = answer.raise_for_status().json()["id"]

    def reason() -> str:
        view = httpx.get(f"{url}/v1/experiments/{name}", headers=_headers(token)).json()
        return view["waiting"]["reason"] if view["waiting"] else ""  # it has just been claimed

    until(lambda: "cannot read the spec: data.tempo: unknown field" in reason(), 150)
    new = lab.worker(**new_field)
    until(lambda: _done(database), 150)
    ends = {name.split("-")[-2]: outcome for name, outcome in _workers(database).items()}
    assert ends == {str(old.pid): "unreadable", str(new.pid): "done"}
