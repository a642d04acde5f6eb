"""What schemathesis may find of this API that is no fault: each kind with its reason.

All of its checks are on. A request that its description calls valid may still be refused, where
JSON Schema has no words for the rule; a refusal that no row here is for counts.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from schemathesis.openapi.checks import RejectedPositiveData

from rgcontract import Problem

OF_ONE_FIELD = (
    r"(Input|String|List|Tuple|Value|Dictionary|Data) should|Field required|unknown field"
)
"""How refusals begin that are of a value by itself: a description can say all of those."""
SECTION = "(chain|data|model|training|measurement)"


@dataclass(frozen=True)
class Unsayable:
    """Requests that a description calls valid, and that are refused with good reason."""

    codes: str
    why: str
    """What JSON Schema has no words for."""
    field: str = ".*"
    """A pattern for the refused field; of a refusal that names none: the empty text."""
    message: str = ""
    """A pattern that is found in what is said of it."""
    path: str = ".*"
    """A pattern for the path of the operation."""


UNSAYABLE = (
    Unsayable("invalid_spec", "JSON Schema takes 7.0 for an integer", message="valid integer"),
    Unsayable("invalid_spec|invalid_query", "values that do not go together, or none in this lab",
              message=rf"^(?!{OF_ONE_FIELD})"),
    Unsayable("invalid_spec", "a list in place of a value makes a grid", rf"{SECTION}(\..*)?",
              path="/v1/studies"),
    Unsayable("invalid_spec", "what follows from eigenvalues, scales or a matrix",
              r"(experiments\.\d+\.)?chain\.corr_len", "(greater|less) than"),
    Unsayable("over_limit", "what it costs"),
    Unsayable("changed", "an entity tag is one that an answer gave"),
    Unsayable("idempotency_key_reused", "a key stands for one body"),
    Unsayable("invalid_json", "no text holds NUL, nor a lone surrogate", message="NUL|surrogate"),
)  # fmt: skip
"""A row for each reason."""


def reasons(path: str, text: str) -> set[str | None]:
    """Why each field of a refusal was refused; None for what should have been accepted.

    Args:
        path: of the operation.
        text: the answer, a problem.
    """
    problem = Problem.model_validate_json(text)
    refused = [(one.field, one.message) for one in problem.errors] or [("", problem.detail)]
    return {_reason(path, problem.code, field, message) for field, message in refused}


def _reason(path: str, code: str, field: str, message: str) -> str | None:
    for row in UNSAYABLE:
        whole = ((row.path, path), (row.codes, code), (row.field, field))
        fits = all(re.fullmatch(pattern, found, re.DOTALL) for pattern, found in whole)
        if fits and re.search(row.message, message):
            return row.why
    return None


def is_fault(failure: Any, case: Any, response: Any, met: Counter[str]) -> bool:
    """Whether what schemathesis found counts; where it does not, its reasons are counted in `met`.

    Args:
        failure: what a check found.
        case: the request.
        response: the answer.
        met: reason -> how often.
    """
    if not isinstance(failure, RejectedPositiveData):
        return True
    found = reasons(case.operation.path, response.text)
    met.update(one for one in found if one is not None)
    return None in found
