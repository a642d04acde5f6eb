"""The URL of the broker: Redis and Valkey in their schemes, anything else refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from kombu.connection import Connection

from rgstore.settings import BROKERS, InvalidSettingError, Settings


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("redis://host:6380/1", "redis://host:6380/1"),
        (
            "rediss://:pw@host/0?ssl_cert_reqs=required",
            "rediss://:pw@host/0?ssl_cert_reqs=required",
        ),
        ("redis+socket:///run/v.sock", "redis+socket:///run/v.sock"),
        ("valkey://:secret@host:6380/1", "redis://:secret@host:6380/1"),
        ("VALKEY://host", "redis://host"),
        ("valkeys://host", "rediss://host"),
        ("valkey+socket:///run/v.sock", "redis+socket:///run/v.sock"),
        ("unix:///run/v.sock", "redis+socket:///run/v.sock"),
        ("valkey://one;valkey://two", "redis://one;redis://two"),
        (" valkey://host ", "redis://host"),
    ],
)
def test_valkey_is_taken_for_what_it_speaks(given: str, taken: str) -> None:
    assert Settings(broker_url=given).broker == taken


@pytest.mark.parametrize("scheme", BROKERS)
def test_kombu_knows_every_scheme_that_is_allowed(scheme: Any) -> None:
    broker = Settings(broker_url=f"{scheme}://host/0").broker
    with Connection(broker) as connection:  # type: ignore[no-untyped-call]  # it ships no types
        assert connection.transport.driver_type == "redis"


@pytest.mark.parametrize(
    "url",
    [
        "amqp://guest@host",
        "memory://",
        "valkeyy://host",
        "localhost:6379",
        "redis://",
        "",
        "redis:x",
        "redis://host;amqp://host",
        "sentinel://host:26379",
        "://host",
    ],
)
def test_any_other_scheme_is_refused_with_what_is_allowed(url: str) -> None:
    with pytest.raises(InvalidSettingError, match=r"begins with one of redis://, .*valkey://"):
        Settings(broker_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://host:port",
        "redis://host:99999",
        "redis://host/database",
        "redis://[::1",
        "redis://host?timeout_of=1",
        "redis://one;valkey://two:port",
        "redis://:pass/word@host",
        "redis://host:-5",
        "redis://host/1/2",
        "redis://host/-1",
        "valkeys://:hunter2@host:99999",
    ],
)
def test_what_kombu_would_only_stumble_over_later_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidSettingError, match=r"^RGLAB_BROKER_URL .* redis://:PASSWORD@") as no:
        Settings(broker_url=url)
    assert "'pass" not in str(no.value)
    assert "hunter2" not in str(no.value)


def test_a_refusal_does_not_show_the_password() -> None:
    with pytest.raises(InvalidSettingError) as refused:
        Settings(broker_url="amqp://alice:hunter2@host")
    assert "hunter2" not in str(refused.value)
    assert "amqp://" in str(refused.value)


def test_ports_and_databases_that_are_numbers_are_taken() -> None:
    for rest in ("host", "host/", "host:1/15", "[::1]:6380/0", ":p%40ss@host:6379/2"):
        assert Settings(broker_url=f"redis://{rest}").broker == f"redis://{rest}"
