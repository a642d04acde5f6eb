"""The way of a submission, the same for one, many and a study: price, refuse, store, answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from rgcontract import Acknowledgement, FieldProblem, RunCounts, canonical_json
from rgcontract.audit import Action
from rgcontract.updates import MOST_TAGS
from rgservice.experiments.forecasting import forecast
from rgservice.experiments.pricing import Named, Priced, priced
from rgservice.http.answers import Answered
from rgservice.http.deps import Parts
from rgservice.http.errors import InvalidSpec, KeyReused, OverLimit
from rgservice.http.quotas import Room
from rgservice.http.rights import writing
from rgstore import audit, quotas, submissions
from rgstore.asked import Asked, Submitted, words
from rgstore.requests import IdempotencyKeyReusedError, came_before
from rgstore.runs import count_runs
from rgstore.settings import Settings
from rgstore.tokens import Caller
from rgstore.transitions import combined
from rgstore.words import TooManyTagsError


class Request(Protocol):
    """What tells one kind of request from another."""

    @property
    def items(self) -> Sequence[Named]:
        """What it asks for, at least one."""

    def over_limits(self, found: Priced, settings: Settings) -> list[FieldProblem]:
        """The limits that it exceeds at this price."""

    def body_hash(self, found: Priced) -> str:
        """Of what came, written in one way: an idempotency key stands for it."""

    def study(self, found: Priced) -> str | None:
        """The name of the study that it asks for, if it is one."""

    def answer(self, session: Session, stored: Stored) -> Answered:
        """What is answered when it is stored."""


@dataclass(frozen=True)
class Stored:
    """What is asked for and what became of it."""

    priced: Priced
    told: list[Submitted]
    """Of each submission."""
    caller: Caller


def submit(
    use: Parts, request: Request, caller: Caller, *, key: str | None = None, dry_run: bool = False
) -> Answered:
    """Price what is asked for and store it, or only say what it would cost; refuse both alike.

    Args:
        use: the database, and the limits.
        request: what is asked for, complete and named.
        caller: who asks.
        key: under which it is counted once.
        dry_run: whether it is only asked what it would cost.

    Raises:
        OverLimit: it would cost more than this server allows; nothing is stored.
        OverQuota: the caller would use more of the lab than they may.
        KeyReused: the idempotency key came before with another body.
        InvalidSpec: the caller would have more tags on an experiment than there may be.
    """
    with writing(use, caller) as session:
        room = Room.of(session, caller, use.settings)  # first: what follows is priced under a lock
        found = priced(session, request.items)
        refused = request.over_limits(found, use.settings)
        if refused:
            raise OverLimit.of(refused, estimate=forecast(found).model_dump())
        if room.limits and not came_before(session, caller.user, key):
            room.check(lambda: quotas.added_by(session, caller.user, found.asked))
        if dry_run:
            return Answered(forecast(found))
        try:
            told = submissions.submit_all(
                session,
                found.asked,
                owner=caller.user,
                attempt_limit=use.settings.max_attempts,
                idempotency_key=key,
                body_hash=request.body_hash(found),
                study_id=request.study(found),
            )
        except IdempotencyKeyReusedError as error:
            raise KeyReused("use a new Idempotency-Key for a different submission") from error
        except TooManyTagsError as error:
            raise InvalidSpec.of([_too_many(error)]) from error
        stored = Stored(found, told, caller)
        audit.record_all(session, caller, Action.EXPERIMENT_SUBMIT, _changes(stored))
        return request.answer(session, stored)


def _too_many(error: TooManyTagsError) -> FieldProblem:
    return FieldProblem(
        field="tags",
        message=f"you would have {error.tags} on {error.name}",
        allowed=f"at most {MOST_TAGS} of yours on an experiment; "
        f"PATCH /v1/experiments/{error.name} puts others in their place",
    )


def _changes(stored: Stored) -> list[audit.Change]:
    """Every request that was stored; one that came before was written down then."""
    return [
        audit.Change(
            told.experiment_id,
            None,
            {
                **words(one.submission),
                "seeds": told.seeds,
                "added_seeds": told.added_seeds,
                "created": told.created,
            },
        )
        for one, told in zip(stored.priced.asked, stored.told, strict=True)
        if not told.repeated
    ]


def hash_of(body: Any) -> str:
    """The hash of a body that can be written as JSON."""
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()


def acknowledgements(session: Session, stored: Stored) -> list[Acknowledgement]:
    """Of each submission, in the order in which they came."""
    asked = stored.priced.asked
    counts = count_runs(session, {one.name for one in asked})
    return [
        _acknowledgement(one, told, counts[one.name])
        for one, told in zip(asked, stored.told, strict=True)
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
