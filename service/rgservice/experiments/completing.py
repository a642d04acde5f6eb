"""What follows from a spec by linear algebra, which the wire contract does without.

The workers make the same chain by the same function, so that they refuse nothing that passes here.
"""

from __future__ import annotations

import math
from functools import lru_cache

from rgcontract import ExplicitChain, FieldProblem, Submission
from rgcontract.chains import CONSISTENT, MOST_CORR_LEN
from rgcore.chain import ChainError, make_chain
from rgservice.http.errors import InvalidSpec


def completed(submission: Submission) -> Submission:
    """The submission with the correlation length of a matrix of one's own filled in.

    Raises:
        InvalidSpec: it is given as something else, or longer than a chain may have, or float64
            does not hold what follows from the matrix.
    """
    chain = submission.chain
    if not isinstance(chain, ExplicitChain):
        return submission
    length, error = _corr_len(chain.matrix)
    given = chain.corr_len
    if given is not None and abs(given - length) > max(CONSISTENT * length, error):
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


@lru_cache(maxsize=16)  # every cell of a study has the same one
def _corr_len(matrix: tuple[tuple[float, ...], ...]) -> tuple[float, float]:
    """The correlation length, and how far that of another server's linear algebra may be from it.

    Where that is not known at all, only the same one will do: 0.
    """
    try:
        chain = make_chain("explicit", matrix=matrix)
    except ChainError as error:
        reason = error.reason or f"{error.field} is {error.value!r}"
        raise _refused("matrix", reason, error.allowed) from error
    known = chain.corr_len_error if math.isfinite(chain.corr_len_error) else 0.0
    return chain.corr_len, known


def _refused(name: str, message: str, allowed: str) -> InvalidSpec:
    field = f"chain.{name}"
    problem = FieldProblem(field=field, message=message, allowed=allowed)
    return InvalidSpec(f"{field}: {message}", errors=[problem])
