"""Many submissions in one request: all of them are stored, or none."""

from __future__ import annotations

from itertools import groupby

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from rgcontract.problem import WHOLE, FieldProblem, problems_at
from rgcontract.section import Section
from rgcontract.spec import Submission
from rgcontract.status import Acknowledgement, View

MOST_AT_ONCE = 5000
"""Submissions in one request."""
MOST_REFUSED = 20
"""Refused fields that an answer names."""
FIELD = "experiments"


class BulkSubmission(Section):
    """Submissions, as if they were sent one after another."""

    experiments: tuple[Submission, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)
    """The same spec may come several times: it is one experiment."""


class BulkAcknowledgement(View):
    """The answer to many submissions. Once it is given, none of them is lost."""

    experiments: list[Acknowledgement]
    """One for each submission, in the order in which they were sent."""


def bulk_problems(error: ValidationError) -> list[FieldProblem]:
    """The refused fields of a `BulkSubmission`, the first of them: `experiments.17.chain.corr_len`.

    Args:
        error: what validating it raised.
    """
    found: list[FieldProblem] = []
    for index, items in groupby(error.errors(include_url=False), key=_index):
        if index is None:
            found += problems_at(list(items), BulkSubmission)
        else:
            inside: list[ErrorDetails] = [{**item, "loc": item["loc"][2:]} for item in items]
            found += [at(index, problem) for problem in problems_at(inside, Submission)]
        if len(found) >= MOST_REFUSED:
            break
    return found[:MOST_REFUSED]


def at(index: int, problem: FieldProblem) -> FieldProblem:
    """A problem of one submission, with the place of that submission in the request."""
    place = f"{FIELD}.{index}"
    field = place if problem.field == WHOLE else f"{place}.{problem.field}"
    return problem.model_copy(update={"field": field})


def _index(item: ErrorDetails) -> int | None:
    match item["loc"]:
        case (_, int(index), *_):
            return index
        case _:
            return None
