"""What is scraped is the state of the lab."""

from __future__ import annotations

from datetime import timedelta

from fastapi.testclient import TestClient

from rgstore.database import Database
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
