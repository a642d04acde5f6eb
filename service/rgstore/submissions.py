"""Taking in requests: the same record for the same spec, only the missing seeds added.

What each person asked for is kept with their request and changes nothing of another's. Many are
taken in by as few statements as one. Rows are written in one order, so that two who send the same
specs never wait for each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from sqlalchemy import (
    JSON,
    ColumnClause,
    Integer,
    TableValuedAlias,
    Text,
    bindparam,
    column,
    func,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgcontract import (
    IMPLEMENTED,
    ExperimentSpec,
    RunCounts,
    State,
    StoredSpec,
    Submission,
    chain_hash,
    field_problems,
    kept,
    measurement_hash,
    schema_of,
    shape_hash,
    training_hash,
)
from rgstore import aliases, outbox
from rgstore.among import among
from rgstore.records import RunKey
from rgstore.tables import ExperimentRow, RunRow, SubmissionRow
from rgstore.transitions import lock_runs, move, refresh_experiments
from rgstore.wishes import weigh

ID_DIGITS = 16  # 64 bits of the hash name an experiment; all 256 keep it unique


@dataclass(frozen=True)
class Asked:
    """A submission under its name."""

    name: str
    spec_hash: str
    submission: Submission
    flops_per_run: float

    @classmethod
    def of(cls, submission: Submission, *, flops_per_run: float) -> Asked:
        """With its name worked out, once: the hash takes longer than all the rest."""
        spec_hash = measurement_hash(submission)
        return cls(_name(spec_hash), spec_hash, submission, flops_per_run)


@dataclass(frozen=True)
class Submitted:
    """What became of a submission."""

    experiment_id: str
    created: bool
    added_seeds: list[int]
    seeds: list[int] | None
    """Those it named; None where that was not kept."""
    added_runs: int
    run_ids: list[int]
    """Runs that it put in line."""


class UnreadableSpecError(Exception):
    """A stored spec that this code cannot read; the message names the fields."""


class IdempotencyKeyReusedError(Exception):
    """The key came before with another body."""


def _name(spec_hash: str) -> str:
    return f"e-{spec_hash[:ID_DIGITS]}"


def under_kept_names(session: Session, asked: Sequence[Asked]) -> list[Asked]:
    """The same, those that were stored under a name of before under that."""
    kept = aliases.of_experiments(session, [one.spec_hash for one in asked])
    return [_under(one, kept.get(one.spec_hash, one.spec_hash)) for one in asked]


def _under(asked: Asked, spec_hash: str) -> Asked:
    return replace(asked, name=_name(spec_hash), spec_hash=spec_hash)


def missing_runs(session: Session, specs: Mapping[str, ExperimentSpec]) -> dict[str, list[RunKey]]:
    """Experiment -> runs of its spec that the lab has neither measured nor queued."""
    rows = session.execute(
        select(RunRow.experiment_id, RunRow.chain_seed, RunRow.seed).where(
            among(RunRow.experiment_id, specs), RunRow.state != State.CANCELLED
        )
    )
    present: dict[str, set[RunKey]] = {}
    for name, chain_seed, seed in rows:
        present.setdefault(name, set()).add((chain_seed, seed))
    return {name: sorted({*spec.runs} - present.get(name, set())) for name, spec in specs.items()}


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
    """
    if idempotency_key is not None:
        earlier = _earlier(session, owner, idempotency_key)
        if earlier:
            return _replay(earlier, body_hash)
    experiments = {one.name: one for one in reversed(asked)}  # the first of each name
    created = _insert_experiments(session, experiments.values(), owner)
    added = _insert_runs(session, asked, attempt_limit)
    known = experiments.keys() - created
    there: set[int] = set()
    if known:
        of_known = [one for one in asked if one.name in known]
        again, there = _want_again(session, of_known, attempt_limit)
        added |= again
    submitted = _shared_out(asked, created, added)
    refresh_experiments(session, known & {name for name, _ in added})  # after the runs: lock order
    if not _insert_submissions(
        session, asked, submitted, owner, idempotency_key, body_hash, study_id
    ):
        # the same key at the same moment: the other one speaks for both
        return _replay(_earlier(session, owner, idempotency_key), body_hash)
    weigh(session, there | _asked_twice(asked, added))
    return submitted


