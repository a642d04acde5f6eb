"""A whole lab on one machine: servers, API and worker, started in order and stopped in reverse."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError

from migrations import upgrade
from rgcontract.credentials import FILE_NAME as CREDENTIALS
from rgcontract.credentials import (
    Credentials,
    CredentialsError,
    read_credentials,
    write_credentials,
)
from rgservice.embedded import broker
from rgservice.embedded.children import Child
from rgservice.embedded.postgres import EmbeddedPostgres, PostgresError
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token, owner_of

START_SECONDS = 60.0
Say = Callable[[str], None]


class LabError(RuntimeError):
    """The lab could not be started, or a part of it ended; the message says what to look at."""


class AlreadyRunningError(LabError):
    """Another supervisor holds the data directory."""


@dataclass(frozen=True)
class Lab:
    """A running lab."""

    url: str
    token: str
    credentials: Path
    children: tuple[Child, ...]

    def check(self) -> None:
        """Raise `LabError` if a part has ended."""
        for child in self.children:
            if child.exit_code is not None:
                raise LabError(
                    f"the {child.name} ended with code {child.exit_code}; "
                    f"the end of {child.log}:\n{child.tail()}"
                )


@contextmanager
def running_lab(settings: Settings, say: Say) -> Iterator[Lab]:
    """Start everything that the settings do not name elsewhere; stop it at the end.

    Raises:
        AlreadyRunningError: another process runs the lab of this data directory.
        LabError: a part did not start.
    """
    data = settings.data_dir
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs = data / "logs"
    with ExitStack() as stack:
        _hold(stack, data)
        port = free_port(settings.host, settings.port)
        env = {"RGLAB_DATA_DIR": str(data)}
        env["RGLAB_DATABASE_URL"] = _database(stack, settings, say)
        _migrate(env["RGLAB_DATABASE_URL"])
        servers = _broker(stack, settings, logs, say)
        env["RGLAB_BROKER_URL"] = _broker_url(settings)
        url = f"http://{_shown(settings.host)}:{port}"
        listen = ["--host", settings.host, "--port", str(port)]
        api = _child(stack, "API", ["rgservice", *listen], logs / "api.log", env)
        worker = _child(stack, "worker", ["rgworker"], logs / "worker.log", env)
        token, path = _credentials(settings, env["RGLAB_DATABASE_URL"], url)
        lab = Lab(url, token, path, (api, worker, *servers))
        _await_ready(lab)
        say(f"API and worker are up; logs are in {logs}")
        yield lab
        say("stopping")


def _hold(stack: ExitStack, data: Path) -> None:
    lock = FileLock(data / "lab.lock")
    try:
        stack.enter_context(lock.acquire(blocking=False))
    except Timeout as error:
        raise AlreadyRunningError(f"a lab is already running on {data}") from error


def _database(stack: ExitStack, settings: Settings, say: Say) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    try:
        server = EmbeddedPostgres(settings.data_dir / "postgres")
    except PostgresError as error:
        raise LabError(str(error)) from error
    stack.callback(server.stop)
    say("Postgres is up (embedded)")
    return server.url


def _migrate(url: str) -> None:
    try:
        upgrade(Settings(database_url=url).database)
    except DBAPIError as error:
        raise LabError(f"the database does not answer: {error.orig}") from error


def _broker(stack: ExitStack, settings: Settings, logs: Path, say: Say) -> list[Child]:
    """The embedded one; none if the settings name another."""
    if settings.broker_url is not None:
        return []
    directory = settings.data_dir / "valkey"
    module = ["rgservice.embedded.broker", str(directory)]
    child = _child(stack, "broker", module, logs / "broker.log", {})
    _await(child, lambda: broker.answers(broker.socket_path(directory)))
    say("Valkey is up (embedded)")
    return [child]


def _broker_url(settings: Settings) -> str:
    if settings.broker_url is not None:
        return settings.broker_url.get_secret_value()
    return broker.url(settings.data_dir / "valkey")


def _child(
    stack: ExitStack, name: str, arguments: list[str], log: Path, env: dict[str, str]
) -> Child:
    child = Child(name, arguments, log=log, env=env)
    stack.callback(child.stop)
    return child


def _credentials(settings: Settings, database_url: str, url: str) -> tuple[str, Path]:
    """The local user's token: the stored one if it is still valid, otherwise a new one.

    Raises:
        LabError: the file is there and is not what a lab writes, or others can read it.
    """
    path = settings.data_dir / CREDENTIALS
    try:
        known = read_credentials(path)
    except CredentialsError as error:
        raise LabError(str(error)) from error
    owner = getpass.getuser()
    database = Database(Settings(database_url=database_url).database, pool_size=1)
    with database.begin() as session:
        if known is not None and owner_of(session, known.token) == owner:
            token = known.token
        else:
            token = make_token(session, owner)
    database.dispose()
    return token, write_credentials(Credentials(url=url, token=token), path)


def _await_ready(lab: Lab) -> None:
    def ready() -> bool:
        try:
            answer = httpx.get(f"{lab.url}/readyz", timeout=2)
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and answer.json()["workers"] > 0

    _await(lab.children[0], ready, lab.check)


def _await(
    child: Child, ready: Callable[[], bool], check: Callable[[], None] = lambda: None
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        check()
        if child.exit_code is not None or time.monotonic() > deadline:
            raise LabError(f"the {child.name} did not start; {child.log} ends:\n{child.tail()}")
        time.sleep(0.05)


def free_port(host: str, port: int = 0) -> int:
    """A port that nothing listens on: this one, or any for 0.

    Raises:
        LabError: something listens there. What answers at our address must be ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise LabError(
            f"cannot listen on port {port} of {host} ({error.strerror}): "
            "choose another with --port or RGLAB_PORT; 0 takes a free one"
        ) from error


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
