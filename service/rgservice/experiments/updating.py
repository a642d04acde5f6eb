"""Changing what one has asked for: one's own label, tags, note and priority."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rgcontract.audit import Action
from rgcontract.updates import ExperimentUpdate
from rgservice.experiments.steering import Found
from rgservice.experiments.views import changeable
from rgservice.http import etags
from rgstore import audit, wishes, words
from rgstore.tokens import Caller
from rgstore.transitions import lock_experiments


def update(
    session: Session, found: Found, caller: Caller, sent: ExperimentUpdate, if_match: str | None
) -> None:
    """Change what a caller has given an experiment; nothing of what others have.

    An admin who has asked for none of it changes the words of who asked first, and how urgent it
    is to everybody.

    Args:
        session: the transaction.
        found: of what.
        caller: who changes it.
        sent: what is to be changed.
        if_match: the entity tag of what they read; None changes it whatever it is.

    Raises:
        NotAsked: it is not theirs. Changed: it is not what they read.
    """
    name, given = found.row.id, sent.given
    wishes.lock_unended(session, [name])  # before the experiment, as everywhere
    (row,) = lock_experiments(session, [name])
    whose = found.spoken_for(session, caller)
    before = changeable(session, row, caller.user)
    etags.check(if_match, before)
    words.put(session, row, whose or row.owner, given)
    if "priority" in given:
        wishes.set_priority(session, [name], whose, given["priority"])
        if whose in (None, row.owner):
            row.priority = given["priority"]
    after = changeable(session, row, caller.user)
    if given:
        audit.record(
            session, caller, Action.EXPERIMENT_UPDATE, name, _of(before, given), _of(after, given)
        )


def _of(shown: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in given}
