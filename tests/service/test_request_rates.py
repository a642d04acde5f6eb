"""How many requests somebody may send: refused before a database is asked, and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from people import SPEC, Lab
from sqlalchemy import event

from rgcontract.roles import Role
from rgservice.app import create_app
from rgservice.http.rates import MOST_KEPT, Buckets, Rates, TooFastError, network_of
from rgstore import people
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tables import TokenRow
from rgstore.token_text import id_of
from rgstore.tokens import make_token, revoke


class Time:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def http(settings: Settings, time: Time) -> Iterator[TestClient]:
    """An API that takes three requests at once of a person, and two bad ones of an address."""
    rates = {"quota_requests_per_second": 0.3, "quota_failures_per_second": 0.2}
    app = create_app(settings.model_copy(update=rates), lambda _: None)
    app.state.parts = replace(app.state.parts, rates=Rates(time))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def tokens(database: Database) -> list[str]:
    """Two of ann, one of bob."""
    with database.begin() as session:
        return [make_token(session, name) for name in ("ann", "ann", "bob")]


def _get(http: TestClient, token: str | None, path: str = "/v1/experiments") -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return http.get(path, headers=headers)


def test_a_person_has_one_rate_with_whatever_token_and_others_have_their_own(
    http: TestClient, tokens: list[str], time: Time
) -> None:
    first, second, bobs = tokens
    assert [_get(http, token).status_code for token in (first, second, first)] == [200] * 3
    for token in (first, second):
        refused = _get(http, token)
        assert (refused.status_code, refused.json()["code"]) == (429, "request_rate")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "4"  # 1 / 0.3 seconds, rounded up
    assert refused.headers["RateLimit-Policy"] == '"requests_per_second";q=3;w=10'
    assert refused.headers["RateLimit"] == '"requests_per_second";r=0;t=4'
    assert refused.json()["quotas"][0]["left"] == 0
    assert _get(http, bobs).status_code == 200
    time.seconds += 1 / 0.3
    assert [_get(http, first).status_code for _ in range(2)] == [200, 429]
    time.seconds += 1000
    assert [_get(http, first).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_what_is_left_is_told(http: TestClient, tokens: list[str], time: Time) -> None:
    _get(http, tokens[0])
    (told,) = [
        one
        for one in _get(http, tokens[0], "/v1/me").json()["quotas"]
        if one["quota"] == "requests_per_second"
    ]
    assert (told["limit"], told["used"]) == (0.3, pytest.approx(0.2))
    assert told["left"] == pytest.approx(0.1)


def test_probes_and_pages_for_anybody_are_never_limited(http: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/openapi.json", "/docs", "/"):
        assert {_get(http, None, path).status_code for _ in range(5)} == {200}
    assert _get(http, None).status_code == 401


def test_a_flood_costs_the_database_nothing(http: TestClient, tokens: list[str]) -> None:
    good, bad = tokens[0], "rgl_" + "x" * 43
    for _ in range(3):
        _get(http, good)
        _get(http, bad)
    asked: list[str] = []
    engine = http.app.state.parts.database.engine  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", lambda *of: asked.append(of[2]))
    assert [_get(http, token).status_code for token in (good, bad, None)] == [429] * 3
    assert asked == []


def test_bad_requests_of_an_address_are_refused_and_good_ones_are_not(
    http: TestClient, tokens: list[str], database: Database, time: Time
) -> None:
    good, other, new = tokens
    assert _get(http, good).status_code == 200
    assert [_get(http, None).status_code for _ in range(3)] == [401, 401, 429]
    assert _get(http, "rgl_" + "x" * 43).json()["code"] == "request_rate"
    assert _get(http, good).status_code == 200
    assert _get(http, new).status_code == 429  # nobody knows yet that it is good
    time.seconds += 5
    assert _get(http, new).status_code == 200
    assert _get(http, other).status_code == 200
    time.seconds += 1000
    with database.begin() as session:
        revoke(session, TokenRow.id == id_of(good))
    assert [_get(http, good).status_code for _ in range(4)] == [401, 401, 429, 429]
    assert _get(http, other).status_code == 200  # what was revoked is not counted for ann


def test_a_rate_of_one_s_own_holds_from_the_next_request_on(
    http: TestClient, tokens: list[str], database: Database
) -> None:
    assert _get(http, tokens[0]).status_code == 200
    with database.begin() as session:
        people.change_user(session, "ann", quotas={"requests_per_second": 2.0})
    assert _get(http, tokens[0]).status_code == 200
    codes = {_get(http, tokens[0]).status_code for _ in range(5)}
    assert codes == {200, 429}  # what was left is left; it fills up faster
    limits = [one["limit"] for one in _get(http, tokens[2], "/v1/me").json()["quotas"]]
    assert limits == [None, None, None, 0.3]


def test_the_client_waits_until_it_may(http: TestClient, database: Database, time: Time) -> None:
    class Patient(Lab):
        def _sleep(self, seconds: float) -> None:
            super()._sleep(seconds)
            time.seconds += seconds

    ann = Patient(http, database).person("ann", Role.MEMBER)
    handles = [ann.submit(**SPEC, seeds=[seed]) for seed in range(6)]
    assert len({handle.id for handle in handles}) == 1
    assert time.seconds > 6


def test_a_bucket_is_what_it_says(time: Time) -> None:
    buckets = Buckets(time)
    for _ in range(20):
        buckets.take("a", 2.0)
    with pytest.raises(TooFastError) as caught:
        buckets.take("a", 2.0)
    assert caught.value.wait == pytest.approx(0.5)
    time.seconds += 0.25
    with pytest.raises(TooFastError) as caught:
        buckets.take("a", 2.0)
    assert caught.value.wait == pytest.approx(0.25)
    for number in range(MOST_KEPT):
        buckets.take(str(number), 2.0)
    assert buckets.left("a", 2.0) == 20  # it was forgotten: memory has an end
    assert buckets.left(str(MOST_KEPT - 1), 2.0) == 19


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_who_has_many_addresses_is_one(address: str, network: str) -> None:
    assert network_of(address) == network
