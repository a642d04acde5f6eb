"""Experiments that nobody wants any more."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgstore import experiments, wishes
from rgstore.tables import SubmissionRow


def nobody_wants(session: Session, name: str) -> None:
    """Withdraw what anybody asked for of an experiment."""
    for owner in experiments.owners(session, SubmissionRow.experiment_id == name):
        wishes.withdraw(session, [name], owner)
