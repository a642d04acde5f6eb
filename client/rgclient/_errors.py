"""Everything that rgclient raises.

RGLabError
├── NoServer                  no address or token is set, or they cannot be used
├── ClientClosed              the client was closed before (also a RuntimeError)
├── ServerUnreachable         no answer came, also after trying again
├── UnknownField              submit() was given a name that the spec lacks (also a TypeError)
├── AmbiguousField            submit() was given a name that means two things (also a TypeError)
├── InvalidValue              a value that JSON cannot carry: NaN, an object (also a ValueError)
├── NotMeasured               the result has no such quantity, level or time (also a KeyError)
├── UnreadableResult          Result.load(): the file is not a saved result (also a ValueError)
├── MissingExtra              pandas or matplotlib is not installed (also an ImportError)
├── ExperimentFailed          wait(): runs failed
├── ExperimentCancelled       wait(): it was cancelled
├── WaitTimeout               wait(): not finished in time; it goes on (also a TimeoutError)
└── ResponseError             the server answered with an error
    ├── InvalidSpec           a field was refused
    ├── OverLimit             it costs more than the lab allows
    ├── Unauthorized          no token, or a wrong one
    ├── Forbidden             it is for others to do
    ├── NotFound              no such experiment
    ├── NotReady              no result yet
    ├── Conflict              not possible in the state that the experiment is in
    ├── QuotaExceeded         it is more of the lab than you may use
    ├── TooManyRequests       you send more requests than the server takes from one person
    ├── ContractMismatch      client and server are of releases that do not understand each other
    └── ServerError           the server is at fault, or not available
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rgcontract.quotas import QuotaUse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rgcontract import FieldProblem, Problem


class RGLabError(Exception):
    """Base of everything that rgclient raises."""


class NoServer(RGLabError):
    """No address or token is set, or they cannot be used."""


class ClientClosed(RGLabError, RuntimeError):
    """The client was closed before."""


class ServerUnreachable(RGLabError):
    """No answer came, also after trying again."""


class UnknownField(RGLabError, TypeError):
    """`submit` was given a name that the spec lacks."""


class AmbiguousField(RGLabError, TypeError):
    """`submit` was given a name that means two things, or one thing twice."""


class InvalidValue(RGLabError, ValueError):
    """A value that JSON cannot carry: NaN, an infinity, an arbitrary object."""


class NotMeasured(RGLabError, KeyError):
    """The result has no such quantity, level or time; the message names what is there."""

    def __str__(self) -> str:
        """The message itself: a KeyError would show its repr."""
        return str(self.args[0])


class UnreadableResult(RGLabError, ValueError):
    """The file is not a result that `Result.save` wrote."""


class MissingExtra(RGLabError, ImportError):
    """An optional library is not installed; the message says how to install it."""


@dataclass(frozen=True)
class FailedRun:
    """Why one seed has no measurement."""

    seed: int
    error: str
    """The cause, in a line."""
    attempts: int
    """How often it was tried."""


class ExperimentFailed(RGLabError):
    """Runs of the experiment failed."""

    def __init__(
        self, message: str, *, experiment_id: str = "", causes: Sequence[FailedRun] = ()
    ) -> None:
        super().__init__(message)
        self.experiment_id = experiment_id
        self.causes = tuple(causes)


class ExperimentCancelled(RGLabError):
    """The experiment was cancelled."""

    def __init__(self, message: str, *, experiment_id: str = "") -> None:
        super().__init__(message)
        self.experiment_id = experiment_id


class WaitTimeout(RGLabError, TimeoutError):
    """The experiment did not finish in time. It goes on."""

    def __init__(self, message: str, *, experiment_id: str = "") -> None:
        super().__init__(message)
        self.experiment_id = experiment_id


class ResponseError(RGLabError):
    """The server answered with an error."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str | None = None,
        problem: Problem | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status."""
        self.code = code
        """The kind of problem, for programs; None if the answer did not come from RGLab."""
        self.problem = problem
        """The whole answer; None if it is not one of RGLab's."""

    @property
    def errors(self) -> list[FieldProblem]:
        """The fields that were refused."""
        return self.problem.errors if self.problem else []


class InvalidSpec(ResponseError):
    """A field was refused; `errors` has each with what is allowed."""


class OverLimit(ResponseError):
    """The experiment costs more than the lab allows."""


class Unauthorized(ResponseError):
    """No token, or one that the server does not know."""


class Forbidden(ResponseError):
    """It is for others to do; the message says for whom."""


class NotFound(ResponseError):
    """No such experiment."""


class NotReady(ResponseError):
    """There is no result yet."""


class Conflict(ResponseError):
    """Not possible in the state that the experiment is in."""


class QuotaExceeded(ResponseError):
    """It is more of the lab than you may use; `quotas` has each with what is used and left."""

    @property
    def quotas(self) -> list[QuotaUse]:
        """The quotas that it would exceed."""
        told = self.problem.model_extra if self.problem else None
        return [QuotaUse.model_validate(one) for one in (told or {}).get("quotas", ())]


class TooManyRequests(ResponseError):
    """You send more requests than the server takes from one person, also after waiting."""


class ContractMismatch(ResponseError):
    """Client and server are of releases that do not understand each other: upgrade one."""


class ServerError(ResponseError):
    """The server is at fault, or not available."""
