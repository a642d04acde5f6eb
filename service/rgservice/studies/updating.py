"""Changing what one has asked for: one's own name and priority of a study."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from rgcontract.audit import Action
from rgcontract.updates import StudyUpdate
from rgservice.http import etags
from rgservice.studies.found import FoundStudy
from rgservice.studies.views import changeable
from rgstore import audit, studies, wishes
from rgstore.tokens import Caller


def update(
    session: Session, found: FoundStudy, caller: Caller, sent: StudyUpdate, if_match: str | None
) -> None:
    """Change how a caller wants a study; nothing of how others do.

    An admin who has not asked for it changes its name for who asked first, and how urgent it is to
    everybody.

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
    names, _ = found.wished(session)
    wishes.lock_unended(session, names)  # before the study, as everywhere
    row = studies.locked(session, name)
    whose = found.spoken_for(session, caller)
    before = changeable(session, row, caller.user)
    etags.check(if_match, before)
    everybody = found.owners(session)
    for owner in [whose or row.owner, *(everybody if whose is None else [])]:
        terms = studies.terms_of(session, row, owner)
        named = given if owner in (whose, row.owner) else {**given, "name": terms.name}
        studies.put_terms(session, row, owner, replace(terms, **named))
    if "priority" in given:
        wishes.set_priority(session, names, whose, given["priority"], study=name)
    after = changeable(session, row, caller.user)
    if given:
        shown = [{field: said[field] for field in given} for said in (before, after)]
        audit.record(session, caller, Action.STUDY_UPDATE, name, *shown)
