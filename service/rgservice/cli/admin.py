"""`rglab migrate`, `worker`, `token`, `doctor`: what the operator of a server needs."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import httpx
import typer
from migrations import upgrade
from sqlalchemy.exc import DBAPIError

from rgcontract.credentials import CredentialsError, read_credentials
from rgservice.cli.console import err, out, stop
from rgservice.readiness import check
from rgstore.database import Database
from rgstore.messages import CelerySender
from rgstore.settings import Settings, SettingsError
from rgstore.tokens import make_token, owners, revoke_tokens


def migrate() -> None:
    """Bring the database of RGLAB_DATABASE_URL to the newest schema."""
    try:
        upgrade(_database_url())
    except DBAPIError as error:
        stop(f"the database does not answer: {error.orig}")
    err.print("the schema is up to date")


def worker(
    concurrency: Annotated[int | None, typer.Option(help="Runs side by side")] = None,
) -> None:
    """Run a worker on RGLAB_DATABASE_URL and RGLAB_BROKER_URL until Ctrl-C."""
    _database_url()
    arguments = [sys.executable, "-m", "rgworker"]
    if concurrency is not None:
        arguments += ["--concurrency", str(concurrency)]
    os.execv(sys.executable, arguments)  # noqa: S606 - becomes the worker: signals go to it


def token(
    owner: Annotated[str | None, typer.Argument(help="Whose token; without: list owners")] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke the owner's tokens")] = False,
) -> None:
    """Make a token, revoke an owner's tokens, or list who has one."""
    database = Database(_database_url(), pool_size=1)
    with database.begin() as session:
        if owner is None:
            for name, count in owners(session):
                out.print(f"{name}  {count} valid", markup=False)
        elif revoke:
            err.print(f"revoked {revoke_tokens(session, owner)} tokens of {owner}", markup=False)
        else:
            out.print(make_token(session, owner), markup=False, soft_wrap=True)
            err.print("it is shown this once; only its digest is stored", markup=False)


def doctor() -> None:
    """Say what answers and what does not."""
    settings = Settings()
    found = [_api_finding(settings)]
    if settings.database_url is not None:
        ready = check(Database(settings.database, pool_size=1))
        found.append(("database", ready.database, f"{ready.workers} workers heard of lately"))
    if settings.broker_url is not None:
        found.append(_broker_finding(settings))
    for name, good, detail in found:
        mark = "[green]ok[/]  " if good else "[red]BAD[/] "
        out.print(f"{mark} {name:9} {detail}")
    if not all(good for _, good, _ in found):
        raise typer.Exit(1)


def _api_finding(settings: Settings) -> tuple[str, bool, str]:
    try:
        known = read_credentials(settings.data_dir / "credentials.json")
    except CredentialsError as error:
        return "API", False, str(error)
    url = os.environ.get("RGLAB_URL") or (known and known.url)
    if not url:
        return "API", False, "no server known: run `rglab up`, or set RGLAB_URL"
    try:
        answer = httpx.get(f"{url}/readyz", timeout=5)
    except httpx.HTTPError as error:
        return "API", False, f"{url} does not answer ({error}): run `rglab up`"
    return "API", answer.status_code == 200, f"{url} {answer.text}"


def _broker_finding(settings: Settings) -> tuple[str, bool, str]:
    try:
        waiting = CelerySender(settings.broker).waiting()
    except Exception as error:
        return "broker", False, f"does not answer: {error}"
    return "broker", True, f"{waiting} messages wait"


def _database_url() -> str:
    try:
        return Settings().database
    except SettingsError as error:
        stop(str(error))
