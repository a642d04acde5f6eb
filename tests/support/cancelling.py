"""Experiments that nobody wants any more."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgstore import experiments, wishes


def nobody_wants(session: Session, name: str) -> None:
    """Withdraw what anybody asked for of an experiment."""
    for owner in experiments.owners_of(session, name):
        wishes.withdraw(session, [name], owner)
