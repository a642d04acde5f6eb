"""Deployment settings, from the environment. Science is never configured here: that is the spec."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rgcontract.credentials import data_dir
from rgcontract.quotas import FlopsPerDay, QueuedRuns, RequestsPerSecond, StoredBytes

PREFIX = "RGLAB_"
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
HOST_NAME = re.compile(r"\*|\[[0-9A-Fa-f:.]+\]|[\w.-]+")


class SettingsError(RuntimeError):
    """A setting is missing; the message says which and what to do."""


class InvalidSettingError(SettingsError):
    """A setting has a value that is not allowed; the message names it and says what is."""


HEARTBEAT_SECONDS = 2.0
"""Of leases that last four or more."""


class Settings(BaseSettings):
    """`RGLAB_*` variables with their defaults; one that is empty counts as not set.

    Raises:
        InvalidSettingError: a value is not allowed.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        allow_inf_nan=False,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # it may be a password
    )

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            said = (_sentence(type(self), dict(found)) for found in error.errors())
            raise InvalidSettingError("; ".join(said)) from None  # it would show passwords

    database_url: SecretStr | None = None
    """Postgres; unset: an embedded server under `data_dir`."""
    broker_url: SecretStr | None = None
    """Valkey or Redis: `redis://`, `rediss://` (TLS), `redis+socket://`, or the same with valkey;
    unset: an embedded server under `data_dir`."""
    data_dir: Path = Field(default_factory=data_dir)
    """Embedded servers, logs and credentials live here."""

    host: str = "127.0.0.1"
    """Address the API listens on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port the API listens on; 0 picks a free one."""
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    """Names the API answers to, comma-separated; a request to another Host is refused."""
    max_body_bytes: int = Field(default=1_000_000, ge=1_000)
    """Largest request body."""
    max_bulk_bytes: int = Field(default=16 * 2**20, ge=1_000)
    """Largest request body of many submissions at once."""
    max_reading_seconds: float = Field(default=30, gt=0, le=3_600)
    """Longest time that checking one request may take."""

    max_flops: float = Field(default=1e16, gt=0)
    """Largest cost of one submission, floating-point operations. How long that takes on this lab's
    workers a dry run says: `flops` over `flops_per_second`; at 2e10, about one core, six days."""
    max_memory_bytes: int = Field(default=8 * 2**30, gt=0)
    """Largest expected memory of one run."""
    max_stored_bytes: int = Field(default=16 * 2**30, gt=0)
    """Most that one submission may add to the database."""
    max_bulk_runs: int = Field(default=50_000, ge=1)
    """Most runs that many submissions at once, or a study, may ask for."""
    max_bulk_flops: float = Field(default=1e17, gt=0)
    """Largest cost of many submissions at once; each by itself is held to `max_flops`."""
    max_bulk_stored_bytes: int = Field(default=64 * 2**30, gt=0)
    """Most that many submissions at once may add to the database."""
    max_study_experiments: int = Field(default=500, ge=1)
    """Most experiments in the grid of one study."""

    quota_queued_runs: QueuedRuns | None = None
    """Most runs that one person may have in line; unset: any number."""
    quota_flops_per_day: FlopsPerDay | None = None
    """Most operations that one person may ask for within 24 hours; unset: any number."""
    quota_stored_bytes: StoredBytes | None = None
    """Most that one person's runs may take of the database; unset: all of it."""
    quota_requests_per_second: RequestsPerSecond = 200
    """Requests of one person to each process of the API; ten seconds' worth may come at once."""
    quota_failures_per_second: RequestsPerSecond = 50
    """The same of requests from one address that come with no token that is good."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where a worker trains; auto takes a GPU if there is one."""
    backend: Literal["native", "torch"] = "torch"
    """What trains: native is kernels that are compiled on this machine, where they can be had and
    take the network, and torch elsewhere."""
    concurrency: int | None = Field(default=None, ge=1, le=256)
    """Runs or fleets a worker trains side by side; unset: one per core, or one on a GPU."""
    fleet_size: int | None = Field(default=None, ge=1, le=1024)
    """Most runs of one shape that are trained together; unset: as many as pay on the device."""
    lease_seconds: float = Field(default=30, ge=1, le=86_400)
    """A run whose worker has not been heard of for so long goes to another."""
    heartbeat_seconds: float = Field(default=HEARTBEAT_SECONDS, ge=0.1, le=3_600)
    """How often a worker says that it is alive and stores progress; twice in a lease at least, so
    that one heartbeat may be lost. 2, or half of a shorter lease."""
    maintenance_seconds: float = Field(default=5, ge=0.2, le=3_600)
    """How often expired leases are freed and lost messages sent again."""
    max_attempts: int = Field(default=3, ge=1, le=20)
    """Tries at a run whose worker vanished or crashed, before it is failed."""
    run_time_limit_seconds: float = Field(default=6 * 3600, ge=1, le=10_000_000)
    """Wall-clock limit of one attempt; its process is then killed and the run failed."""

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()  # what is started elsewhere is given it, too

    @field_validator("heartbeat_seconds")
    @classmethod
    def _twice_in_a_lease(cls, seconds: float, info: ValidationInfo) -> float:
        lease: float | None = info.data.get("lease_seconds")  # missing where it is refused itself
        if lease is not None and seconds == HEARTBEAT_SECONDS:  # who shortens leases need not know
            return min(seconds, lease / 2)
        if lease is not None and seconds > lease / 2:
            raise ValueError(f"half of {PREFIX}LEASE_SECONDS at most, which is {lease:g}")
        return seconds

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        try:
            known = url is None or make_url(url.get_secret_value()).drivername in SCHEMES
        except (ArgumentError, ValueError):
            known = False
        if not known:
            raise ValueError("postgresql://USER:PASSWORD@HOST/DATABASE")
        return url

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, hosts: str) -> str:
        names = _split(hosts)
        if not names or not all(HOST_NAME.fullmatch(name) for name in names):
            raise ValueError("host names with commas between them, without http:// and port")
        return hosts

    @field_validator("broker_url")
    @classmethod
    def _broker_that_is_known(cls, value: SecretStr | None) -> SecretStr | None:
        """Valkey's schemes in the words of Kombu, which knows Redis' only; several for failover."""
        if value is None:
            return None
        urls = value.get_secret_value().strip().split(";")
        return SecretStr(";".join(_in_words_of_kombu(url) for url in urls))

    @property
    def hosts(self) -> list[str]:
        """`allowed_hosts` as a list."""
        return _split(self.allowed_hosts)

    @cached_property
    def database(self) -> str:
        """The database's SQLAlchemy URL.

        Raises:
            SettingsError: no database is set, and the embedded one is not running.
        """
        if self.database_url is None:
            raise SettingsError("RGLAB_DATABASE_URL is not set; start with `rglab up`, or set it")
        url = self.database_url.get_secret_value()
        scheme, separator, rest = url.partition("://")
        if scheme in {"postgres", "postgresql"}:
            scheme = "postgresql+psycopg"
        return f"{scheme}{separator}{rest}"

    @cached_property
    def broker(self) -> str:
        """The broker's URL.

        Raises:
            SettingsError: no broker is set, and the embedded one is not running.
        """
        if self.broker_url is None:
            raise SettingsError("RGLAB_BROKER_URL is not set; start with `rglab up`, or set it")
        return self.broker_url.get_secret_value()


