"""Many submissions in one request: all of them are stored, or none."""

from __future__ import annotations

from pydantic import Field

from rgcontract.problem import MOST_ITEMS, WHOLE, FieldProblem
from rgcontract.section import Section
from rgcontract.spec import Submission
from rgcontract.status import Acknowledgement, View

MOST_AT_ONCE = MOST_ITEMS
"""Submissions in one request."""
FIELD = "experiments"


class BulkSubmission(Section):
    """Submissions, as if they were sent one after another."""

    experiments: tuple[Submission, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)
    """The same spec may come several times: it is one experiment."""


class BulkAcknowledgement(View):
    """The answer to many submissions. Once it is given, none of them is lost."""

    experiments: list[Acknowledgement]
    """One for each submission, in the order in which they were sent."""


def at(index: int, problem: FieldProblem) -> FieldProblem:
    """A problem of one submission, with the place of that submission in the request."""
    place = f"{FIELD}.{index}"
    field = place if problem.field == WHOLE else f"{place}.{problem.field}"
    return problem.model_copy(update={"field": field})
