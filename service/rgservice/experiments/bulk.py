"""Many submissions in one request: as if they came one after another, and all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rgcontract import (
    BulkAcknowledgement,
    BulkSubmission,
    ExperimentSpec,
    FieldProblem,
)
from rgcontract.bulk import MOST_REFUSED, at
from rgservice.experiments.cost import check_runs, exceeded, over_limits
from rgservice.experiments.pricing import Named, Priced, named
from rgservice.experiments.submitting import Stored, acknowledgements, hash_of
from rgservice.http.answers import Answered
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
            if price.missing
            for over in over_limits(price.cost, len(price.missing), settings)
        ]
        refused += exceeded(
            "RGLAB_MAX_BULK_",
            ("flops", found.total("flops"), settings.max_bulk_flops,
             "operations for all together; send fewer"),
            ("stored_bytes", found.total("stored_bytes"), settings.max_bulk_stored_bytes,
             "stored bytes for all together; send fewer"),
        )  # fmt: skip
        return refused[:MOST_REFUSED]

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


def bulk_of(request: BulkSubmission, settings: Settings) -> Bulk:
    """The submissions of a request, completed and named.

    Raises:
        OverLimit: more runs than this server takes at once.
        InvalidSpec: submissions that are no specs, each with its place.
    """
    n_runs = sum(len(one.chain.draws) * len(one.seeds) for one in request.experiments)
    check_runs(n_runs, settings, "send fewer submissions, or fewer seeds in each")
    found: list[Named] = []
    refused: list[FieldProblem] = []
    for index, submission in enumerate(request.experiments):
        try:
            found.append(named(submission))
        except InvalidSpec as error:
            refused += [at(index, problem) for problem in error.errors]
    if refused:
        raise InvalidSpec.of(refused[:MOST_REFUSED])
    return Bulk(found)
