"""Deployment settings, from the environment. Science is never configured here: that is the spec."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from rgcontract.credentials import data_dir


class Settings(BaseSettings):
    """`RGLAB_*` variables with their defaults."""

    model_config = SettingsConfigDict(
        env_prefix="RGLAB_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    database_url: SecretStr | None = None
    """Postgres; unset: an embedded server under `data_dir`."""
    broker_url: SecretStr | None = None
    """Valkey or Redis; unset: an embedded server under `data_dir`."""
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

    max_flops: float = Field(default=1e16, gt=0)
    """Largest cost of one submission, floating-point operations (about a day on one core)."""
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

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where a worker trains; auto takes a GPU if there is one."""
    concurrency: int | None = Field(default=None, ge=1, le=256)
    """Runs or fleets a worker trains side by side; unset: one per core, or one on a GPU."""
    fleet_size: int | None = Field(default=None, ge=1, le=1024)
    """Most runs of one shape that are trained together; unset: as many as pay on the device."""
    lease_seconds: float = Field(default=30, ge=1)
    """A run whose worker has not been heard of for so long goes to another."""
    heartbeat_seconds: float = Field(default=2, ge=0.1)
    """How often a worker says that it is alive and stores progress."""
    maintenance_seconds: float = Field(default=5, ge=0.2)
    """How often expired leases are freed and lost messages sent again."""
    max_attempts: int = Field(default=3, ge=1, le=20)
    """Tries at a run whose worker vanished or crashed, before it is failed."""
    run_time_limit_seconds: float = Field(default=6 * 3600, ge=1)
    """Wall-clock limit of one attempt; its process is then killed and the run failed."""

    @property
    def hosts(self) -> list[str]:
        """`allowed_hosts` as a list."""
        return [host.strip() for host in self.allowed_hosts.split(",") if host.strip()]

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


class SettingsError(RuntimeError):
    """A setting is missing; the message says which and what to do."""
