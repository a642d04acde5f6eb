"""A submission by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rgcontract import FieldProblem, Submission, kept
from rgservice.experiments.pricing import Named, Priced, named
from rgservice.experiments.submitting import Stored, acknowledgements, hash_of
from rgservice.http.answers import Answered
from rgstore.settings import Settings


@dataclass(frozen=True)
class One:
    """A request for one experiment."""

    sent: Submission
    items: Sequence[Named]

    def over_limits(self, found: Priced, settings: Settings) -> list[FieldProblem]:
        """The limits that its missing runs would exceed."""
        (price,) = found.prices.values()
        return price.over_limits(settings)

    def body_hash(self, found: Priced) -> str:  # noqa: ARG002 - its name says nothing of what was sent
        """Of what was sent, before it was completed."""
        return hash_of(kept(self.sent, "json"))

    def study(self, found: Priced) -> None:
        """It asks for none."""

    def answer(self, session: Session, stored: Stored) -> Answered:
        """The acknowledgement, and where the experiment is."""
        (told,) = acknowledgements(session, stored)
        return Answered.made(told, new=told.created, location=f"/v1/experiments/{told.id}")


def one(sent: Submission) -> One:
    """A submission, completed and named.

    Raises:
        InvalidSpec: what follows from its matrix refuses it.
    """
    return One(sent, [named(sent)])
