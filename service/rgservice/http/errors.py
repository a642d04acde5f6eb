"""What the API refuses, and how each refusal reads as problem+json.

    ApiError
    +-- InvalidRequest        400
    +-- HeadTooLarge          431
    +-- InvalidJson           400
    +-- InvalidSpec           422   with the refused fields
    +-- InvalidQuery          422
    +-- BodyTooLarge          413
    +-- UnsupportedMediaType  415
    +-- OverLimit             422   with the estimate
    +-- NotAuthenticated      401
    +-- InvalidToken          401
    +-- WrongHost             421
    +-- InvalidContract       400
    +-- ContractMismatch      400   with both versions
    +-- NotFound              404
    +-- Forbidden             403
    +-- NotAsked              403
    +-- Changed               412   with the entity tag of now
    +-- NotReady              409   with the state
    +-- NotCancellable        409
    +-- NotRetryable          409
    +-- LastAdmin             409
    +-- UserExists            409
    +-- UserDisabled          409
    +-- TooManyTokens         409
    +-- UnreadableSpec        409
    +-- UnreadableRecord      409
    +-- KeyReused             422
    +-- OverQuota             429   with what is used and left; its code is the quota's
    +-- TooSlow               408
    +-- Busy                  503
    +-- Unavailable           503

Raise them anywhere below a route; one handler renders them. They are safe to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from rgcontract import Code, FieldProblem, Problem
from rgcontract.problem import MOST_NAMED


class ApiError(Exception):
    """An answer that is not a success."""

    status: ClassVar[int]
    code: Code
    title: ClassVar[str]
    headers: ClassVar[dict[str, str]] = {}
    """Of every such answer."""

    def __init__(
        self, detail: str, *, errors: Sequence[FieldProblem] = (), more: int = 0, **extra: Any
    ) -> None:
        """Say what happened and what to do next; `extra` becomes members of the body.

        Of the refused fields an answer names the first; `more` counts those that are not given.
        """
        super().__init__(detail)
        self.detail, self.errors, self.more, self.extra = detail, list(errors), more, extra

    def own_headers(self) -> dict[str, str]:
        """Of this answer, beside `headers`."""
        return {}

    def problem(self) -> Problem:
        """The body of the answer."""
        named = self.errors[:MOST_NAMED]
        return Problem(
            title=self.title,
            status=self.status,
            code=self.code,
            detail=self.detail,
            errors=named,
            more=self.more + len(self.errors) - len(named),
            **self.extra,
        )


class InvalidRequest(ApiError):
    """The head of the request is not HTTP, or can be read in two ways."""

    status, code, title = 400, Code.INVALID_REQUEST, "The request is not valid HTTP"
    headers: ClassVar[dict[str, str]] = {"Connection": "close"}

    @classmethod
    def of(cls, refused: Sequence[FieldProblem]) -> Self:
        """With a detail that says of each header what is wrong and what is allowed."""
        return cls(_each(refused), errors=refused)


class HeadTooLarge(ApiError):
    """The head of the request is longer than the server reads."""

    status, code, title = 431, Code.HEAD_TOO_LARGE, "The head of the request is too large"
    headers: ClassVar[dict[str, str]] = {"Connection": "close"}


class InvalidJson(ApiError):
    """The body is not strict JSON."""

    status, code, title = 400, Code.INVALID_JSON, "The body is not strict JSON"


class InvalidSpec(ApiError):
    """Fields of the spec were refused."""

    status, code, title = 422, Code.INVALID_SPEC, "The spec is not valid"

    @classmethod
    def of(cls, refused: Sequence[FieldProblem], more: int = 0) -> Self:
        """With a detail that says of each field what is wrong and what is allowed."""
        return cls(_each(refused, more), errors=refused, more=more)


class InvalidQuery(ApiError):
    """Query parameters were refused."""

    status, code, title = 422, Code.INVALID_QUERY, "The query is not valid"

    @classmethod
    def of(cls, refused: Sequence[FieldProblem], more: int = 0) -> Self:
        """With a detail that says of each parameter what is wrong and what is allowed."""
        return cls(_each(refused, more), errors=refused, more=more)


class BodyTooLarge(ApiError):
    """The body is longer than the server reads."""

    status, code, title = 413, Code.BODY_TOO_LARGE, "The body is too large"


class UnsupportedMediaType(ApiError):
    """The body is something other than JSON."""

    status, code, title = 415, Code.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON"


class OverLimit(ApiError):
    """What is asked for would cost more than this server allows."""

    status, code, title = 422, Code.OVER_LIMIT, "This costs more than this server allows"

    @classmethod
    def of(cls, limits: Sequence[FieldProblem], **estimate: Any) -> Self:
        """With a detail that says of each limit by how much it is exceeded."""
        lines = [f"{item.field} {item.message} ({item.allowed})" for item in limits[:MOST_NAMED]]
        return cls("; ".join(lines), errors=limits, **estimate)


class NotAuthenticated(ApiError):
    """No token came with the request."""

    status, code, title = 401, Code.NOT_AUTHENTICATED, "A token is needed"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class InvalidToken(ApiError):
    """The token speaks for nobody: unknown, revoked, expired, or its user is disabled."""

    status, code, title = 401, Code.INVALID_TOKEN, "The token is not valid"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class WrongHost(ApiError):
    """The request names a host that this server does not answer to."""

    status, code, title = 421, Code.WRONG_HOST, "This server does not answer to that name"


class InvalidContract(ApiError):
    """The version of the contract that the client names is no version."""

    status, code, title = 400, Code.INVALID_CONTRACT, "This is no version of the contract"


class ContractMismatch(ApiError):
    """Client and server speak different contracts."""

    status, code = 400, Code.CONTRACT_MISMATCH
    title = "Client and server speak different contracts"


class NotFound(ApiError):
    """There is no such thing."""

    status, code, title = 404, Code.NOT_FOUND, "Not found"


class Forbidden(ApiError):
    """It takes another role."""

    status, code, title = 403, Code.FORBIDDEN, "This is for others to do"


class NotAsked(ApiError):
    """Somebody acts on what only others have asked for."""

    status, code, title = 403, Code.NOT_ASKED, "This is not yours"


class Changed(ApiError):
    """Something was changed since whoever changes it read it."""

    status, code, title = 412, Code.CHANGED, "This was changed since you read it"


class NotReady(ApiError):
    """The measurement is not there yet."""

    status, code, title = 409, Code.NOT_READY, "The result is not there yet"


class NotCancellable(ApiError):
    """Everything has ended already."""

    status, code, title = 409, Code.NOT_CANCELLABLE, "Nothing is left to cancel"


class NotRetryable(ApiError):
    """No run has failed or been cancelled."""

    status, code, title = 409, Code.NOT_RETRYABLE, "Nothing to retry"


class LastAdmin(ApiError):
    """Nobody would be left who may set roles."""

    status, code, title = 409, Code.LAST_ADMIN, "The lab needs an admin"


class UserExists(ApiError):
    """The name is taken."""

    status, code, title = 409, Code.USER_EXISTS, "There is a user of this name"


class UserDisabled(ApiError):
    """A token for somebody who may not use the lab."""

    status, code, title = 409, Code.USER_DISABLED, "This user is disabled"


class TooManyTokens(ApiError):
    """A user has as many as there may be."""

    status, code, title = 409, Code.TOO_MANY_TOKENS, "This user has too many tokens"


class UnreadableSpec(ApiError):
    """This server cannot read a stored spec, and what is asked for takes that."""

    status, code, title = 409, Code.UNREADABLE_SPEC, "This server cannot read the spec"


class UnreadableRecord(ApiError):
    """This server cannot read what is stored, and what is asked for takes that."""

    status, code, title = 409, Code.UNREADABLE_RECORD, "This server cannot read what is stored"


class KeyReused(ApiError):
    """The idempotency key came before with another body."""

    status, code = 422, Code.IDEMPOTENCY_KEY_REUSED
    title = "The idempotency key was used for another submission"


class OverQuota(ApiError):
    """Somebody would use more of the lab than they may; `http.quotas` says how much that is."""

    status, title = 429, "This is more than you may use"

    def __init__(self, detail: str, code: Code, headers: Mapping[str, str], **extra: Any) -> None:
        """With the code of the quota, and what its headers say of this one."""
        super().__init__(detail, **extra)
        self.code, self._headers = code, dict(headers)

    def own_headers(self) -> dict[str, str]:
        """What is left, and when to ask again."""
        return self._headers


class Busy(ApiError):
    """Too many requests that take long to read are being read."""

    status, code, title = 503, Code.BUSY, "The server reads too much at once"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}


class TooSlow(ApiError):
    """A body arrives too slowly."""

    status, code, title = 408, Code.REQUEST_TIMEOUT, "The request took too long to arrive"
    headers: ClassVar[dict[str, str]] = {"Connection": "close"}


class Unavailable(ApiError):
    """The database does not answer."""

    status, code, title = 503, Code.UNAVAILABLE, "The lab's database does not answer"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}


def _each(refused: Sequence[FieldProblem], more: int = 0) -> str:
    named = refused[:MOST_NAMED]
    lines = [f"{item.field}: {item.message} (allowed: {item.allowed})" for item in named]
    unnamed = more + len(refused) - len(named)
    return "; ".join(lines) + (f"; and {unnamed} more" if unnamed else "")
