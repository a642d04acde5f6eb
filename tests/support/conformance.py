"""What schemathesis holds an API to: all its checks, save where a description cannot say enough.

A hook of its command line, too: `SCHEMATHESIS_HOOKS=conformance`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import positive_data_acceptance

from rgcontract import Problem


@dataclass(frozen=True)
class Unsayable:
    """Requests that a description calls valid, and that are refused with good reason."""

    code: str
    field: str
    """A pattern for the field that is refused; of a refusal that names none: the empty text."""
    message: str
    """A pattern for what is said of it."""
    why: str
    """What JSON Schema has no words for."""


UNSAYABLE = (Unsayable("invalid_query", "cursor", ".*", "a cursor is one that a page gave"),)
"""A row for each reason."""
_RULED_OUT = "positive_data_acceptance"
"""In whose place the check below stands."""
seen: Counter[str] = Counter()
"""Reason -> how often it was met."""


@schemathesis.check
def what_is_valid_is_accepted(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """`positive_data_acceptance`, save what `UNSAYABLE` has a row for."""
    try:
        return positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        reasons = _reasons(response.text)
        if None in reasons:
            raise
        seen.update(reason for reason in reasons if reason is not None)
        return None


def _reasons(text: str) -> set[str | None]:
    """Why each field was refused; None for what should have been accepted."""
    problem = Problem.model_validate_json(text)
    refused = [(one.field, one.message) for one in problem.errors] or [("", problem.detail)]
    return {_reason(problem.code, field, message) for field, message in refused}


def _reason(code: str, field: str, message: str) -> str | None:
    for row in UNSAYABLE:
        fits = re.fullmatch(row.field, field) and re.fullmatch(row.message, message, re.DOTALL)
        if row.code == code and fits:
            return row.why
    return None


CHECKED = (
    [check for name, check in CHECKS.get_all_with_names() if name != _RULED_OUT]
    if hasattr(CHECKS, "get_all_with_names")
    else []
)
