"""A whole lab on one machine: servers, API and worker, started in order and stopped in reverse."""

from __future__ import annotations

import errno
import getpass
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from migrations import NewerSchemaError, upgrade
from rgcontract.credentials import FILE_NAME as CREDENTIALS
from rgcontract.credentials import (
    Credentials,
    CredentialsError,
    read_credentials,
    write_credentials,
)
from rgcontract.roles import Role
from rglab.embedded.broker import EmbeddedBroker
from rglab.embedded.children import Child
from rglab.embedded.kept import Kept, Say, ServerError
from rglab.embedded.postgres import EmbeddedPostgres
from rglab.embedded.text_order import remark
from rgstore import people
from rgstore.audit import OPERATOR
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import (
    MOST_TOKENS,
    InvalidTokenError,
    TooManyTokensError,
    caller_of,
    make_token,
)

START_SECONDS = 60.0
WATCH_SECONDS = 0.5
NO_ADDRESS = (errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN)
"""What is wrong is the host, not the port."""


class LabError(RuntimeError):
    """The lab could not be started, or a part of it ended; the message says what to look at."""


class AlreadyRunningError(LabError):
    """Another supervisor holds the data directory."""


class Watch:
    """A thread that has servers started again when they have ended."""

    def __init__(self, servers: Sequence[Kept] = ()) -> None:
        self.failure: Exception | None = None
        self._servers, self._stopping = servers, threading.Event()
        self._thread = threading.Thread(target=self._run, name="server-watch", daemon=True)

    def _run(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            try:
                for server in self._servers:
                    server.check()
            except Exception as error:  # whatever it is, the lab must not run on unwatched
                self.failure = error
                return

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; a server that is being started first comes up."""
        self._stopping.set()
        self._thread.join()


@dataclass(frozen=True)
class Lab:
    """A running lab."""

    url: str
    token: str
    credentials: Path
    children: tuple[Child, ...]
    watch: Watch = field(default_factory=Watch)

    def check(self) -> None:
        """Raise `LabError` if a part has ended, a server in spite of being started again."""
        if self.watch.failure is not None:
            raise LabError(str(self.watch.failure)) from self.watch.failure
        for child in self.children:
            if child.exit_code is not None:
                raise LabError(
                    f"the {child.name} ended with code {child.exit_code}; "
                    f"the end of {child.log}:\n{child.tail()}"
                )


@contextmanager
def running_lab(settings: Settings, say: Say) -> Iterator[Lab]:
    """Start everything that the settings do not name elsewhere; stop it at the end.

    An embedded server that ends is started again, at the same address.

    Raises:
        AlreadyRunningError: another process runs the lab of this data directory.
        LabError: a part did not start.
    """
    data = settings.data_dir
    _make(data)
    logs = data / "logs"
    with ExitStack() as stack:
        _hold(stack, data)
        known = _known(settings)
        port = free_port(settings.host, settings.port)
        servers: list[Kept] = []
        database_url = _database(stack, settings, servers, say)
        _migrate(database_url)
        env = {
            "RGLAB_DATA_DIR": str(data),
            "RGLAB_DATABASE_URL": database_url,
            "RGLAB_BROKER_URL": _broker(stack, settings, servers, say),
        }
        url = f"http://{_shown(settings.host)}:{port}"
        listen = ["--host", settings.host, "--port", str(port)]
        api = _child(stack, "API", ["rgservice", *listen], logs / "api.log", env)
        worker = _child(stack, "worker", ["rgworker"], logs / "worker.log", env)
        token, path = _credentials(settings, known, database_url, url)
        watch = Watch(servers)
        lab = Lab(url, token, path, (api, worker), watch)
        watch.start()
        stack.callback(watch.stop)
        _await_ready(lab)
        say(f"API and worker are up; logs are in {logs}")
        yield lab
        say("stopping")


def _make(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(
            f"cannot make the data directory {data} ({error.strerror}): "
            "set RGLAB_DATA_DIR to another"
        ) from error


def _hold(stack: ExitStack, data: Path) -> None:
    lock = FileLock(data / "lab.lock")
    try:
        stack.enter_context(lock.acquire(blocking=False))
    except Timeout as error:
        raise AlreadyRunningError(f"a lab is already running on {data}") from error


def _database(stack: ExitStack, settings: Settings, servers: list[Kept], say: Say) -> str:
    """URL of the database that the settings name, or of an embedded one, which is started."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    try:
        server = EmbeddedPostgres(settings.data_dir / "postgres", say)
    except ServerError as error:
        raise LabError(str(error)) from error
    _keep(stack, Kept(server, say), servers)
    say("Postgres is up (embedded)")
    said = remark(Settings(database_url=server.url).database)
    if said is not None:
        say(said)
    return server.url


def _keep(stack: ExitStack, kept: Kept, servers: list[Kept]) -> None:
    stack.callback(kept.stop)
    servers.append(kept)


def _migrate(url: str) -> None:
    try:
        upgrade(Settings(database_url=url).database)
    except DBAPIError as error:
        raise LabError(f"the database does not answer: {error.orig}") from error
    except NewerSchemaError as error:
        raise LabError(str(error)) from error


def _broker(stack: ExitStack, settings: Settings, servers: list[Kept], say: Say) -> str:
    """URL of the broker that the settings name, or of an embedded one, which is started."""
    if settings.broker_url is not None:
        return settings.broker_url.get_secret_value()
    data = settings.data_dir
    try:
        server = EmbeddedBroker(data / "valkey", data / "logs" / "broker.log")
    except ServerError as error:
        raise LabError(str(error)) from error
    _keep(stack, Kept(server, say), servers)
    say("Valkey is up (embedded)")
    return server.url


def _child(
    stack: ExitStack, name: str, arguments: list[str], log: Path, env: dict[str, str]
) -> Child:
    child = Child(name, arguments, log=log, env=env)
    stack.callback(child.stop)
    return child


def _known(settings: Settings) -> Credentials | None:
    try:
        return read_credentials(settings.data_dir / CREDENTIALS)
    except CredentialsError as error:
        raise LabError(str(error)) from error


def _credentials(
    settings: Settings, known: Credentials | None, database_url: str, url: str
) -> tuple[str, Path]:
    """The local user's token: the stored one if it still serves, otherwise a new one."""
    database = Database(Settings(database_url=database_url).database, pool_size=1)
    try:
        with database.begin() as session:
            token = local_token(session, getpass.getuser(), known)
    except TooManyTokensError as error:
        raise LabError(
            f"{getpass.getuser()} has {MOST_TOKENS} valid tokens: revoke those that nobody needs "
            "(rglab token list)"
        ) from error
    finally:
        database.dispose()
    path = settings.data_dir / CREDENTIALS
    return token, write_credentials(Credentials(url=url, token=token), path)


def local_token(session: Session, user: str, known: Credentials | None) -> str:
    """A token that may do all that its user may. Where a lab has no admin, that one becomes it."""
    people.ensure_user(session, user)
    if not people.has_admin(session):
        people.change_user(session, user, role=Role.ADMIN, disabled=False, by=OPERATOR)
    role = Role(people.user_of(session, user).role)
    with suppress(InvalidTokenError):
        if known is not None:
            found = caller_of(session, known.token)
            if (found.user, found.role) == (user, role):
                return known.token
    return make_token(session, user, name="rglab up", by=OPERATOR)


def _await_ready(lab: Lab) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(lab.url):
        lab.check()
        if time.monotonic() > deadline:
            ends = "\n".join(f"{child.log} ends:\n{child.tail()}" for child in lab.children)
            raise LabError(f"API and worker were not ready within {START_SECONDS:.0f} s; {ends}")
        time.sleep(0.05)


def _is_ready(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/readyz", timeout=2)
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.json()["workers"] > 0


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
        advice = (
            "RGLAB_HOST is an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all"
            if error.errno in NO_ADDRESS
            else "choose another with --port or RGLAB_PORT; 0 takes a free one"
        )
        cause = (error.strerror or str(error)).partition(" (while ")[0]  # the rest repeats it
        raise LabError(f"cannot listen on port {port} of {host} ({cause}): {advice}") from error


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
