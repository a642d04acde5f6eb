"""Findings of studies kept up to date, and seeds added until they are precise enough."""

from __future__ import annotations

import logging
import math
from types import MappingProxyType

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgcontract import Finding, Findings
from rgcore.claims import CONFIDENCE
from rgstore import clock, further_seeds, judging, studies, study_runs
from rgstore.database import Database
from rgstore.quotas import Amounts
from rgstore.stored_specs import DAMAGED
from rgstore.study_runs import NO_RUNS, Part
from rgstore.tables import StudyRow
from rgworker.verdicts import Judge, fewest_rows

log = logging.getLogger(__name__)

MOST_ADDED = 4
"""Seeds added to an experiment at once: the error that they are predicted from is rough."""


def refresh_findings(
    database: Database, *, attempt_limit: int, lab: Amounts = MappingProxyType({})
) -> list[int]:
    """Write the findings of every study that was measured further. Cheap if there is none.

    Each is come to once: one that is measured further meanwhile is due again, and its turn comes
    with the next round.

    A study that is measured through and has a `target_error` gets more seeds where they are
    needed. Several workers may do this at once: each study is one worker's at a time.

    Args:
        database: the lab's.
        attempt_limit: of the runs that are added.
        lab: quotas of everybody who has none of their own; the runs count for them.

    Returns:
        The runs that were added.
    """
    added: list[int] = []
    before = ""
    while True:
        with database.begin() as session:
            study = judging.next_due(session, after=before)
            if study is None:
                return added
            added += _refresh(session, study, attempt_limit, lab)
            before = study.id


def _refresh(session: Session, study: StudyRow, attempt_limit: int, lab: Amounts) -> list[int]:
    over = study_runs.count_measured(session, study.id)  # first: what comes later is not in it
    complete = study_runs.runs_by_study(session, [study.id]).get(study.id, NO_RUNS).is_done
    try:
        findings = _findings(session, study, complete=complete)
    except DAMAGED:  # stored numbers that no claim can be read from
        log.exception("study %s: no findings", study.id)
        findings = None
    added = _add_seeds(session, study, attempt_limit, lab)
    written = None if findings is None else findings.model_dump(mode="json")
    judging.keep_findings(session, study, written, over=over)
    return added


def _findings(session: Session, study: StudyRow, *, complete: bool) -> Findings | None:
    """None if nothing is measured yet."""
    judge = Judge(
        study_runs.claim_values(session, study.id),
        over_chains=study_runs.over_chains(session, study.id),
        before=_earlier(study),
    )
    groups = judge.groups(studies.members(session, study.id))
    if not groups:
        return None
    return Findings(
        study_id=study.id,
        complete=complete,
        confidence=CONFIDENCE,
        n_seeds=fewest_rows(groups),
        error_bar=judge.error_bar,
        groups=groups,
        updated_at=session.scalars(select(clock.instant())).one(),
    )


def _earlier(study: StudyRow) -> list[Finding]:
    """What was written before; nothing if it was in another form."""
    try:
        written = Findings.model_validate(study.findings)
    except ValidationError:
        return []
    return [finding for group in written.groups for finding in group.findings]


def _add_seeds(session: Session, study: StudyRow, attempt_limit: int, lab: Amounts) -> list[int]:
    """Queue seeds for the experiments whose collapse ratio is not known well enough.

    For those who have all that they asked for, each to their own target: nobody waits for
    another's seeds.
    """
    terms = {
        owner: studies.terms_of(session, study, owner)
        for owner in further_seeds.owners_served(session, study.id)
    }
    targets = {owner: (one.target_error, one.max_seeds) for owner, one in terms.items()}
    if all(target is None for target, _ in targets.values()):
        return []
    ratios = sorted(study_runs.collapse_ratios(session, Part(study.id)).items())
    more = {
        owner: {
            name: more_seeds(len(one.of_run), one.standard_error, target, most)
            for name, one in ratios
        }
        for owner, (target, most) in targets.items()
        if target is not None
    }
    return further_seeds.add_seeds(session, study, more, attempt_limit=attempt_limit, lab=lab)


def more_seeds(n: int, error: float | None, target: float, most: int) -> int:
    """Seeds to add so that the standard error comes below the target.

    The error falls as 1 / sqrt(n), so n (error / target)^2 are needed in all; `MOST_ADDED` of
    them at a time. A single seed, which has no error, gets two more.

    Args:
        n: seeds there are.
        error: their standard error; None where there is none.
        target: what it is to be.
        most: seeds in all.
    """
    if error is None:
        wanted = 2 if n == 1 else 0  # with more than one, a ratio itself does not exist
    elif error <= target:
        wanted = 0
    else:
        wanted = min(MOST_ADDED, max(1, math.ceil(n * (error / target) ** 2) - n))
    return max(0, min(wanted, most - n))
