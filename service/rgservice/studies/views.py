"""Stored studies as the wire shows them: one, a page of them, their findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rgcontract import (
    Claim,
    Finding,
    Findings,
    Study,
    StudyMember,
    StudyPage,
    StudySummary,
)
from rgcontract.updates import StudyUpdate
from rgcore.statistics import ONE_CHAIN
from rgservice.http import paging as cursors
from rgservice.http.answers import Answered
from rgservice.http.errors import NotReady
from rgservice.http.etags import tag_of
from rgservice.http.other_releases import Reading, needed, none_are_stored
from rgservice.studies.found import FoundStudy
from rgstore import studies, study_runs
from rgstore.damaged import DamagedRecordError
from rgstore.stored_studies import loaded_axes, loaded_cell, loaded_findings
from rgstore.studies import Member
from rgstore.study_runs import NO_RUNS, CollapseRatios, RunSums
from rgstore.tables import StudyRow
from rgstore.transitions import combined

_IDS = "s-[0-9a-z]{1,64}"
"""Of studies: what `rgstore.studies.study_id` makes."""


def study_view(
    session: Session,
    found: FoundStudy,
    reader: str,
    *,
    created: bool = False,
    added_runs: int = 0,
) -> Study:
    """A study with its experiments, in a fixed number of queries, on the terms of its reader."""
    row, part = found.row, found.part
    terms = studies.terms_of(session, row, reader)
    runs = study_runs.runs_by_experiment(session, part)
    under_trained = study_runs.under_trained(session, part)
    ratios = study_runs.collapse_ratios(session, part)
    members = [
        _member(
            member,
            runs.get(member.experiment_id, NO_RUNS),
            under_trained.get(member.experiment_id),
            ratios.get(member.experiment_id, CollapseRatios({})),
        )
        for member in studies.members(session, row.id)
    ]
    together = sum(runs.values(), NO_RUNS)
    state = combined(together.counts.states)
    reading = Reading(f"study {row.id}")
    axes: dict[str, list[Any]] = reading.part("axes", lambda: loaded_axes(row.axes), {})
    reading.known(state=state)
    if not members:
        reading.part("experiments", none_are_stored, None)
    return Study(
        id=row.id,
        name=terms.name or row.name,
        axes=axes,
        state=state,
        unreadable=reading.unreadable,
        progress=_progress(together),
        run_counts=together.counts,
        seeds=found.seeds,
        target_error=terms.target_error,
        max_seeds=terms.max_seeds,
        priority=terms.priority,
        experiments=members,
        owner=row.owner,
        owners=found.owners(session),
        created_at=row.created_at,
        created=created,
        added_runs=added_runs,
    )


def tagged(session: Session, found: FoundStudy, reader: str) -> Answered:
    """A study with the tag of what can be changed of it."""
    view = study_view(session, found, reader)
    return Answered.tagged(view, tag_of(view, StudyUpdate))


def _member(
    member: Member, runs: RunSums, under_trained: bool | None, ratios: CollapseRatios
) -> StudyMember:
    state = combined(runs.counts.states)
    reading = Reading(f"experiment {member.experiment_id}")
    cell: dict[str, Any] = reading.part("cell", lambda: loaded_cell(member.cell), {})
    reading.known(state=state)
    return StudyMember(
        id=member.experiment_id,
        spec_hash=member.spec_hash,
        cell=cell,
        seeds=sorted(runs.seeds),
        state=state,
        unreadable=reading.unreadable,
        run_counts=runs.counts,
        progress=_progress(runs),
        under_trained=under_trained,
        collapse_ratio_error=ratios.standard_error,
    )


def changeable(session: Session, row: StudyRow, reader: str) -> dict[str, Any]:
    """What `PATCH` can change of a study, as a reader sees it."""
    terms = studies.terms_of(session, row, reader)
    return {"name": terms.name or row.name, "priority": terms.priority}


def page(
    session: Session, reader: str, *, owner: str | None, cursor: str | None, limit: int
) -> StudyPage:
    """A page of studies, newest first, as their reader calls them.

    Raises:
        InvalidQuery: the cursor is not one of ours, or the owner holds NUL.
    """
    cursors.without_nul(owner=owner)
    after = cursors.decoded(cursor, _IDS) if cursor is not None else None
    rows = studies.page(session, owner=owner, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    runs = study_runs.runs_by_study(session, [row.id for row in shown])
    names = studies.names_of(session, [row.id for row in shown], reader)
    items = [_summary(row, runs.get(row.id, NO_RUNS), names.get(row.id)) for row in shown]
    last = cursors.encoded(shown[-1].created_at, shown[-1].id) if more else None
    return StudyPage(items=items, next_cursor=last)


def _summary(row: StudyRow, runs: RunSums, own_name: str | None) -> StudySummary:
    state = combined(runs.counts.states)
    reading = Reading(f"study {row.id}")
    if not runs.counts.total:
        reading.part("experiments", none_are_stored, None)
    reading.known(state=state)
    return StudySummary(
        id=row.id,
        name=own_name or row.name,
        state=state,
        unreadable=reading.unreadable,
        run_counts=runs.counts,
        owner=row.owner,
        created_at=row.created_at,
    )


def findings_view(session: Session, found: FoundStudy, reader: str) -> Findings:
    """What a study shows, over all of its runs that are measured so far.

    It is complete once the runs of the seeds that are asked about are in it; for a reader with a
    target, once it is known that no more are to be added.

    Raises:
        NotReady: nothing is measured, or no worker has written it down yet.
        UnreadableRecord: another release wrote them, or they are damaged.
    """
    row = found.row
    of_experiments = study_runs.runs_by_experiment(session, found.part)
    runs = sum(of_experiments.values(), NO_RUNS)
    if row.findings is None:
        state = combined(runs.counts.states)
        advice = (
            "a worker writes the findings within seconds; is one running?"
            if runs.counts.done
            else "ask again when runs are measured"
        )
        raise NotReady(
            f"the study is {state}, {runs.counts.done} of {runs.counts.total} runs are measured: "
            f"{advice}",
            state=state,
            progress=_progress(runs),
        )
    target = studies.terms_of(session, row, reader).target_error
    with needed(f"what is found of study {row.id}"):
        findings = loaded_findings(row.findings)
        judged = not row.findings_due or (target is None and _over(findings, of_experiments))
    return findings.model_copy(update={"complete": runs.is_done and judged})


def _over(findings: Findings, runs: Mapping[str, RunSums]) -> bool:
    """Whether these runs, once measured, are known to be in findings that are to be written anew.

    They are written anew for the seeds of others too, which nobody else is to wait for. Over
    several chains they do not say which seeds they are over.
    """
    if findings.error_bar != ONE_CHAIN:
        return False
    there: dict[str, set[int]] = {}
    for finding in (finding for group in findings.groups for finding in group.findings):
        rows = _seeds_of(finding)
        if finding.claim is Claim.MONOTONE:  # of one experiment each
            if not finding.experiments:
                raise DamagedRecordError("a finding is of no experiment")
            there.setdefault(finding.experiments[0], rows).intersection_update(rows)
    return all(sums.seeds <= there.get(name, set()) for name, sums in runs.items())


def _seeds_of(finding: Finding) -> set[int]:
    """The training seeds that a finding is over, of one chain.

    Raises:
        DamagedRecordError: they are no numbers.
    """
    try:
        return {int(seed) for effect in finding.effects.values() for seed in effect.per_seed}
    except ValueError as error:
        raise DamagedRecordError(f"no seed: {error}") from error


def _progress(runs: RunSums) -> float:
    """From 0 to 1."""
    return min(1.0, runs.fractions / runs.counts.total) if runs.counts.total else 0.0
