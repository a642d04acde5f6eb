"""The URL of the broker: Redis and Valkey in their schemes, anything else refused in a sentence."""

from __future__ import annotations

import pytest
from kombu import Connection

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
def test_valkey_is_taken_for_what_it_speaks(given, taken):
    assert Settings(broker_url=given).broker == taken


@pytest.mark.parametrize("scheme", BROKERS)
def test_kombu_knows_every_scheme_that_is_allowed(scheme):
    with Connection(Settings(broker_url=f"{scheme}://host/0").broker) as connection:
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
def test_any_other_scheme_is_refused_with_what_is_allowed(url):
    with pytest.raises(InvalidSettingError, match=r"begins with one of redis://, .*valkey://"):
        Settings(broker_url=url)


def test_a_refusal_does_not_show_the_password():
    with pytest.raises(InvalidSettingError) as refused:
        Settings(broker_url="amqp://alice:hunter2@host")
    assert "hunter2" not in str(refused.value)
    assert "amqp://" in str(refused.value)


@pytest.mark.parametrize(
    "rest",
    [":hunter2@host:99999", "host:abc", "host:-5", "[::1", "host/abc", "host/1/2", "host/-1"],
)
@pytest.mark.parametrize("scheme", ["redis", "valkeys"])
def test_what_kombu_would_only_find_when_it_connects_is_refused_at_once(scheme, rest):
    with pytest.raises(InvalidSettingError, match="a port from 0 to 65535") as refused:
        Settings(broker_url=f"valkey://host;{scheme}://{rest}")
    assert "hunter2" not in str(refused.value)


def test_ports_and_databases_that_are_numbers_are_taken():
    for rest in ("host", "host/", "host:1/15", "[::1]:6380/0", ":p%40ss@host:6379/2?health=1"):
        assert Settings(broker_url=f"redis://{rest}").broker == f"redis://{rest}"
