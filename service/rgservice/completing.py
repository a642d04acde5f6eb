"""What follows from a spec by linear algebra, which the wire contract does without."""

from __future__ import annotations

import math

import numpy as np

from rgcontract import ExplicitChain, FieldProblem, Submission
from rgcontract.chains import CONSISTENT, MOST_CORR_LEN
from rgservice.errors import InvalidSpec

MEMORYLESS = 1e-12
"""Rounding leaves this much of an eigenvalue that is zero."""


def completed(submission: Submission) -> Submission:
    """The submission with the correlation length of a matrix of one's own filled in.

    Raises:
        InvalidSpec: it is given as something else, or longer than a chain may have.
    """
    chain = submission.chain
    if not isinstance(chain, ExplicitChain):
        return submission
    length = _corr_len(chain.matrix)
    given = chain.corr_len
    if given is not None and abs(given - length) > CONSISTENT * length:
        raise _refused(
            "corr_len", f"{given:g} is not that of the matrix", f"{length:.6g}, or leave it out"
        )
    if length > MOST_CORR_LEN:
        raise _refused(
            "matrix",
            f"has a correlation length of {length:.3g} tokens",
            f"at most {MOST_CORR_LEN:g}",
        )
    filled = chain.model_copy(update={"corr_len": length})
    return submission.model_copy(update={"chain": filled})


def _corr_len(matrix: tuple[tuple[float, ...], ...]) -> float:
    moduli = np.sort(np.abs(np.linalg.eigvals(np.array(matrix))))
    second = float(moduli[-2])
    if second < MEMORYLESS:
        return 0.0
    return -1.0 / math.log(second) if second < 1 else math.inf


def _refused(name: str, message: str, allowed: str) -> InvalidSpec:
    field = f"chain.{name}"
    problem = FieldProblem(field=field, message=message, allowed=allowed)
    return InvalidSpec(f"{field}: {message}", errors=[problem])
