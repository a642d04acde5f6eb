"""Every answer that is not a success, as problem+json; every answer, as strict JSON."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from rgcontract import Code, FieldProblem, Problem
from rgcontract.problem import MEDIA_TYPE
from rgcontract.version import CONTRACT, CONTRACT_HEADER
from rgservice.http import methods
from rgservice.http.errors import ApiError, InvalidQuery, NotFound, Unavailable
from rgservice.http.safety import for_path

log = logging.getLogger(__name__)

_KINDS = {
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "int_parsing": "an integer",
}
_BOUNDS = {
    "ge": ">=", "le": "<=", "min_length": "length >=", "max_length": "length <=",
    "pattern": "text matching", "expected": "",
}  # fmt: skip
"""What pydantic calls a bound -> what people call it."""
_PLAIN_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as an answer."""
    return Response(
        problem.model_dump_json(), problem.status, headers=headers, media_type=MEDIA_TYPE
    )


def refusal(error: ApiError) -> Response:
    """What is refused as an answer, with all its headers."""
    return problem_response(error.problem(), error.headers | error.own_headers())


def install(app: FastAPI) -> None:
    """Give an application the handlers."""

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> Response:
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def invalid_query(_: Request, error: RequestValidationError) -> Response:
        refused = [_query_problem(item) for item in error.errors()]
        return refusal(InvalidQuery.of(refused))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            nothing = f"nothing at {request.url.path}; the API is described at /docs"
            return refusal(NotFound(nothing))
        problem = Problem(
            title=str(error.detail),
            status=error.status_code,
            code=_PLAIN_CODES.get(error.status_code, Code.INTERNAL),
            detail=f"{request.method} {request.url.path}: {error.detail}",
        )
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(methods.allowed(request))
        return problem_response(problem, headers)

    @app.exception_handler(ClientDisconnect)
    async def hung_up(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it; no fault of the server either

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeoutError)
    async def database_away(_: Request, error: Exception) -> Response:
        log.error("database: %s", error)
        return refusal(Unavailable("nothing was stored; try again in a moment"))

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        return problem_response(
            Problem(
                title="The server made a mistake",
                status=500,
                code=Code.INTERNAL,
                detail="this is a defect of the server; its log has the traceback",
            ),
            # this one is sent from outside all middleware
            {CONTRACT_HEADER: str(CONTRACT), **for_path(request.url.path)},
        )


def _query_problem(item: dict[str, Any]) -> FieldProblem:
    place, *path = item["loc"]
    bounds = [f"{_BOUNDS.get(key, key)} {value}" for key, value in item.get("ctx", {}).items()]
    return FieldProblem(
        field=".".join(map(str, path)) or str(place),
        message=item["msg"],
        allowed=_KINDS.get(item["type"]) or ", ".join(bounds).strip() or None,
    )
