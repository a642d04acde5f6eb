"""The FastAPI application."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from rgservice.experiments import routes as experiments
from rgservice.http import rendering
from rgservice.http.compressing import Compressed
from rgservice.http.contract import NamesContract
from rgservice.http.deps import Parts
from rgservice.http.description import described
from rgservice.http.errors import WrongHost
from rgservice.http.heads import UnambiguousHeads
from rgservice.http.methods import HeadAsGet
from rgservice.http.of_before import SpecsAsBefore
from rgservice.http.probes import is_probe
from rgservice.http.rendering import refusal
from rgservice.http.safety import SafeHeaders
from rgservice.http.turns import Turns
from rgservice.operations import audit, reading, schema
from rgservice.operations import routes as operations
from rgservice.people import routes as people
from rgservice.studies import routes as studies
from rgstore.database import Announcer, Database
from rgstore.publisher import publishing
from rgstore.settings import Settings

DESCRIPTION = """
Post an experiment (a Markov chain, a residual network, a training budget, seeds); read back what
was measured, layer by layer, every number with its error bar. Every field is optional. Lists in
place of values make a study: a grid of experiments, and a verdict on each claim.
"""


def create_app(settings: Settings | None = None, announcer: Announcer | None = None) -> FastAPI:
    """An application on the database and broker of the settings (default: the environment).

    Args:
        settings: of the server.
        announcer: tells workers of runs in place of the broker.
    """
    settings = settings or Settings()
    database = Database(settings.database)
    publisher = None
    if announcer is None:
        publisher = publishing(database, settings.broker)
    else:
        database.announce_to(announcer)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if publisher is not None:
            publisher.close()
        database.dispose()

    app = FastAPI(
        title="RGLab",
        version=version("rglab"),
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,  # these are routes like others: `routes.reading`
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = Parts(settings, database)
    app.include_router(experiments.router)
    app.include_router(studies.router)
    app.include_router(audit.router)
    app.include_router(people.router)
    app.include_router(schema.router)
    app.include_router(operations.router)
    app.include_router(reading.router)
    rendering.install(app)
    app.add_middleware(Turns)
    app.add_middleware(SpecsAsBefore)
    app.add_middleware(Compressed)
    app.add_middleware(HeadAsGet)
    app.add_middleware(_KnownHosts, hosts=settings.hosts)
    app.add_middleware(UnambiguousHeads)
    app.add_middleware(NamesContract)
    app.add_middleware(SafeHeaders)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app


class _KnownHosts:
    """Refuses requests for another host name, against DNS rebinding; says so as a problem."""

    def __init__(self, app: ASGIApp, hosts: list[str]) -> None:
        self._app, self._hosts = app, {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "*" not in self._hosts and not is_probe(scope):
            headers = dict(scope["headers"])
            host = _without_port(headers.get(b"host", b"").decode("latin-1").lower())
            if host not in self._hosts:
                error = WrongHost(
                    f"{host[:80]!r} is not a name of this server; add it to RGLAB_ALLOWED_HOSTS"
                )
                await refusal(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


_NAME_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]*)(?::[0-9]{1,5})?", re.ASCII)


def _without_port(host: str) -> str:
    """The name alone; what is neither a name nor a name and a port stays, and is none of ours."""
    found = _NAME_AND_PORT.fullmatch(host)
    return host if found is None else found[1]
