"""`rglab migrate`, `worker`, `doctor`: what the operator of a server needs."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated, NoReturn

import httpx
import typer
from rich.markup import escape

from migrations import upgrade
from rgcontract.credentials import CredentialsError, read_credentials
from rglab.cli import inspection
from rglab.cli.console import err, out
from rglab.cli.lab_database import database_errors, opened, operator_settings
from rglab.cli.options import bounds
from rgservice.operations.readiness import check
from rgstore.messages import BrokerAwayError, ping
from rgstore.settings import Settings


def migrate() -> None:
    """Bring the database to the newest schema."""
    with database_errors():
        upgrade(operator_settings().database)
    err.print("the schema is up to date")


def worker(
    concurrency: Annotated[
        int | None, typer.Option(help="Runs side by side", **bounds("concurrency"))
    ] = None,
) -> None:
    """Run a worker until Ctrl-C: on RGLAB_DATABASE_URL and RGLAB_BROKER_URL, or beside `rglab up`.

    Without them it is one more worker of the lab that runs on the same data directory.
    """
    settings = operator_settings()
    with database_errors():
        os.environ["RGLAB_DATABASE_URL"] = settings.database
        os.environ["RGLAB_BROKER_URL"] = settings.broker
    given = [] if concurrency is None else ["--concurrency", str(concurrency)]
    _become("rgworker.__main__", *given)


def calibrate() -> None:
    """Measure known answers on this machine: measured, expected, tolerance, pass."""
    _become("rgworker.calibrate")  # the numerics are the worker's


def _become(program: str, *arguments: str) -> NoReturn:
    """Go on as a program of the worker's: signals go to it."""
    command = [sys.executable, "-m", "rglab.cli.become", program, *arguments]
    os.execv(sys.executable, command)  # noqa: S606 - our own arguments


def doctor(
    invariants: Annotated[
        bool,
        typer.Option("--invariants", help="Check instead that the database is as it must be"),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="What breaks invariants, as JSON")
    ] = False,
) -> None:
    """Say what answers and what does not; with --invariants, which stored rows cannot be right."""
    settings = operator_settings()
    if as_json and not invariants:
        raise typer.BadParameter("it goes with --invariants", param_hint="--json")
    if invariants:
        with database_errors(), opened(settings) as database:
            broken = inspection.inspect(database, as_json=as_json)
        raise typer.Exit(1 if broken else 0)
    found = [_api_finding(settings)]
    if settings.database_url is not None:
        with opened(settings) as database:
            ready = check(database)
        found.append(
            (
                "database",
                ready.database,
                f"{ready.workers} workers heard of lately, {ready.hearing} hear the broker",
            )
        )
    if settings.broker_url is not None:
        found.append(_broker_finding(settings))
    found.append(("training", True, _what_trains(settings)))
    for name, good, detail in found:
        mark = "[green]ok[/]  " if good else "[red]BAD[/] "
        out.print(f"{mark} {name:9} {escape(detail)}", soft_wrap=True)
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
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return "API", False, f"{url} does not answer ({error}): run `rglab up`"
    return "API", answer.status_code == 200, f"{url} {answer.text}"


def _what_trains(settings: Settings) -> str:
    """What workers on this machine train with; found by another process, since that needs torch."""
    if find_spec("torch") is None:
        return "no worker is installed here"
    asked = [sys.executable, "-m", "rgkernels"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    here = said.stdout.strip() or f"torch trains: {said.stderr.strip().rpartition(chr(10))[2]}"
    if settings.backend == "native" or said.returncode:
        return here
    would = f"RGLAB_BACKEND=native would train by {here}"
    return f"torch trains (RGLAB_BACKEND={settings.backend}); {would}"


def _broker_finding(settings: Settings) -> tuple[str, bool, str]:
    try:
        ping(settings.broker)
    except BrokerAwayError as error:
        return "broker", False, f"does not answer: {error}"
    return "broker", True, "answers"
