"""`/v1/studies`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from rgcontract import Findings, Forecast, Study, StudyPage, StudyRequest, with_preset
from rgcontract.study import STUDY_FIELDS
from rgcontract.updates import StudyUpdate
from rgservice.experiments import steering, submitting
from rgservice.http.answers import Answered, response, whole_response
from rgservice.http.asking import DryRun, Everybody, Key, sent, sent_model
from rgservice.http.body import parsed
from rgservice.http.deps import AUTHENTICATED, Member, PartsDep, Reader, SnapshotDep
from rgservice.http.described import ASKING, body_of, refusals
from rgservice.http.etags import IfMatch
from rgservice.http.rights import writing
from rgservice.http.seeds import SeedsQuery
from rgservice.studies import updating
from rgservice.studies.asking import Grid, grid_of
from rgservice.studies.found import FoundStudy
from rgservice.studies.views import findings_view, page, study_view, tagged

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

    def read(body: bytes) -> Grid:
        wanted = parsed(body, StudyRequest, fill=with_preset, names=STUDY_FIELDS, grid=True)
        return grid_of(wanted, use.settings)

    asked = await sent(request, use, caller, read, short=0)

    def submitted() -> Answered:
        return submitting.submit(use, asked, caller, key=key, dry_run=dry_run)

    return response(await run_in_threadpool(submitted))


@router.get("", responses=refusals(401, 422))
def list_studies(
    session: SnapshotDep,
    reader: Reader,
    owner: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> StudyPage:
    """Studies, newest first, a page at a time."""
    return page(session, reader.user, owner=owner, cursor=cursor, limit=limit)


@router.get("/{name}", response_model=Study, responses=refusals(401, 404, 422))
def get_study(
    name: str, session: SnapshotDep, reader: Reader, seeds: SeedsQuery = None
) -> Response:
    """A study: its experiments, how far each is, how well it is known.

    `ETag` is that of what `PATCH` changes, whatever its state.
    """
    return response(
        tagged(session, FoundStudy.find(session, name, seeds, reader=reader.user), reader.user)
    )


@router.patch(
    "/{name}",
    response_model=Study,
    responses=refusals(*ASKING, 403, 404, 412),
    openapi_extra=body_of(StudyUpdate),
)
async def change(
    request: Request, name: str, use: PartsDep, caller: Member, if_match: IfMatch = None
) -> Response:
    """Change the name or priority that you gave; what others gave stays theirs.

    A target is changed by asking again, which prices it. With `If-Match` nothing is changed if it
    was changed since you read it.
    """
    wanted = await sent_model(request, use, caller, StudyUpdate)

    def changed() -> Answered:
        with writing(use, caller) as session:
            found = FoundStudy.find(session, name, reader=caller.user)
            updating.update(session, found, caller, wanted, if_match)
            return tagged(session, found, caller.user)

    return response(await run_in_threadpool(changed))


@router.get("/{name}/findings", response_model=Findings, responses=refusals(401, 404, 409, 422))
def get_findings(
    name: str, session: SnapshotDep, reader: Reader, seeds: SeedsQuery = None
) -> Response:
    """The verdict on each claim, for each architecture of the study, over all that it measured.

    `complete` once the runs of these seeds are in it.
    """
    found = FoundStudy.find(session, name, seeds, reader=reader.user)
    return whole_response(findings_view(session, found, reader.user))


@router.post("/{name}/cancel", responses=refusals(401, 403, 404, 409, 422))
def cancel(
    name: str,
    use: PartsDep,
    caller: Member,
    seeds: SeedsQuery = None,
    everybody: Everybody = False,
) -> Study:
    """Withdraw what you asked for by this study: a run stops when nobody wants it any more.

    An admin who has not asked for it withdraws what everybody asked for by it.
    """
    with writing(use, caller) as session:
        found = FoundStudy.find(session, name, seeds, reader=caller.user)
        steering.cancel(session, found, caller, everybody=everybody)
        return study_view(session, found, caller.user)


@router.post("/{name}/retry", responses=refusals(401, 403, 404, 409, 422))
def retry(name: str, use: PartsDep, caller: Member, seeds: SeedsQuery = None) -> Study:
    """Queue failed and cancelled runs of its experiments again."""
    with writing(use, caller) as session:
        found = FoundStudy.find(session, name, seeds, reader=caller.user)
        steering.retry(session, found, caller, use.settings)
        return study_view(session, found, caller.user)
