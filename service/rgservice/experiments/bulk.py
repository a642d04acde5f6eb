"""Many submissions in one request: as if they came one after another, and all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError
from sqlalchemy.orm import Session

from rgcontract import (
    MOST_AT_ONCE,
    BulkAcknowledgement,
    BulkSubmission,
    ExperimentSpec,
    FieldProblem,
    Submission,
    field_problems,
    strictjson,
)
from rgcontract.bulk import at
from rgcontract.problem import MOST_NAMED
from rgcontract.section import Section
from rgservice.experiments.cost import Limit, check_runs, exceeded
from rgservice.experiments.pricing import Named, Priced, named
from rgservice.experiments.submitting import Stored, acknowledgements, hash_of
from rgservice.http.answers import Answered
from rgservice.http.apart import Deadline
from rgservice.http.body import parsed
from rgservice.http.errors import InvalidSpec
from rgstore.settings import Settings

SECTIONS = set(ExperimentSpec.model_fields) - {"seeds"}
"""What the hash of a spec stands for."""


@dataclass(frozen=True)
class Bulk:
    """A request for many experiments, all of them valid."""

    items: Sequence[Named]

    def over_limits(self, found: Priced, settings: Settings) -> list[FieldProblem]:
        """The limits that the missing runs of each, and of all together, would exceed."""
        places = enumerate(found.asked)
        first = {one.name: place for place, one in reversed(list(places))}
        refused = [
            at(first[name], over)
            for name, price in found.prices.items()
            for over in price.over_limits(settings)
        ]
        refused += exceeded(
            Limit("flops", found.total("flops"), settings.max_bulk_flops, "MAX_BULK_FLOPS",
                  "operations for all together; send fewer"),
            Limit("stored_bytes", found.stored_bytes(), settings.max_bulk_stored_bytes,
                  "MAX_BULK_STORED_BYTES", "stored bytes for all together; send fewer"),
        )  # fmt: skip
        return refused

    def body_hash(self, found: Priced) -> str:
        """Of the hashes and what they leave out."""
        return hash_of(
            [
                [one.spec_hash, one.submission.model_dump(mode="json", exclude=SECTIONS)]
                for one in found.asked
            ]
        )

    def study(self, found: Priced) -> None:
        """It asks for none."""

    def answer(self, session: Session, stored: Stored) -> Answered:
        """An acknowledgement of each."""
        told = acknowledgements(session, stored)
        return Answered.made(
            BulkAcknowledgement(experiments=told), new=any(one.created for one in told)
        )


class BulkBody(Section):
    """The body of a request for many, as far as it is read at once."""

    experiments: tuple[Any, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)


def bulk_of(body: bytes, settings: Settings) -> Bulk:
    """The submissions of a request, completed and named.

    Each is read by itself: of very many that are wrong, all but the first are only counted.

    Raises:
        OverLimit: more runs than this server takes at once, or than it checks in time.
        InvalidJson, InvalidSpec: as they say; submissions that are no specs, each with its place.
    """
    deadline = Deadline(settings.max_reading_seconds)
    found: list[Submission] = []
    refused: list[FieldProblem] = []
    more = 0
    for index, sent in enumerate(parsed(body, BulkBody, names=BulkSubmission).experiments):
        deadline.check()
        try:
            found.append(Submission.model_validate_json(strictjson.dumps(sent)))
        except ValidationError as error:
            if len(refused) >= MOST_NAMED:
                more += error.error_count()
            else:
                refused += [at(index, problem) for problem in field_problems(error, Submission)]
    if refused:
        raise InvalidSpec.of(refused, more)
    n_runs = sum(one.n_runs for one in found)
    check_runs(n_runs, settings, "send fewer submissions, or fewer seeds in each")
    return Bulk(_named(found, deadline))


def _named(submissions: Sequence[Submission], deadline: Deadline) -> list[Named]:
    found: list[Named] = []
    refused: list[FieldProblem] = []
    for index, submission in enumerate(submissions):
        deadline.check()
        try:
            found.append(named(submission))
        except InvalidSpec as error:
            refused += [at(index, problem) for problem in error.errors]
    if refused:
        raise InvalidSpec.of(refused)
    return found
