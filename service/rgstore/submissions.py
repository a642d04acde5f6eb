"""Taking in requests: the same record for the same spec, only the missing seeds added.

What each person asked for is kept with their request and changes nothing of another's. Many are
taken in by as few statements as one. Rows are written in one order, so that two who send the same
specs never wait for each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Integer,
    column,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import (
    IMPLEMENTED,
    State,
    Submission,
    chain_hash,
    schema_of,
    shape_hash,
    training_hash,
)
from rgstore import clock, outbox
from rgstore.among import among
from rgstore.asked import Asked, Submitted, words
from rgstore.charges import charge
from rgstore.records import RunKey
from rgstore.recordset import recordset
from rgstore.requests import earlier, insert_submissions, replay
from rgstore.stored_specs import columns_of, stored_spec
from rgstore.tables import ExperimentRow, RunRow
from rgstore.transitions import NEW, lock_experiments, lock_runs, move, refresh_experiments
from rgstore.wishes import weigh
from rgstore.words import check_tags


def submit(
    session: Session,
    submission: Submission,
    *,
    owner: str,
    attempt_limit: int,
    idempotency_key: str | None = None,
    body_hash: str,
    flops_per_run: float,
) -> Submitted:
    """Store one submission: `submit_all` of it alone."""
    (submitted,) = submit_all(
        session,
        [Asked.of(submission, flops_per_run=flops_per_run)],
        owner=owner,
        attempt_limit=attempt_limit,
        idempotency_key=idempotency_key,
        body_hash=body_hash,
    )
    return submitted


def submit_all(
    session: Session,
    asked: Sequence[Asked],
    *,
    owner: str,
    attempt_limit: int,
    idempotency_key: str | None = None,
    body_hash: str = "",
    study_id: str | None = None,
) -> list[Submitted]:
    """Store submissions, all of them or none.

    What becomes of each is as if they had come one after another. Runs that were cancelled are
    queued again, since someone wants them now, and those that are about to be go on; failed ones
    are not, since they would fail again: that takes an explicit retry. Runs that wait already
    wait for the least that any of those asks who want them, see `wishes.weigh`.

    Args:
        session: the transaction.
        asked: at least one; a spec may come several times.
        owner: who asks.
        attempt_limit: tries at a run.
        idempotency_key: of all of them together.
        body_hash: of all of them together; counts with a key only.
        study_id: of the study that they make, which the same transaction stores.

    Raises:
        IdempotencyKeyReusedError: the owner used this key with another body.
        TooManyTagsError: they would have too many on an experiment.
    """
    if idempotency_key is not None:
        before = earlier(session, owner, idempotency_key)
        if before:
            return replay(before, body_hash)
    experiments = {one.name: one for one in reversed(asked)}  # the first of each name
    created = _insert_experiments(session, experiments.values(), owner)
    added = _insert_runs(session, asked, owner, attempt_limit)
    known = experiments.keys() - created
    there: set[int] = set()
    if known:
        of_known = [one for one in asked if one.name in known]
        again, there = _want_again(session, of_known, attempt_limit)
        added |= again
    submitted = _shared_out(asked, created, added)
    tagged = [(one.name, one.submission.tags) for one in asked]
    queued = {name for name, _ in added}
    # after the runs: lock order. Who counts tags at the same moment waits, and then sees these
    lock_experiments(session, known & (queued | {name for name, tags in tagged if tags}))
    refresh_experiments(session, known & queued)
    check_tags(session, tagged, owner)
    if not insert_submissions(
        session, asked, submitted, owner, idempotency_key, body_hash, study_id
    ):
        # the same key at the same moment: the other one speaks for both
        return replay(earlier(session, owner, idempotency_key), body_hash)
    weigh(session, there | _asked_twice(asked, added))
    put_in_line = zip(asked, submitted, strict=True)
    charge(session, owner, sum(one.flops_per_run * told.added_runs for one, told in put_in_line))
    return submitted


Added = dict[tuple[str, RunKey], int]
"""(experiment, (chain seed, training seed)) -> the run that was queued for it."""


def _insert_experiments(session: Session, asked: Iterable[Asked], owner: str) -> set[str]:
    """Insert the experiments that are not there. Returns the names of the new ones."""
    row = ExperimentRow
    new = [_experiment(one, owner) for one in asked]
    rows = recordset(new, *(getattr(row, name) for name in new[0]))
    statement = (
        insert(row)
        .from_select(list(rows.c.keys()), select(rows).order_by(rows.c.id))
        .on_conflict_do_nothing()  # of its id or its hash, whichever Postgres meets first
        .returning(row.id)
    )
    return set(session.scalars(statement))


def _experiment(asked: Asked, owner: str) -> dict[str, Any]:
    submission = asked.submission
    named = words(submission)
    return {
        "id": asked.name,
        "spec_hash": asked.spec_hash,
        "training_hash": training_hash(submission),
        "chain_hash": chain_hash(submission.chain),
        **vars(IMPLEMENTED),
        "spec_schema": schema_of(submission),
        "spec": stored_spec(submission.spec),
        **columns_of(submission),
        "flops_per_run": asked.flops_per_run,
        "stored_bytes_per_run": asked.bytes_per_run,
        "label": named["label"],
        "tags": named["tags"],
        "priority": named["priority"],
        "owner": owner,
        "state": NEW,
    }


def _insert_runs(session: Session, asked: Sequence[Asked], owner: str, attempt_limit: int) -> Added:
    """Insert the runs that are not there, those that were asked for first being first in line."""
    row, place = RunRow, column("place", Integer())
    rows = recordset(
        [
            {"place": index, **run}
            for index, one in enumerate(asked)
            for run in new_runs(one.name, one.submission)
        ],
        place, row.experiment_id, row.chain_seed, row.seed, row.priority, row.shape, row.device,
    )  # fmt: skip
    values = {
        "experiment_id": rows.c.experiment_id,
        "chain_seed": rows.c.chain_seed,
        "seed": rows.c.seed,
        "priority": rows.c.priority,
        "shape": rows.c.shape,
        "device": rows.c.device,
        "wanted_by": literal([owner], row.wanted_by.type),
        "state": literal(NEW.value),
        "attempt_limit": literal(attempt_limit),
        # a microsecond apart: rows are written in the order of their keys, not in that of the line
        "queued_at": clock.now() + rows.c.place * clock.MICROSECOND,
    }
    in_order = (rows.c.experiment_id, rows.c.chain_seed, rows.c.seed, rows.c.place)
    statement = (
        insert(row)
        .from_select(list(values), select(*values.values()).order_by(*in_order))
        .on_conflict_do_nothing(index_elements=["experiment_id", "chain_seed", "seed"])
        .returning(row.experiment_id, row.chain_seed, row.seed, row.id, row.device)
    )
    added: Added = {}
    for name, chain_seed, seed, run, device in session.execute(statement):
        added[name, (chain_seed, seed)] = run
        outbox.put(session, device, [run])
    return added


def new_runs(name: str, submission: Submission) -> list[dict[str, Any]]:
    """What a submission says of each of its runs, as columns."""
    shape = shape_hash(submission)
    return [
        {
            "experiment_id": name,
            "chain_seed": chain_seed,
            "seed": seed,
            "priority": submission.priority,
            "shape": shape,
            "device": submission.device,
        }
        for chain_seed, seed in submission.runs
    ]


def _want_again(
    session: Session, asked: Sequence[Asked], attempt_limit: int
) -> tuple[Added, set[int]]:
    """Queue what was cancelled, and let go on what is about to be.

    Returns:
        What was queued; and the ids of all runs asked for that are still to end. They are locked
        until the transaction ends: whoever withdraws a wish waits, and then sees these.
    """
    row = RunRow
    keys = {(one.name, run) for one in asked for run in one.submission.runs}
    wanted = recordset(
        [
            {"experiment_id": name, "chain_seed": chain_seed, "seed": seed}
            for name, (chain_seed, seed) in keys
        ],
        row.experiment_id, row.chain_seed, row.seed,
    )  # fmt: skip
    key = tuple_(row.experiment_id, row.chain_seed, row.seed)
    there = lock_runs(
        session,
        key.in_(select(wanted.c.experiment_id, wanted.c.chain_seed, wanted.c.seed)),
        among(row.state, (State.QUEUED, State.RUNNING, State.CANCELLED)),
    )
    session.execute(
        update(row)
        .where(among(row.id, [run.id for run in there if run.cancel_requested]))
        .values(cancel_requested=False)
        .execution_options(synchronize_session=False)
    )
    queued = move(
        session,
        State.CANCELLED,
        State.QUEUED,
        among(row.id, [run.id for run in there if run.state == State.CANCELLED]),
        attempt_limit=row.attempt + attempt_limit,
    )
    again = {(run.experiment_id, (run.chain_seed, run.seed)): run.id for run in queued}
    return again, {run.id for run in there}


def _asked_twice(asked: Sequence[Asked], added: Added) -> set[int]:
    """Runs that several of these ask for."""
    times = Counter((one.name, run) for one in asked for run in one.submission.runs)
    return {added[key] for key, n in times.items() if n > 1 and key in added}


def _shared_out(asked: Sequence[Asked], created: set[str], added: Added) -> list[Submitted]:
    """What each added: a run belongs to the first that asked for it."""
    unnamed, left = set(created), dict(added)
    submitted = []
    for one in asked:
        keys = [(one.name, run) for run in one.submission.runs if (one.name, run) in left]
        submitted.append(
            Submitted(
                experiment_id=one.name,
                created=one.name in unnamed,
                added_seeds=sorted({seed for _, (_, seed) in keys}),
                seeds=list(one.submission.seeds),
                added_runs=len(keys),
                run_ids=[left.pop(key) for key in keys],
            )
        )
        unnamed.discard(one.name)
    return submitted
