"""A server that was rolled back reads what a newer one stored, or says what it cannot read."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from measured_study import Key, measure
from sqlalchemy import text, update

from rgcontract import ExperimentPage, Losses, StudyPage
from rgcontract.reading import read
from rgcontract.unknown import Unknown
from rgstore import studies
from rgstore.database import Database
from rgstore.runs import runs_of
from rgstore.tables import (
    AttemptRow,
    ExperimentRow,
    MeasurementRow,
    RunRow,
    StudyExperimentRow,
    StudyRow,
    SummaryRow,
)
from rgstore.transitions import refresh_experiments

CHAIN = {"family": "potts", "n_states": 2}
NEWER = "state 'paused' of another release; upgrade this server"


@pytest.fixture
def newer(api: TestClient, database: Database) -> str:
    """An experiment that a newer server has paused, beside one of today."""
    api.post("/v1/experiments", json={"chain": {**CHAIN, "corr_len": 2}, "seeds": 2})
    body = {"chain": {**CHAIN, "corr_len": 1}, "seeds": 2}
    name = api.post("/v1/experiments", json=body).json()["id"]
    with database.begin() as session:
        for table in ("experiments", "runs"):
            session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_state"))
        session.execute(
            update(ExperimentRow).where(ExperimentRow.id == name).values(state="paused")
        )
        first = runs_of(session, name, [0])[0].id
        session.execute(update(RunRow).where(RunRow.id == first).values(state="paused"))
    return str(name)


def _get(api: Any, path: str) -> dict[str, Any]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_list_goes_on_and_the_row_says_what_cannot_be_read(api: TestClient, newer: str) -> None:
    items = {item["id"]: item for item in _get(api, "/v1/experiments")["items"]}
    told = items.pop(newer)
    (other,) = items.values()
    assert (told["state"], told["unreadable"]) == ("paused", NEWER)
    assert told["run_counts"]["paused"] == 1
    assert told["run_counts"]["queued"] == 1
    assert (other["state"], other["unreadable"]) == ("queued", None)


def test_a_client_of_today_reads_that_list(api: TestClient, newer: str) -> None:
    page = read(ExperimentPage, api.get("/v1/experiments").content)
    (told,) = [item for item in page.items if item.id == newer]
    assert isinstance(told.state, Unknown)
    assert told.run_counts.total == 2


def test_an_experiment_shows_the_run_as_it_is(api: TestClient, newer: str) -> None:
    told = _get(api, f"/v1/experiments/{newer}")
    assert (told["state"], told["unreadable"]) == ("paused", NEWER)
    assert [run["state"] for run in told["runs"]] == ["paused", "queued"]
    assert told["waiting"] is None


def test_its_other_seeds_are_read_as_ever(api: TestClient, newer: str) -> None:
    told = _get(api, f"/v1/experiments/{newer}?seeds=1")
    assert (told["state"], told["unreadable"]) == ("queued", None)


def test_what_needs_the_state_is_refused_with_it(api: TestClient, newer: str) -> None:
    one = f"/v1/experiments/{newer}"
    for answer in (
        api.get(f"{one}/result"),
        api.post(f"{one}/cancel?seeds=0"),
        api.post(f"{one}/retry?seeds=0"),
    ):
        assert answer.status_code == 409
        assert "paused" in answer.json()["detail"]


def test_asking_for_it_again_adds_nothing_and_says_its_state(api: TestClient, newer: str) -> None:
    body = {"chain": {**CHAIN, "corr_len": 1}, "seeds": 2}
    told = api.post("/v1/experiments", json=body)
    assert told.status_code == 200
    assert (told.json()["id"], told.json()["state"]) == (newer, "paused")
    assert told.json()["added_seeds"] == []


def test_the_state_of_it_is_left_as_the_newer_server_wrote_it(
    newer: str, database: Database
) -> None:
    with database.begin() as session:
        session.get_one(ExperimentRow, newer).state = "resting"  # as only it puts runs together
    with database.begin() as session:
        refresh_experiments(session, [newer])
    with database.begin() as session:
        assert session.get_one(ExperimentRow, newer).state == "resting"


def test_metrics_and_the_landing_page_count_its_runs(api: TestClient, newer: str) -> None:
    assert 'rglab_runs{state="paused"} 1.0' in api.get("/metrics").text
    assert "runs paused" in api.get("/").text


def test_a_family_of_another_release_is_said_in_the_list(
    api: TestClient, database: Database, newer: str
) -> None:
    with database.begin() as session:
        session.execute(
            update(ExperimentRow).where(ExperimentRow.id == newer).values(family="hidden")
        )
    items = {item["id"]: item for item in _get(api, "/v1/experiments")["items"]}
    assert items[newer]["family"] == "hidden"
    assert "family 'hidden'" in items[newer]["unreadable"]


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": 99},
        {"training": {"tempo": 2}},
        {"chain": {"family": "hidden"}},
        {"tuning": {"fork": 440}},
        {"model": None},
    ],
)
def test_a_spec_of_another_release_is_said_and_all_else_is_shown(
    api: TestClient, database: Database, newer: str, changed: Any
) -> None:
    with database.begin() as session:
        spec = session.get_one(ExperimentRow, newer).spec
        merged = {
            key: {**spec[key], **part} if isinstance(part, dict) and key in spec else part
            for key, part in changed.items()
        }
        session.execute(
            update(ExperimentRow).where(ExperimentRow.id == newer).values(spec=spec | merged)
        )
    told = _get(api, f"/v1/experiments/{newer}?seeds=1")
    assert told["spec"] is None
    assert next(iter(changed)) in told["unreadable"]
    assert told["state"] == "queued"
    result = api.get(f"/v1/experiments/{newer}/result")
    assert (result.status_code, result.json()["code"]) == (409, "unreadable_spec")
    assert len(_get(api, "/v1/experiments")["items"]) == 2
    assert api.post(f"/v1/experiments/{newer}/cancel?seeds=1").status_code == 200


def _numbers(_claim: Any) -> dict[Key, list[float]]:
    network = {("final", "network", name): [0.5] for name in Losses.model_fields}
    flag = {("final", "network", "under_trained"): [0.0]}
    known = {("final", "position", "effective_rank"): [3.0, 2.0]}
    newer = {("final", "tile", "mode_flow"): [float("nan"), 2.0]}
    return network | flag | known | newer


@pytest.fixture
def measured(api: TestClient, database: Database) -> str:
    """An experiment with an observable, a level, a reason and an outcome of another release."""
    body = {"chain": {**CHAIN, "corr_len": 1}, "seeds": 1}
    name = api.post("/v1/experiments", json=body).json()["id"]
    measure(database, _numbers)
    with database.begin() as session:
        for row in (MeasurementRow, SummaryRow):
            session.execute(
                update(row).where(row.quantity == "mode_flow").values(reasons={"unheard_of": [0]})
            )
        session.execute(text("ALTER TABLE attempts DROP CONSTRAINT ck_attempts_outcome"))
        session.execute(update(AttemptRow).values(outcome="evicted"))
    return str(name)


def test_a_result_shows_observables_levels_and_reasons_of_another_release(
    api: TestClient, measured: str
) -> None:
    told = _get(api, f"/v1/experiments/{measured}/result?arrays=runs")
    (snapshot,) = told["snapshots"]
    (level,) = [one for one in snapshot["levels"] if one["level"] == "tile"]
    flow = level["quantities"]["mode_flow"]
    assert (flow["mean"], flow["reasons"]) == ([None, 2.0], {"unheard_of": [0]})


def test_an_attempt_shows_an_outcome_of_another_release(api: TestClient, measured: str) -> None:
    (run,) = _get(api, f"/v1/experiments/{measured}")["runs"]
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["evicted"]


@pytest.fixture
def study(api: TestClient, database: Database) -> str:
    """A study of which a newer server has paused a run, on an axis that nobody here knows."""
    grid = {"chain": {**CHAIN, "corr_len": [1, 2]}, "seeds": 1}
    name = api.post("/v1/studies", json=grid).json()["id"]
    api.post("/v1/studies", json={"chain": {**CHAIN, "corr_len": [3, 4]}, "seeds": 1})
    with database.begin() as session:
        session.execute(text("ALTER TABLE runs DROP CONSTRAINT ck_runs_state"))
        row = session.get_one(StudyRow, name)
        cells = update(StudyExperimentRow).where(StudyExperimentRow.study_id == name)
        session.execute(cells.values(cell={"tuning.fork": {"hertz": 440}}))
        first = studies.members(session, name)[0].experiment_id
        session.execute(update(RunRow).where(RunRow.experiment_id == first).values(state="paused"))
        row.axes = {"tuning.fork": [{"hertz": 440}]}
    return str(name)


def test_a_list_of_studies_goes_on(api: TestClient, study: str) -> None:
    items = {item["id"]: item for item in _get(api, "/v1/studies")["items"]}
    told = items.pop(study)
    (other,) = items.values()
    assert (told["state"], told["unreadable"]) == ("paused", NEWER)
    assert (other["state"], other["unreadable"]) == ("queued", None)
    assert read(StudyPage, api.get("/v1/studies").content).items[1].run_counts.total == 2


def test_a_study_shows_cells_and_states_as_they_are(api: TestClient, study: str) -> None:
    told = _get(api, f"/v1/studies/{study}")
    assert (told["state"], told["unreadable"]) == ("paused", NEWER)
    assert [member["state"] for member in told["experiments"]] == ["paused", "queued"]
    assert [member["unreadable"] for member in told["experiments"]] == [NEWER, None]
    assert told["experiments"][0]["cell"] == {"tuning.fork": {"hertz": 440}}


def test_findings_show_claims_and_verdicts_as_they_are(
    api: TestClient, study: str, database: Database
) -> None:
    finding = {
        "claim": "holographic", "level": "tile", "corr_lens": [1.0], "experiments": [],
        "verdict": "undecidable", "reason": "nobody here can say", "effects": {}, "flags": {},
        "warnings": [],
    }  # fmt: skip
    findings = {
        "study_id": study, "complete": True, "confidence": 0.95, "n_seeds": 5,
        "error_bar": "over tiles", "groups": [{"settings": {}, "findings": [finding]}],
        "updated_at": "2026-01-01T00:00:00Z", "tempo": 2,
    }  # fmt: skip
    with database.begin() as session:
        row = session.get_one(StudyRow, study)
        row.findings, row.findings_due = findings, False
    told = _get(api, f"/v1/studies/{study}/findings")
    (shown,) = told["groups"][0]["findings"]
    assert (shown["claim"], shown["verdict"]) == ("holographic", "undecidable")
