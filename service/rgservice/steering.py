"""Finding, cancelling and retrying an experiment."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgservice.errors import NotCancellable, NotFound, NotRetryable
from rgstore import experiments
from rgstore.tables import ExperimentRow


def find(session: Session, name: str) -> ExperimentRow:
    """An experiment by its name.

    Raises:
        NotFound: there is none.
    """
    row = experiments.get(session, name) if "\x00" not in name else None
    if row is None:
        raise NotFound(f"no experiment {name[:80]!r}; GET /v1/experiments lists them")
    return row


def cancel(session: Session, name: str) -> ExperimentRow:
    """Stop an experiment: queued runs at once, running ones at their next heartbeat.

    Raises:
        NotFound: there is none. NotCancellable: all its runs have ended.
    """
    row = find(session, name)
    if not experiments.request_cancel(session, name):
        raise NotCancellable(f"the experiment is {row.state}", state=row.state)
    session.refresh(row)
    return row


def retry(session: Session, name: str, *, attempt_limit: int) -> ExperimentRow:
    """Queue failed and cancelled runs again; the experiment.

    Raises:
        NotFound: there is none. NotRetryable: no run has failed or been cancelled.
    """
    row = find(session, name)
    if not experiments.retry(session, name, attempt_limit=attempt_limit):
        raise NotRetryable(f"the experiment is {row.state}", state=row.state)
    session.refresh(row)
    return row