def _earlier(session: Session, owner: str, key: str | None) -> Sequence[SubmissionRow]:
    """All that came under this key, in the order in which it came."""
    keyed = session.scalars(
        select(SubmissionRow).where(
            SubmissionRow.owner == owner, SubmissionRow.idempotency_key == key
        )
    ).first()
    if keyed is None or keyed.batch is None:
        return [keyed] if keyed else []
    return session.scalars(
        select(SubmissionRow)
        .where(SubmissionRow.batch == keyed.batch)
        .order_by(SubmissionRow.place)
    ).all()


def _replay(earlier: Sequence[SubmissionRow], body_hash: str) -> list[Submitted]:
    if earlier[0].body_hash != body_hash:
        raise IdempotencyKeyReusedError
    return [
        Submitted(row.experiment_id, row.created, row.added_seeds, row.seeds, 0, [])
        for row in earlier
    ]


Added = dict[tuple[str, RunKey], int]
"""(experiment, (chain seed, training seed)) -> the run that was queued for it."""


def _insert_experiments(session: Session, asked: Iterable[Asked], owner: str) -> set[str]:
    """Insert the experiments that are not there. Returns the names of the new ones."""
    row = ExperimentRow
    rows = _recordset([_experiment(one, owner) for one in asked], row.id, row.spec_hash,
        row.training_hash, row.chain_hash, row.spec_schema, row.training_protocol, row.protocol,
        row.spec, row.family, row.corr_len, row.mixing, row.depth, row.width, row.flops_per_run,
        row.label, row.tags, row.priority, row.owner, row.state)  # fmt: skip
    statement = (
        insert(row)
        .from_select(list(rows.c.keys()), select(rows).order_by(rows.c.id))
        .on_conflict_do_nothing()  # of its id or its hash, whichever Postgres meets first
        .returning(row.id)
    )
    return set(session.scalars(statement))


def _experiment(asked: Asked, owner: str) -> dict[str, Any]:
    submission = asked.submission
    chain, model, words = submission.chain, submission.model, _words(submission)
    return {
        "id": asked.name,
        "spec_hash": asked.spec_hash,
        "training_hash": training_hash(submission),
        "chain_hash": chain_hash(chain),
        **vars(IMPLEMENTED),
        "spec_schema": schema_of(submission),
        "spec": stored_spec(submission.spec),
        "family": chain.family,
        "corr_len": chain.corr_len,
        "mixing": model.mixing,
        "depth": model.depth,
        "width": model.width,
        "flops_per_run": asked.flops_per_run,
        "label": words["label"],
        "tags": words["tags"],
        "priority": words["priority"],
        "owner": owner,
        "state": State.QUEUED,
    }


def _words(submission: Submission) -> dict[str, Any]:
    """How a request wants its experiment kept and treated."""
    return {
        "label": submission.label,
        "tags": sorted(set(submission.tags)),
        "priority": submission.priority,
        "device": submission.device,
    }


