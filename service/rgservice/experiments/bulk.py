"""Many submissions in one request: as if they came one after another, and all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rgcontract import (
    Acknowledgement,
    BulkSubmission,
    ExperimentSpec,
    FieldProblem,
    Forecast,
    Submission,
    canonical_json,
)
from rgcontract.bulk import MOST_REFUSED, at
from rgservice.experiments import cost, forecasting, submitting
from rgservice.experiments.completing import completed
from rgservice.experiments.submitting import asked_of
from rgservice.http.errors import InvalidSpec, OverLimit
from rgstore.asked import Asked, under_kept_names
from rgstore.records import RunKey
from rgstore.runs import missing_runs
from rgstore.settings import Settings

SECTIONS = set(ExperimentSpec.model_fields) - {"seeds"}
"""What the hash of a spec stands for."""


@dataclass(frozen=True)
class Bulk:
    """Submissions that are all valid, and the experiments that they make."""

    asked: list[Asked]
    """In the order in which they came."""
    specs: dict[str, Submission]
    """Experiment -> its submission, with the seeds of all that are the same experiment."""

    @classmethod
    def of(cls, asked: list[Asked]) -> Bulk:
        """These, in this order."""
        specs: dict[str, Submission] = {}
        for one in asked:
            there = specs.setdefault(one.name, one.submission)
            if there is not one.submission:
                seeds = tuple(sorted({*there.seeds, *one.submission.seeds}))
                specs[one.name] = there.model_copy(update={"seeds": seeds})
        return cls(asked, specs)

    def under_kept_names(self, session: Session) -> Bulk:
        """The same, those that were stored under a name of before under that."""
        return Bulk.of(under_kept_names(session, self.asked))

    @property
    def first(self) -> dict[str, int]:
        """Experiment -> the place of the first submission of it."""
        places = enumerate(self.asked)
        return {one.name: place for place, one in reversed(list(places))}


def bulk_of(request: BulkSubmission, settings: Settings) -> Bulk:
    """The submissions of a request, completed.

    Raises:
        OverLimit: more runs than this server takes at once.
        InvalidSpec: submissions that are no specs, each with its place.
    """
    n_runs = sum(len(one.chain.draws) * len(one.seeds) for one in request.experiments)
    if n_runs > settings.max_bulk_runs:
        runs = FieldProblem(
            field="runs",
            message=f"{n_runs} are asked for; send fewer submissions, or fewer seeds in each",
            allowed=f"at most {settings.max_bulk_runs} (RGLAB_MAX_BULK_RUNS)",
        )
        raise OverLimit.of([runs])
    return Bulk.of([asked_of(submission) for submission in _completed(request.experiments)])


def _completed(sent: Sequence[Submission]) -> list[Submission]:
    found: list[Submission] = []
    refused: list[FieldProblem] = []
    for index, submission in enumerate(sent):
        try:
            found.append(completed(submission))
        except InvalidSpec as error:
            refused += [at(index, problem) for problem in error.errors]
    if refused:
        raise InvalidSpec.of(refused[:MOST_REFUSED])
    return found


def forecast(session: Session, bulk: Bulk) -> Forecast:
    """What all of them would cost together. Nothing is stored."""
    return forecasting.forecast(session, bulk.under_kept_names(session).specs)


def accept(
    session: Session,
    bulk: Bulk,
    *,
    owner: str,
    idempotency_key: str | None,
    settings: Settings,
) -> list[Acknowledgement]:
    """Check the limits and store all of them. The caller commits.

    Raises:
        OverLimit: one, or all together, would cost more than this server allows; nothing is stored.
        KeyReused: the idempotency key came before with another body.
    """
    bulk = bulk.under_kept_names(session)
    refused = _over_limits(bulk, missing_runs(session, bulk.specs), settings)
    if refused:
        estimate = forecast(session, bulk).model_dump()
        raise OverLimit.of(refused[:MOST_REFUSED], estimate=estimate)
    written = [
        [one.spec_hash, one.submission.model_dump(mode="json", exclude=SECTIONS)]
        for one in bulk.asked
    ]
    return submitting.store(
        session,
        bulk.asked,
        owner=owner,
        idempotency_key=idempotency_key,
        body=canonical_json(written),
        settings=settings,
    )


def _over_limits(
    bulk: Bulk, missing: Mapping[str, Sequence[RunKey]], settings: Settings
) -> list[FieldProblem]:
    """Which limits the missing runs of each, and of all together, would exceed."""
    refused: list[FieldProblem] = []
    first = bulk.first
    flops = stored_bytes = 0.0
    for name, runs in missing.items():
        if not runs:
            continue
        one = cost.cost_of_run(bulk.specs[name])
        flops += len(runs) * one.flops
        stored_bytes += len(runs) * one.stored_bytes
        refused += [at(first[name], over) for over in cost.over_limits(one, len(runs), settings)]
    totals = [
        ("flops", flops, settings.max_bulk_flops, "operations"),
        ("stored_bytes", stored_bytes, settings.max_bulk_stored_bytes, "stored bytes"),
    ]
    refused += [
        FieldProblem(
            field=name,
            message=f"estimated at {estimate:.3g} {unit} for all together; send fewer",
            allowed=f"at most {limit:.3g} (RGLAB_MAX_BULK_{name.upper()})",
        )
        for name, estimate, limit, unit in totals
        if estimate > limit
    ]
    return refused
