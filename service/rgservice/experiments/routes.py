"""`/v1/experiments`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from rgcontract import (
    Acknowledgement,
    BulkAcknowledgement,
    BulkSubmission,
    Experiment,
    ExperimentPage,
    Forecast,
    Result,
    Submission,
    bulk_problems,
)
from rgcontract.updates import ExperimentUpdate
from rgservice.experiments import listing, steering, submitting, updating
from rgservice.experiments.bulk import bulk_of
from rgservice.experiments.one import one
from rgservice.experiments.results import Arrays, result_view
from rgservice.experiments.steering import Found
from rgservice.experiments.views import experiment_view, tagged
from rgservice.http.answers import Answered, response
from rgservice.http.body import parsed, read_body, read_model
from rgservice.http.deps import AUTHENTICATED, Member, PartsDep, Reader, SnapshotDep
from rgservice.http.described import ASKING, body_of, refusals
from rgservice.http.etags import IfMatch
from rgservice.http.rights import writing
from rgservice.http.seeds import SeedsQuery

router = APIRouter(prefix="/v1/experiments", tags=["experiments"], dependencies=AUTHENTICATED)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body is answered the same and counted once",
    ),
]  # fmt: skip

DryRun = Annotated[bool, Query(description="Only say what it would cost")]
"""Of every route that asks for something."""
Everybody = Annotated[
    bool, Query(description="Withdraw what others asked for beside your own; admins only")
]
"""Of every route that withdraws."""


@router.post(
    "",
    status_code=201,
    response_model=Acknowledgement | Forecast,
    responses={
        200: {"model": Acknowledgement | Forecast, "description": "Known already, or a dry run"},
        **refusals(*ASKING),
    },
    openapi_extra=body_of(Submission),
)
async def submit(
    request: Request, use: PartsDep, caller: Member, key: Key = None, dry_run: DryRun = False
) -> Response:
    """Ask for an experiment. The same spec gives the same record; only missing seeds are added."""
    sent = await read_model(request, Submission, limit=use.settings.max_body_bytes)

    def submitted() -> Answered:
        return submitting.submit(use, one(sent), caller, key=key, dry_run=dry_run)

    return response(await run_in_threadpool(submitted))


@router.post(
    "/bulk",
    status_code=201,
    response_model=BulkAcknowledgement | Forecast,
    responses={
        200: {"model": BulkAcknowledgement | Forecast, "description": "None is new, or a dry run"},
        **refusals(*ASKING),
    },
    openapi_extra=body_of(BulkSubmission),
)
async def submit_many(
    request: Request, use: PartsDep, caller: Member, key: Key = None, dry_run: DryRun = False
) -> Response:
    """Ask for many experiments, as if one after another. All of them are stored, or none."""
    body = await read_body(
        request, limit=use.settings.max_bulk_bytes, setting="RGLAB_MAX_BULK_BYTES"
    )

    def submitted() -> Answered:  # in a thread: so many take long enough to keep others waiting
        asked = bulk_of(parsed(body, BulkSubmission, bulk_problems), use.settings)
        return submitting.submit(use, asked, caller, key=key, dry_run=dry_run)

    return response(await run_in_threadpool(submitted))


@router.get("", responses=refusals(401, 422))
def list_experiments(
    session: SnapshotDep,
    reader: Reader,
    filters: Annotated[Any, Depends(listing.Filters)],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> ExperimentPage:
    """Experiments, newest first, a page at a time. State and counts are those of all their runs."""
    return listing.page(session, vars(filters), reader.user, cursor=cursor, limit=limit)


@router.get("/{name}", response_model=Experiment, responses=refusals(401, 404, 422))
def get_experiment(
    name: str, session: SnapshotDep, reader: Reader, seeds: SeedsQuery = None
) -> Response:
    """An experiment: spec with defaults filled in, state, progress, attempts.

    `ETag` is that of what `PATCH` changes, whatever its state.
    """
    return response(tagged(session, Found.find(session, name, seeds), reader.user))


@router.patch(
    "/{name}",
    response_model=Experiment,
    responses=refusals(*ASKING, 403, 404, 412),
    openapi_extra=body_of(ExperimentUpdate),
)
async def change(
    request: Request, name: str, use: PartsDep, caller: Member, if_match: IfMatch = None
) -> Response:
    """Change label, tags, note or priority that you gave; what others gave stays theirs.

    What is not sent stays as it is. With `If-Match` nothing is changed if it was changed since you
    read it.
    """
    sent = await read_model(request, ExperimentUpdate, limit=use.settings.max_body_bytes)

    def changed() -> Answered:
        with writing(use, caller) as session:
            found = Found.find(session, name)
            updating.update(session, found, caller, sent, if_match)
            return tagged(session, found, caller.user)

    return response(await run_in_threadpool(changed))


@router.get("/{name}/result", responses=refusals(401, 404, 409, 422))
def get_result(
    name: str,
    session: SnapshotDep,
    _: Reader,
    seeds: SeedsQuery = None,
    arrays: Annotated[
        Arrays,
        Query(
            description="all: also what has several indexes, such as spectra; runs: and these "
            "for each run too"
        ),
    ] = "layers",
    partial: Annotated[bool, Query(description="over the runs measured so far")] = False,
) -> Result:
    """The measurement, every number with its error bar."""
    found = Found.find(session, name, seeds)
    return result_view(session, found, arrays=arrays, partial=partial)


@router.post("/{name}/cancel", responses=refusals(401, 403, 404, 409, 422))
def cancel(
    name: str,
    use: PartsDep,
    caller: Member,
    seeds: SeedsQuery = None,
    everybody: Everybody = False,
) -> Experiment:
    """Withdraw what you asked for: a run stops when nobody wants it any more.

    What others asked for goes on. Without `seeds`, all that you asked for of it. An admin who has
    asked for none of it withdraws what everybody asked for.
    """
    with writing(use, caller) as session:
        found = Found.find(session, name, seeds)
        steering.cancel(session, found, caller, everybody=everybody)
        return experiment_view(session, found, caller.user)


@router.post("/{name}/retry", responses=refusals(401, 403, 404, 409, 422))
def retry(name: str, use: PartsDep, caller: Member, seeds: SeedsQuery = None) -> Experiment:
    """Queue failed and cancelled runs again, and want them from now on."""
    with writing(use, caller) as session:
        found = Found.find(session, name, seeds)
        steering.retry(session, found, caller, attempt_limit=use.settings.max_attempts)
        return experiment_view(session, found, caller.user)