def _insert_runs(session: Session, asked: Sequence[Asked], attempt_limit: int) -> Added:
    """Insert the runs that are not there, those that were asked for first being first in line."""
    row, place = RunRow, column("place", Integer())
    rows = _recordset(
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
        "state": literal(State.QUEUED.value),
        "attempt_limit": literal(attempt_limit),
        # a microsecond apart: rows are written in the order of their keys, not in that of the line
        "queued_at": func.now() + rows.c.place * text("interval '1 us'"),
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
    wanted = _recordset(
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


def _insert_submissions(
    session: Session,
    asked: Sequence[Asked],
    submitted: Sequence[Submitted],
    owner: str,
    key: str | None,
    body_hash: str,
    study_id: str | None,
) -> bool:
    """Remember what was asked for and acknowledged. Returns False if the key is taken."""
    row, place = SubmissionRow, column("place", Integer())
    batch = f"b-{uuid4().hex}" if len(submitted) > 1 else None
    rows = [
        {
            "place": index,
            "experiment_id": told.experiment_id,
            "created": told.created,
            "added_seeds": told.added_seeds,
            "seeds": told.seeds,
            "wanted": told.seeds,
            **_words(one.submission),
        }
        for index, (one, told) in enumerate(zip(asked, submitted, strict=True))
    ]

    def inserted(these: Sequence[Mapping[str, Any]], key: str | None) -> bool:
        asked = _recordset(
            these, place, row.experiment_id, row.created, row.added_seeds, row.seeds, row.wanted,
            row.label, row.tags, row.priority, row.device,
        )  # fmt: skip
        values = {
            **dict(asked.c.items()),
            "owner": literal(owner),
            "study_id": literal(study_id, Text()),
            "idempotency_key": literal(key, Text()),
            "body_hash": literal(body_hash),
            "batch": literal(batch, Text()),
        }
        statement = (
            insert(row)
            .from_select(list(values), select(*values.values()))
            .on_conflict_do_nothing()
            .returning(row.id)
        )
        return bool(session.scalars(statement).all())

    if not inserted(rows[:1], key):  # the first carries the key of all
        return False
    return len(rows) == 1 or inserted(rows[1:], None)


def _recordset(
    rows: Sequence[Mapping[str, Any]], *columns: InstrumentedAttribute[Any] | ColumnClause[Any]
) -> TableValuedAlias:
    """Rows as a table, by one parameter however many there are."""
    typed = [column(item.name, item.type) for item in columns]
    return (
        func.json_to_recordset(bindparam(None, rows, JSON))
        .table_valued(*typed, name="asked")
        .render_derived(with_types=True)
    )


def stored_spec(spec: ExperimentSpec) -> dict[str, Any]:
    """The spec as it is kept: without the seeds, which are the runs."""
    return {name: part for name, part in kept(spec, "json").items() if name != "seeds"}


def loaded_spec(stored: dict[str, Any], seeds: Sequence[int]) -> StoredSpec:
    """The spec of a stored experiment with these seeds.

    Lax, since what was stored is plain JSON: 7.0 may come back as 7, a tuple as a list.

    Raises:
        UnreadableSpecError: code of another release stored it.
    """
    try:
        return StoredSpec.model_validate({**stored, "seeds": tuple(seeds)}, strict=False)
    except ValidationError as error:
        found = [
            # nobody mistyped it: what it may have meant is of no use
            f"{one.field}: {one.message.partition('; did you mean')[0]}"
            for one in field_problems(error, ExperimentSpec)
        ]
        raise UnreadableSpecError("; ".join(found)) from error
    except Exception as error:  # whatever our validators trip over in another release's spec
        raise UnreadableSpecError(f"{type(error).__name__}: {error}") from error


def count_runs(session: Session, names: Iterable[str]) -> dict[str, dict[int, RunCounts]]:
    """Experiment -> training seed -> its runs by state."""
    rows = session.execute(
        select(RunRow.experiment_id, RunRow.seed, RunRow.state, func.count())
        .where(among(RunRow.experiment_id, names))
        .group_by(RunRow.experiment_id, RunRow.seed, RunRow.state)
    )
    found: dict[str, dict[int, dict[str, int]]] = {}
    for name, seed, state, count in rows:
        found.setdefault(name, {}).setdefault(seed, {})[state] = count
    return {
        name: {seed: RunCounts(**by_state) for seed, by_state in of_seed.items()}
        for name, of_seed in found.items()
    }
