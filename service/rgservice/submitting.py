"""A submission: forecast, limits, store, and the acknowledgement."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rgcontract import Acknowledgement, Forecast, RunCounts, State, Submission, canonical_json
from rgservice import cost
from rgservice.completing import completed
from rgservice.errors import KeyReused, OverLimit
from rgstore import experiments, submissions
from rgstore.measurements import measured_rate
from rgstore.settings import Settings
from rgstore.submissions import IdempotencyKeyReusedError


@dataclass(frozen=True)
class Accepted:
    """What the answer says, and which runs the workers are told of once it is committed."""

    acknowledgement: Acknowledgement
    run_ids: list[int]


def forecast(session: Session, submission: Submission) -> Forecast:
    """What a submission would cost. Nothing is stored."""
    submission = completed(submission)
    missing = submissions.missing_runs(session, submission)
    one = cost.cost_of_run(submission)
    rate = measured_rate(session) or cost.FLOPS_PER_SECOND
    flops = one.flops * len(missing)
    return Forecast(
        cached=not missing,
        missing_seeds=sorted({seed for _, seed in missing}),
        missing_runs=len(missing),
        parameters=one.parameters,
        flops=flops,
        seconds=flops / rate,
        memory_bytes=one.memory_bytes,
        stored_bytes=one.stored_bytes * len(missing),
    )


def accept(
    session: Session,
    submission: Submission,
    *,
    owner: str,
    idempotency_key: str | None,
    settings: Settings,
) -> Accepted:
    """Check the limits and store a submission. The caller commits.

    Raises:
        OverLimit: it would cost more than this server allows; nothing is stored.
        KeyReused: the idempotency key came before with another body.
    """
    submission = completed(submission)
    missing = submissions.missing_runs(session, submission)
    refused = cost.over_limits(submission, len(missing), settings) if missing else []
    if refused:
        estimate = forecast(session, submission).model_dump()
        raise OverLimit.of(refused, estimate=estimate)
    body = canonical_json(submission.model_dump(mode="json"))
    try:
        stored = submissions.submit(
            session,
            submission,
            owner=owner,
            attempt_limit=settings.max_attempts,
            idempotency_key=idempotency_key,
            body_hash=hashlib.sha256(body.encode()).hexdigest(),
            flops_per_run=cost.cost_of_run(submission).flops,
        )
    except IdempotencyKeyReusedError as error:
        raise KeyReused("use a new Idempotency-Key for a different submission") from error
    row = experiments.get(session, stored.experiment_id)
    assert row is not None  # stored in this transaction
    session.refresh(row)
    return Accepted(
        Acknowledgement(
            id=row.id,
            spec_hash=row.spec_hash,
            state=State(row.state),
            created=stored.created,
            added_seeds=stored.added_seeds,
            runs=RunCounts(**submissions.count_runs(session, row.id)),
        ),
        stored.run_ids,
    )
