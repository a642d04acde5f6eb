"""`/v1/experiments`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from rgcontract import (
    Acknowledgement,
    BulkAcknowledgement,
    BulkSubmission,
    ChainFacts,
    Experiment,
    ExperimentPage,
    Forecast,
    Result,
    Submission,
    sorting,
)
from rgcontract.section import Seed
from rgcontract.updates import ExperimentUpdate
from rgservice.experiments import cursors, listing, reading, steering, submitting, updating
from rgservice.experiments.bulk import bulk_of
from rgservice.experiments.one import one
from rgservice.experiments.results import chain_of
from rgservice.experiments.selecting import AskedQuery
from rgservice.experiments.steering import Found
from rgservice.experiments.views import experiment_view, tagged
from rgservice.http.answers import Answered, response
from rgservice.http.asking import DryRun, Everybody, Key, sent, sent_model
from rgservice.http.body import parsed
from rgservice.http.deps import AUTHENTICATED, Member, PartsDep, Reader, SnapshotDep
from rgservice.http.described import ASKING, body_of, refusals
from rgservice.http.etags import IfMatch
from rgservice.http.of_before import is_of_before
from rgservice.http.rights import writing
from rgservice.http.seeds import SeedsQuery

router = APIRouter(prefix="/v1/experiments", tags=["experiments"], dependencies=AUTHENTICATED)


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
    asked = await sent(request, use, caller, lambda body: one(parsed(body, Submission)))

    def submitted() -> Answered:
        return submitting.submit(use, asked, caller, key=key, dry_run=dry_run)

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
    asked = await sent(
        request,
        use,
        caller,
        lambda body: bulk_of(body, use.settings),
        limit="max_bulk_bytes",
        short=0,
    )

    def submitted() -> Answered:
        return submitting.submit(use, asked, caller, key=key, dry_run=dry_run)

    return response(await run_in_threadpool(submitted))


@router.get("", responses=refusals(401, 422))
def list_experiments(
    session: SnapshotDep,
    reader: Reader,
    filters: Annotated[Any, Depends(listing.Filters)],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=cursors.LONGEST)] = None,
    sort: Annotated[
        str,
        Query(
            max_length=80,
            description=f"What it is ordered by: {sorting.TAKEN}",
            json_schema_extra={"enum": sorting.ORDERS},
        ),
    ] = sorting.NEWEST_FIRST,
) -> ExperimentPage:
    """Experiments, newest first, a page at a time. State and counts are those of all their runs."""
    return listing.page(session, vars(filters), reader.user, sort=sort, cursor=cursor, limit=limit)


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
    wanted = await sent_model(request, use, caller, ExperimentUpdate)

    def changed() -> Answered:
        with writing(use, caller) as session:
            found = Found.find(session, name)
            updating.update(session, found, caller, wanted, if_match)
            return tagged(session, found, caller.user)

    return response(await run_in_threadpool(changed))


@router.get("/{name}/result", response_model=Result, responses=refusals(401, 404, 409, 422))
async def get_result(
    request: Request,
    name: str,
    use: PartsDep,
    reader: Reader,
    asked: AskedQuery,
    seeds: SeedsQuery = None,
) -> Response:
    """The measurement, every number with its error bar; as little or as much of it as is asked for.

    Large arrays are left out, unless they are asked for: `left_out` says which, and where they are.
    """
    return await reading.result(
        use, reader.user, name, seeds, asked, of_before=is_of_before(request.headers)
    )


@router.get("/{name}/chains/{chain_seed}", responses=refusals(401, 404, 409, 422))
def get_chain(name: str, chain_seed: Seed, session: SnapshotDep, _: Reader) -> ChainFacts:
    """What is known exactly of one draw of its chain, with the transition matrix."""
    return chain_of(session, Found.find(session, name), chain_seed)


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
        steering.retry(session, found, caller, use.settings)
        return experiment_view(session, found, caller.user)
