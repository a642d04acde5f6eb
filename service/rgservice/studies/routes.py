"""`/v1/studies`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from rgcontract import Findings, Forecast, Study, StudyPage, StudyRequest, with_preset
from rgcontract.study import STUDY_FIELDS
from rgservice.experiments import steering, submitting
from rgservice.http.answers import Answered, response, whole_response
from rgservice.http.asking import DryRun, Key
from rgservice.http.body import parsed, read_body
from rgservice.http.deps import AUTHENTICATED, Member, PartsDep, Reader, SnapshotDep
from rgservice.http.described import ASKING, body_of, refusals
from rgservice.http.rights import writing
from rgservice.http.seeds import SeedsQuery
from rgservice.studies.asking import Grid, grid_of
from rgservice.studies.found import FoundStudy
from rgservice.studies.views import findings_view, page, study_view

router = APIRouter(prefix="/v1/studies", tags=["studies"], dependencies=AUTHENTICATED)


@router.post(
    "",
    status_code=201,
    response_model=Study | Forecast,
    responses={
        200: {"model": Study | Forecast, "description": "Known already, or a dry run"},
        **refusals(*ASKING),
    },
    openapi_extra=body_of(StudyRequest),
)
async def ask(
    request: Request,
    use: PartsDep,
    caller: Member,
    key: Key = None,
    dry_run: DryRun = False,
) -> Response:
    """Ask for a study: a spec in which lists make a grid. The same grid gives the same study.

    Experiments that the lab has are shared; only missing runs are added.
    """
    body = await read_body(
        request, limit=use.settings.max_body_bytes, setting="RGLAB_MAX_BODY_BYTES"
    )

    def read() -> Grid:  # a short body may ask for many experiments
        sent = parsed(body, StudyRequest, fill=with_preset, names=STUDY_FIELDS, grid=True)
        return grid_of(sent, use.settings)

    asked = await use.apart.read(caller.user, read)

    def submitted() -> Answered:
        return submitting.submit(use, asked, caller, key=key, dry_run=dry_run)

    return response(await run_in_threadpool(submitted))


@router.get("", responses=refusals(401, 422))
def list_studies(
    session: SnapshotDep,
    _: Reader,
    owner: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> StudyPage:
    """Studies, newest first, a page at a time."""
    return page(session, owner=owner, cursor=cursor, limit=limit)


@router.get("/{name}", responses=refusals(401, 404, 422))
def get_study(name: str, session: SnapshotDep, _: Reader, seeds: SeedsQuery = None) -> Study:
    """A study: its experiments, how far each is, how well it is known."""
    return study_view(session, FoundStudy.find(session, name, seeds))


@router.get("/{name}/findings", response_model=Findings, responses=refusals(401, 404, 409, 422))
def get_findings(name: str, session: SnapshotDep, _: Reader, seeds: SeedsQuery = None) -> Response:
    """The verdict on each claim, for each architecture of the study, over all that it measured.

    `complete` once the runs of these seeds are in it.
    """
    return whole_response(findings_view(session, FoundStudy.find(session, name, seeds)))


@router.post("/{name}/cancel", responses=refusals(401, 403, 404, 409, 422))
def cancel(name: str, use: PartsDep, caller: Member, seeds: SeedsQuery = None) -> Study:
    """Withdraw what you asked for by this study: a run stops when nobody wants it any more."""
    with writing(use, caller) as session:
        found = FoundStudy.find(session, name, seeds)
        steering.cancel(session, found, caller)
        return study_view(session, found)


@router.post("/{name}/retry", responses=refusals(401, 404, 409, 422))
def retry(name: str, use: PartsDep, caller: Member, seeds: SeedsQuery = None) -> Study:
    """Queue failed and cancelled runs of its experiments again."""
    with writing(use, caller) as session:
        found = FoundStudy.find(session, name, seeds)
        steering.retry(session, found, caller, attempt_limit=use.settings.max_attempts)
        return study_view(session, found)
