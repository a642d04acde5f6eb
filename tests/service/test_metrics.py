"""What is scraped is the state of the lab."""

from __future__ import annotations

from datetime import timedelta

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from set_clock import NOON, SetClock

from rgstore import inspections
from rgstore.database import Database
from rgstore.invariants import INVARIANTS
from rgstore.workers import worker_seen


def test_workers_are_counted_and_those_that_messages_reach(
    anonymous: TestClient, database: Database
) -> None:
    with database.begin() as session:
        for name in ("w1", "w2", "w3"):
            heard = timedelta(seconds=1) if name == "w1" else None
            worker_seen(session, name, "host", "cpu", 2, heard_before=heard)
    lines = anonymous.get("/metrics").text.splitlines()
    assert {"rglab_workers 3.0", "rglab_workers_hearing 1.0"} <= {*lines}


def test_runs_are_counted_by_state_also_where_there_are_none(
    api: TestClient, database: Database
) -> None:
    api.post("/v1/experiments", json={"seeds": 2})
    lines = api.get("/metrics").text.splitlines()
    assert {'rglab_runs{state="queued"} 2.0', 'rglab_runs{state="failed"} 0.0'} <= {*lines}


def _of_invariants(api: TestClient) -> dict[str, dict[str, float]]:
    """Gauge -> invariant -> its value."""
    families = text_string_to_metric_families(api.get("/metrics").text)
    return {
        family.name: {sample.labels["invariant"]: sample.value for sample in family.samples}
        for family in families
        if family.name.startswith("rglab_invariants_")
    }


def test_before_the_first_inspection_nothing_is_said_of_invariants(api: TestClient) -> None:
    assert list(_of_invariants(api).values()) == [{}, {}]


def test_what_an_inspection_found_last_is_told_with_its_time(
    api: TestClient, database: Database
) -> None:
    first, second = INVARIANTS[0].name, INVARIANTS[1].name
    clock = SetClock(database)
    clock.at(NOON)
    with database.begin() as session:
        inspections.keep(session, first, 3)
        inspections.keep(session, second, 1)
    clock.forward(hours=1)
    with database.begin() as session:
        inspections.keep(session, first, 0)
    noon = NOON.timestamp()
    assert _of_invariants(api) == {
        "rglab_invariants_broken": {first: 0, second: 1},
        "rglab_invariants_inspected_timestamp_seconds": {first: noon + 3600, second: noon},
    }


def test_an_invariant_that_this_release_does_not_have_is_not_told(
    api: TestClient, database: Database
) -> None:
    with database.begin() as session:
        inspections.keep(session, "of another release", 1)
    assert _of_invariants(api)["rglab_invariants_broken"] == {}
