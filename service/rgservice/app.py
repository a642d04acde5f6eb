"""The FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp, Receive, Scope, Send

from rgcontract import BulkSubmission, StudyRequest, Submission
from rgcontract.problem import MEDIA_TYPE
from rgservice import rendering
from rgservice.deps import Parts
from rgservice.errors import Unavailable, WrongHost
from rgservice.methods import HeadAsGet
from rgservice.rendering import problem_response
from rgservice.routes import experiments, operations, studies
from rgstore.database import Database
from rgstore.messages import CelerySender, Sender
from rgstore.settings import Settings

DESCRIPTION = """
Post an experiment (a Markov chain, a residual network, a training budget, seeds); read back what
was measured, layer by layer, every number with its error bar. Every field is optional. Lists in
place of values make a study: a grid of experiments, and a verdict on each claim.
"""


def create_app(settings: Settings | None = None, sender: Sender | None = None) -> FastAPI:
    """An application on the database and broker of the settings (default: the environment)."""
    settings = settings or Settings()
    database = Database(settings.database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        database.dispose()

    app = FastAPI(
        title="RGLab",
        version=version("rglab"),
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
    )
    app.state.parts = Parts(settings, database, sender or CelerySender(settings.broker))
    app.include_router(experiments.router)
    app.include_router(studies.router)
    app.include_router(operations.router)
    rendering.install(app)
    app.add_middleware(HeadAsGet)
    app.add_middleware(_KnownHosts, hosts=settings.hosts)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app


PROBES = {"/healthz", "/readyz"}
"""Asked by orchestrators under whatever address they know; they tell a stranger nothing."""


class _KnownHosts:
    """Refuses requests for another host name, against DNS rebinding; says so as a problem."""

    def __init__(self, app: ASGIApp, hosts: list[str]) -> None:
        self._app, self._hosts = app, {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        probe = scope.get("path") in PROBES
        if scope["type"] == "http" and "*" not in self._hosts and not probe:
            headers = dict(scope["headers"])
            host = _without_port(headers.get(b"host", b"").decode("latin-1")).lower()
            if host not in self._hosts:
                problem = WrongHost(
                    f"{host[:80]!r} is not a name of this server; add it to RGLAB_ALLOWED_HOSTS"
                ).problem()
                await problem_response(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description, with the bodies that the routes read themselves."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for model in (Submission, BulkSubmission, StudyRequest):
            body = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema["components"]["schemas"].update(body.pop("$defs", {}))
            schema["components"]["schemas"][model.__name__] = body
        _describe_refusals(schema)
        app.openapi_schema = schema
    return app.openapi_schema


def _describe_refusals(schema: dict[str, Any]) -> None:
    """Every refusal is a problem, also those that FastAPI describes as its own."""
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, of_path in schema["paths"].items():
        for operation in of_path.values():
            answers = operation["responses"]
            if path.startswith("/v1/"):
                answers["503"] = {"description": Unavailable.title, "content": problem}
            for status, answer in answers.items():
                if status.startswith("4"):
                    answer["content"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
