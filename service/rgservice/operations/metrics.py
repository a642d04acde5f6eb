"""The state of the lab for Prometheus, read from the database at each scrape."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.orm import Session

from rgcontract import State
from rgstore import inspections
from rgstore.invariants.invariant import MOST_BREACHES
from rgstore.runs import count_all_runs
from rgstore.workers import hearing, live_workers


def exposition(session: Session) -> tuple[bytes, str]:
    """(body, media type)."""
    registry = CollectorRegistry()
    runs = Gauge("rglab_runs", "Runs by state", ["state"], registry=registry)
    counts = dict.fromkeys(State, 0) | count_all_runs(session)
    for state, number in counts.items():
        runs.labels(state).set(number)
    workers = Gauge("rglab_workers", "Workers heard of lately", registry=registry)
    workers.set(len(live_workers(session)))
    reached = Gauge(
        "rglab_workers_hearing", "Workers that the broker's messages reach", registry=registry
    )
    reached.set(hearing(session))
    _inspected(session, registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _inspected(session: Session, registry: CollectorRegistry) -> None:
    """What a worker found once an hour; of an invariant that none has looked at, nothing."""
    broken = Gauge(
        "rglab_invariants_broken",
        f"Rows that break an invariant, {MOST_BREACHES} at most",
        ["invariant"],
        registry=registry,
    )
    inspected = Gauge(
        "rglab_invariants_inspected_timestamp_seconds",
        "When a worker last looked for such rows",
        ["invariant"],
        registry=registry,
    )
    for row in inspections.latest(session):
        broken.labels(row.invariant).set(row.broken)
        inspected.labels(row.invariant).set(row.inspected_at.timestamp())
