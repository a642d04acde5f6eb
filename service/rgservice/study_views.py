"""Stored studies as the wire shows them: one, a page of them, their findings."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgcontract import (
    Findings,
    RunCounts,
    State,
    Study,
    StudyMember,
    StudyPage,
    StudySummary,
)
from rgservice import cursor as cursors
from rgservice.errors import NotReady
from rgstore import studies
from rgstore.studies import NO_RUNS, CollapseRatios, RunSums
from rgstore.tables import StudyRow
from rgstore.transitions import combined


def study_view(
    session: Session, row: StudyRow, *, created: bool = False, added_runs: int = 0
) -> Study:
    """A study with its experiments, in a fixed number of queries."""
    runs = studies.runs_by_experiment(session, row.id)
    under_trained = studies.under_trained(session, row.id)
    ratios = studies.collapse_ratios(session, row.id)
    members = [
        StudyMember(
            id=member.experiment_id,
            spec_hash=member.spec_hash,
            cell=member.cell,
            state=member.state,
            run_counts=RunCounts(**runs[member.experiment_id].by_state),
            progress=_progress(runs[member.experiment_id]),
            under_trained=under_trained.get(member.experiment_id),
            collapse_ratio_error=ratios.get(
                member.experiment_id, CollapseRatios({})
            ).standard_error,
        )
        for member in studies.members(session, row.id)
    ]
    together = studies.runs_by_study(session, [row.id])[row.id]
    return Study(
        id=row.id,
        name=row.name,
        axes=row.axes,
        state=combined(set(together.by_state)),
        progress=_progress(together),
        run_counts=RunCounts(**together.by_state),
        seeds=row.seeds,
        target_error=row.target_error,
        max_seeds=row.max_seeds,
        experiments=members,
        owner=row.owner,
        created_at=row.created_at,
        created=created,
        added_runs=added_runs,
    )


def page(session: Session, *, owner: str | None, cursor: str | None, limit: int) -> StudyPage:
    """A page of studies, newest first.

    Raises:
        InvalidQuery: the cursor is not one of ours, or the owner holds NUL.
    """
    cursors.without_nul(owner=owner)
    after = cursors.decoded(cursor) if cursor else None
    rows = studies.page(session, owner=owner, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    runs = studies.runs_by_study(session, [row.id for row in shown])
    items = [
        StudySummary(
            id=row.id,
            name=row.name,
            state=combined(set(runs[row.id].by_state)),
            run_counts=RunCounts(**runs[row.id].by_state),
            owner=row.owner,
            created_at=row.created_at,
        )
        for row in shown
    ]
    last = cursors.encoded(shown[-1].created_at, shown[-1].id) if more else None
    return StudyPage(items=items, next_cursor=last)


def findings_view(session: Session, row: StudyRow) -> Findings:
    """What a study shows, over the runs measured so far.

    Raises:
        NotReady: nothing is measured, or no worker has written it down yet.
    """
    runs = studies.runs_by_study(session, [row.id]).get(row.id, NO_RUNS)
    done, total = runs.by_state.get(State.DONE, 0), runs.total
    if row.findings is None:
        state = combined(set(runs.by_state))
        advice = (
            "a worker writes the findings within seconds; is one running?"
            if done
            else "ask again when runs are measured"
        )
        raise NotReady(
            f"the study is {state}, {done} of {total} runs are measured: {advice}",
            state=state,
            progress=_progress(runs),
        )
    findings = Findings.model_validate(row.findings)
    return findings.model_copy(update={"complete": done == total and not row.findings_due})


def _progress(runs: RunSums) -> float:
    """From 0 to 1."""
    return min(1.0, runs.fractions / runs.total) if runs.total else 0.0
