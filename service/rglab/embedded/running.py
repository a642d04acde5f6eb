"""Where the embedded servers of a running lab are, for whoever did not start them."""

from __future__ import annotations

from pydantic import SecretStr

from rglab.embedded import broker, postgres
from rgstore.settings import Settings


def with_running(settings: Settings) -> Settings:
    """The settings; addresses that they lack are those of the embedded servers that run."""
    found: dict[str, SecretStr] = {}
    if settings.database_url is None:
        url = postgres.running_url(settings.data_dir / "postgres")
        if url is not None:
            found["database_url"] = SecretStr(url)
    if settings.broker_url is None:
        directory = settings.data_dir / "valkey"
        if broker.answers(broker.socket_path(directory)):
            found["broker_url"] = SecretStr(broker.url(directory))
    return settings.model_copy(update=found)