def _split(hosts: str) -> list[str]:
    return [host.strip() for host in hosts.split(",") if host.strip()]


def _sentence(settings: type[Settings], error: dict[str, Any]) -> str:
    """What is wrong with one value: `RGLAB_PORT is 'abc': allowed is a whole number ...`."""
    name = str(error["loc"][0])
    schema = settings.model_json_schema()["properties"][name]
    cause = error.get("ctx", {}).get("error")
    allowed = str(cause) if cause is not None else _allowed(schema) or error["msg"]
    secret = settings.model_fields[name].annotation == (SecretStr | None)
    value = "not usable" if secret else repr(error["input"])
    return f"{PREFIX}{name.upper()} is {value}: allowed is {allowed}"


def _allowed(schema: dict[str, Any]) -> str | None:
    """A field's type and bounds in words."""
    schema = next((one for one in schema.get("anyOf", []) if one.get("type") != "null"), schema)
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind = {"integer": "a whole number", "number": "a number"}.get(schema.get("type", ""))
    if kind is None:
        return None
    low, high, above = (schema.get(key) for key in ("minimum", "maximum", "exclusiveMinimum"))
    if above is not None:
        return f"{kind} above {above:g}"
    return f"{kind} of at least {low}" if high is None else f"{kind} from {low} to {high}"


BROKERS = {
    "redis": "redis",
    "rediss": "rediss",
    "redis+socket": "redis+socket",
    "valkey": "redis",
    "valkeys": "rediss",
    "valkey+socket": "redis+socket",
    "unix": "redis+socket",
}
"""Schemes of a broker's URL -> what Kombu calls them."""


def _in_words_of_kombu(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    known = BROKERS.get(scheme.strip().lower())
    if not separator or known is None or not rest:
        begins = f"with {scheme[:20]}://" if separator else "with no scheme"  # no password is in it
        allowed = ", ".join(f"{name}://" for name in BROKERS)
        raise ValueError(
            f"a URL of Valkey or Redis that begins with one of {allowed}, as in "
            f"redis://127.0.0.1:6379/0; this one begins {begins}"
        )
    found = f"{known}://{rest}"
    if not _is_read_by_kombu(found):
        raise ValueError(
            "a URL such as redis://:PASSWORD@HOST:PORT/0, whose port and database are numbers; "
            "other characters than letters and digits in a password are written as %XX"
        )
    return found


def _is_read_by_kombu(url: str) -> bool:
    from kombu.connection import Connection  # noqa: PLC0415 - only where a broker is named

    try:
        read = Connection(url)  # type: ignore[no-untyped-call]  # Kombu has few types
    except (ValueError, TypeError):  # a port that is no number, an option that there is not
        return False
    database = str(read.virtual_host or "").strip("/")
    return (not database or database.isdecimal()) and int(read.port or 0) <= 65535
