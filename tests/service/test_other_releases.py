"""What the API says of experiments that releases other than its own stored or have to measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from rgcontract import IMPLEMENTED, Experiment, ExperimentPage, Protocols
from rgservice.http.errors import UnreadableRecord
from rgservice.http.other_releases import Reading, needed
from rgstore import claiming, endings
from rgstore.claiming import Holder
from rgstore.damaged import DamagedRecordError
from rgstore.database import Database
from rgstore.tables import ExperimentRow
from rgstore.workers import worker_seen

OLDER = replace(IMPLEMENTED, protocol=IMPLEMENTED.protocol - 1)
SPEC = {"chain": {"family": "potts", "n_states": 2, "corr_len": 1.0}, "seeds": 2}


@pytest.fixture
def name(api: TestClient) -> str:
    """A queued experiment."""
    made: str = api.post("/v1/experiments", json=SPEC).json()["id"]
    return made


def _set(database: Any, **columns: Any) -> None:
    with database.begin() as session:
        session.execute(update(ExperimentRow).values(**columns))


def _unreadable(database: Any, name: str) -> None:
    """Store a spec as a release with another field would have."""
    with database.begin() as session:
        spec = session.get_one(ExperimentRow, name).spec
        spec = {**spec, "training": {**spec["training"], "tempo": 2}}
        session.execute(update(ExperimentRow).values(spec=spec))


def _worker(database: Any, implements: Protocols = IMPLEMENTED, name: str = "w1") -> None:
    with database.begin() as session:
        worker_seen(session, name, "host", "cpu", 1, implements)


def _view(api: Any, name: str) -> Experiment:
    answer = api.get(f"/v1/experiments/{name}")
    assert answer.status_code == 200
    return Experiment.model_validate_json(answer.content)


def _reason(api: TestClient, name: str) -> str:
    """Why it waits."""
    waiting = _view(api, name).waiting
    assert waiting is not None
    return waiting.reason


def _listed(api: Any) -> str | None:
    (item,) = ExperimentPage.model_validate_json(api.get("/v1/experiments").content).items
    return item.stuck


def test_what_was_queued_before_an_upgrade_says_which_worker_it_waits_for(
    api: TestClient, database: Database, name: str
) -> None:
    _set(database, protocol=OLDER.protocol)
    _worker(database)
    reason = _reason(api, name)
    assert reason == (
        f"it takes {OLDER}, and the workers that are running implement {IMPLEMENTED}; start a "
        "worker of the release that it was submitted to, or cancel it and submit it again"
    )
    assert _listed(api) == reason


def test_with_a_worker_of_either_release_it_is_next_in_line(
    api: TestClient, database: Database, name: str
) -> None:
    _set(database, protocol=OLDER.protocol)
    _worker(database)
    _worker(database, OLDER, "w2")
    assert _reason(api, name) == "next in line"
    assert _listed(api) is None


def test_a_list_says_that_no_worker_is_running(api: TestClient, name: str) -> None:
    assert _listed(api) == _reason(api, name)
    assert "no worker is running" in (_listed(api) or "")


def test_a_run_that_was_handed_back_shows_its_reason_and_the_protocols(
    api: TestClient, database: Database, name: str
) -> None:
    _worker(database)
    holder = Holder("w1/1", "w1", "host", "cpu", {}, {})
    with database.begin() as session:
        (claim,) = claiming.claim_fleet(
            session, holder, lease_seconds=9, size_of=lambda _: 1, share=1
        )
        endings.hand_back(session, claim, worker="w1", error="cannot read the spec: tempo")
    view = _view(api, name)
    run = next(run for run in view.runs if run.attempts)
    assert run.error == "cannot read the spec: tempo"
    (attempt,) = run.attempts
    assert (attempt.outcome, attempt.error) == ("unreadable", run.error)
    assert (attempt.protocol, attempt.training_protocol) == (
        IMPLEMENTED.protocol,
        IMPLEMENTED.training_protocol,
    )
    assert view.waiting is not None
    assert "cannot read the spec: tempo" in view.waiting.reason


def test_a_spec_that_this_server_cannot_read_is_shown_without_it(
    api: TestClient, database: Database, name: str
) -> None:
    _unreadable(database, name)
    view = _view(api, name)
    assert view.spec is None
    assert view.unreadable == "training.tempo: unknown field"
    assert view.run_counts.queued == 2


def test_what_this_server_cannot_read_can_be_cancelled_and_queued_again(
    api: TestClient, database: Database, name: str
) -> None:
    _unreadable(database, name)
    assert api.post(f"/v1/experiments/{name}/cancel").json()["state"] == "cancelled"
    assert api.post(f"/v1/experiments/{name}/retry").json()["state"] == "queued"


def test_a_result_whose_spec_this_server_cannot_read_is_refused_and_says_so(
    api: TestClient, database: Database, name: str
) -> None:
    _unreadable(database, name)
    answer = api.get(f"/v1/experiments/{name}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "unreadable_spec")
    assert "training.tempo: unknown field" in answer.json()["detail"]
    assert "ask that one, or upgrade" in answer.json()["detail"]


DEFECTS = [
    ValueError("x"), KeyError("x"), IndexError(), TypeError(), AttributeError(), ZeroDivisionError()
]  # fmt: skip


def _raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda error: type(error).__name__)
def test_a_defect_of_the_server_is_not_taken_for_a_record_that_cannot_be_read(
    defect: Exception,
) -> None:
    with pytest.raises(type(defect)), needed("experiment e-1"):
        _raising(defect)
    with pytest.raises(type(defect)):
        Reading("experiment e-1").part("progress", lambda: _raising(defect), None)


def test_what_reads_a_record_says_that_it_is_damaged() -> None:
    damaged = DamagedRecordError("2 numbers are stored in place of 3")
    said = r"e-1 cannot be read here \(2 numbers are stored"
    with pytest.raises(UnreadableRecord, match=said), needed("experiment e-1"):
        _raising(damaged)
    reading = Reading("experiment e-1")
    assert reading.part("progress", lambda: _raising(damaged), None) is None
    assert reading.unreadable == f"progress: {damaged}"
