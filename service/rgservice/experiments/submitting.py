"""Submissions, one or many: limits, store, and the acknowledgements."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from rgcontract import Acknowledgement, Forecast, RunCounts, Submission, canonical_json, kept
from rgservice.experiments import cost, forecasting
from rgservice.experiments.completing import completed
from rgservice.http.errors import KeyReused, OverLimit
from rgstore import submissions
from rgstore.asked import Asked, Submitted, under_kept_names
from rgstore.requests import IdempotencyKeyReusedError
from rgstore.runs import count_runs, missing_runs
from rgstore.settings import Settings
from rgstore.transitions import combined


def forecast(session: Session, submission: Submission) -> Forecast:
    """What a submission would cost. Nothing is stored."""
    (asked,) = under_kept_names(session, [asked_of(completed(submission))])
    return forecasting.forecast(session, {asked.name: asked.submission})


def accept(
    session: Session,
    submission: Submission,
    *,
    owner: str,
    idempotency_key: str | None,
    settings: Settings,
) -> list[Acknowledgement]:
    """Check the limits and store a submission. The caller commits.

    Raises:
        OverLimit: it would cost more than this server allows; nothing is stored.
        KeyReused: the idempotency key came before with another body.
    """
    body = canonical_json(kept(submission, "json"))  # as sent, before it is completed
    submission = completed(submission)
    (asked,) = under_kept_names(session, [asked_of(submission)])
    (missing,) = missing_runs(session, {asked.name: submission}).values()
    one = cost.cost_of_run(submission)
    refused = cost.over_limits(one, len(missing), settings) if missing else []
    if refused:
        estimate = forecasting.forecast(session, {asked.name: submission}).model_dump()
        raise OverLimit.of(refused, estimate=estimate)
    return store(
        session,
        [asked],
        owner=owner,
        idempotency_key=idempotency_key,
        body=body,
        settings=settings,
    )


def asked_of(submission: Submission) -> Asked:
    """A completed submission as the store takes it."""
    return Asked.of(submission, flops_per_run=cost.cost_of_run(submission).flops)


def store(
    session: Session,
    asked: Sequence[Asked],
    *,
    owner: str,
    idempotency_key: str | None,
    body: str,
    settings: Settings,
) -> list[Acknowledgement]:
    """Store submissions that are within the limits. The caller commits.

    Args:
        session: the transaction.
        asked: at least one.
        owner: who asks.
        idempotency_key: of all of them together.
        body: what came, written in one way: the key stands for it.
        settings: of the server.

    Raises:
        KeyReused: the idempotency key came before with another body.
    """
    try:
        stored = submissions.submit_all(
            session,
            asked,
            owner=owner,
            attempt_limit=settings.max_attempts,
            idempotency_key=idempotency_key,
            body_hash=hashlib.sha256(body.encode()).hexdigest(),
        )
    except IdempotencyKeyReusedError as error:
        raise KeyReused("use a new Idempotency-Key for a different submission") from error
    return _acknowledgements(session, asked, stored)


def _acknowledgements(
    session: Session, asked: Sequence[Asked], stored: Sequence[Submitted]
) -> list[Acknowledgement]:
    counts = count_runs(session, {one.name for one in asked})
    return [
        _acknowledgement(one, told, counts[one.name])
        for one, told in zip(asked, stored, strict=True)
    ]


def _acknowledgement(
    asked: Asked, told: Submitted, counts: Mapping[int, RunCounts]
) -> Acknowledgement:
    seeds = sorted(counts) if told.seeds is None else told.seeds
    runs = sum((counts[seed] for seed in seeds), RunCounts())
    return Acknowledgement(
        id=asked.name,
        spec_hash=asked.spec_hash,
        seeds=seeds,
        state=combined(runs.states),
        created=told.created,
        added_seeds=told.added_seeds,
        runs=runs,
    )
