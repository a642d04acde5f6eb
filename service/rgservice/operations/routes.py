"""What operators and orchestrators ask: alive, ready, metrics; and the landing page."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from rgservice.http.answers import Answered, response
from rgservice.http.deps import PartsDep, SnapshotDep
from rgservice.http.query import known_query
from rgservice.http.safety import policy
from rgservice.operations import metrics, page, readiness

router = APIRouter(dependencies=[Depends(known_query)])


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def landing(session: SnapshotDep) -> HTMLResponse:
    """The landing page."""
    return HTMLResponse(page.landing(session), headers=policy(style="'unsafe-inline'"))


@router.get("/healthz", tags=["operations"])
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=readiness.Readiness,
    responses={503: {"model": readiness.Readiness, "description": "The database is away"}},
    tags=["operations"],
)
def readyz(use: PartsDep) -> Response:
    """Whether the parts it needs answer; 503 if the database does not."""
    found = readiness.check(use.database)
    return response(Answered(found, 200 if found.ready else 503))


@router.get("/metrics", response_class=PlainTextResponse, tags=["operations"])
def show_metrics(session: SnapshotDep) -> Response:
    """The state of the lab in Prometheus' text format."""
    body, media_type = metrics.exposition(session)
    return Response(body, media_type=media_type)
