"""Every route by every identity: who may use it is one table, `tests/support/rights.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from rights import NEEDS, RIGHTS, Identity, Right, Who, may
from sqlalchemy import make_url, text, update
from stored import stored

from rgcontract.roles import Role
from rgservice.app import create_app
from rgservice.http.deps import AtLeast
from rgstore import people
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tables import TokenRow
from rgstore.token_text import digest_of, id_of
from rgstore.tokens import make_token, revoke

OWNER, FRIEND, OTHER = "mia", "ben", "zoe"


class House:
    """A lab with somebody of each kind, and things that are whose they need to be."""

    def __init__(self, database: Database, http: TestClient) -> None:
        self.database, self._http, self._numbers = database, http, count()
        with database.begin() as session:
            for name, role in (("root", Role.ADMIN), ("rita", Role.READER), ("dan", Role.MEMBER)):
                people.add_user(session, name, role)
            made = {
                identity: make_token(session, user)
                for identity, user in (
                    (Identity.EXPIRED, OWNER), (Identity.REVOKED, OWNER), (Identity.OWN, OWNER),
                    (Identity.CO_OWNED, FRIEND), (Identity.ANOTHERS, OTHER),
                    (Identity.DISABLED, "dan"), (Identity.READER, "rita"),
                    (Identity.ADMIN, "root"),
                )
            }  # fmt: skip
            made[Identity.READ_TOKEN] = make_token(session, OWNER, role=Role.READER)
            made[Identity.MALFORMED] = made[Identity.OWN][:-1]
            made[Identity.UNKNOWN] = "rgl_" + "x" * 43
            made[Identity.OLD] = "rgl_" + "o" * 43
            session.execute(
                text("INSERT INTO tokens (digest, owner) VALUES (:digest, :owner)"),
                {"digest": digest_of(made[Identity.OLD]), "owner": OWNER},
            )
            expired = TokenRow.id == id_of(made[Identity.EXPIRED])
            gone = TokenRow.created_at - timedelta(seconds=1)
            session.execute(update(TokenRow).where(expired).values(expires_at=gone))
            revoke(session, TokenRow.id == id_of(made[Identity.REVOKED]))
            people.change_user(session, "dan", disabled=True)
        self._tokens = made

    def ask(self, identity: Identity, method: str, path: str, **sent: Any) -> Any:
        """What is answered to somebody."""
        token = self._tokens.get(identity)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._http.request(method, path, headers=headers, **sent)

    def prepared(self, right: Right, identity: Identity) -> tuple[str, Any]:
        """What stands for `{name}` in the path, and the body."""
        number = next(self._numbers)
        fresh = {"chain": {"seed": number}, "seeds": 1}
        body = None if right.body is None else dict(right.body)
        name = ""
        match right.target:
            case "new chain":
                body = fresh
            case "new chains":
                body = {"experiments": [fresh]}
            case "new user":
                body = {"name": f"new{number}"}
            case "user":
                name = f"user{number}"
                with self.database.begin() as session:
                    people.add_user(session, name, Role.MEMBER)
            case "token":
                name = self._token_for(identity)
            case "asset":
                name = "swagger-ui.css"
            case target if target:
                name = self._thing(target, identity, fresh)
        return name, body

    def _token_for(self, identity: Identity) -> str:
        """A token of theirs, or of somebody else; all that its user may."""
        mine = {Identity.CO_OWNED: FRIEND, Identity.READER: "rita"}.get(identity, OWNER)
        with self.database.begin() as session:
            return id_of(make_token(session, mine))

    def _thing(self, target: str, identity: Identity, spec: Any) -> str:
        """An experiment or a study of the owner, and of their friend where it is to be shared."""
        state, _, kind = target.rpartition(" ")
        room = "studies" if kind == "study" else "experiments"
        owners = [Identity.OWN, *([Identity.CO_OWNED] if identity is Identity.CO_OWNED else [])]
        asked = [self.ask(one, "POST", f"/v1/{room}", json=spec) for one in owners]
        name = str(asked[0].json()["id"])
        for one in owners if state == "cancelled" else []:
            assert self.ask(one, "POST", f"/v1/{room}/{name}/cancel").is_success
        return name

    def stored(self) -> dict[str, str]:
        """A digest of all that people's requests write."""
        return {
            table: hashlib.sha256("\n".join(rows).encode()).hexdigest()
            for table, rows in stored(self.database).items()
        }


WITH_BODIES = [name for name in RIGHTS if name.partition(" ")[0] not in {"GET", "DELETE"}]


@pytest.fixture(scope="module")
def house(postgres: str, admin: Any, template: str) -> Iterator[House]:
    """One lab for all of them: each asks for things of its own."""
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE rights TEMPLATE {template}"))
    url = make_url(postgres).set(database="rights").render_as_string(hide_password=False)
    database = Database(url)
    settings = Settings(
        database_url=url, broker_url="redis://127.0.0.1:1", allowed_hosts="testserver"
    )
    with TestClient(create_app(settings, lambda _: None)) as http:
        yield House(database, http)
    database.dispose()
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE rights WITH (FORCE)"))


def _of(routes: Iterable[Any]) -> Iterator[Any]:
    """Routes, those of included routers in their place."""
    for one in routes:
        router = getattr(one, "original_router", None)
        if router is None:
            yield one
        else:
            yield from _of(router.routes)


@pytest.fixture(scope="module")
def served() -> list[Any]:
    """Whatever the application answers at."""
    settings = Settings(database_url="postgresql://none", broker_url="redis://127.0.0.1:1")
    return list(_of(create_app(settings, lambda _: None).routes))


@pytest.fixture(scope="module")
def routes(served: list[Any]) -> dict[str, APIRoute]:
    """The same by method and path."""
    return {f"{method} {one.path}": one for one in served for method in one.methods}


def test_nothing_is_served_but_by_routes_that_declare_what_they_need(served: list[Any]) -> None:
    """A mount or a bare route has no dependencies: nobody would be asked who they are."""
    assert {type(one) for one in served} == {APIRoute}


def test_every_route_has_a_row_and_every_row_a_route(routes: dict[str, APIRoute]) -> None:
    assert set(routes) == set(RIGHTS)


def _declared(dependant: Dependant) -> list[Role]:
    """Roles that a route's own dependencies name."""
    return [one.call.role for one in dependant.dependencies if isinstance(one.call, AtLeast)]


@pytest.mark.parametrize("name", RIGHTS)
def test_a_route_declares_once_who_may_use_it(routes: dict[str, APIRoute], name: Any) -> None:
    who = RIGHTS[name].who
    expected = [] if who is Who.ANYBODY else [NEEDS[who]]
    assert _declared(routes[name].dependant) == expected


def test_what_changes_something_takes_a_member_but_revoking_one_s_own_token() -> None:
    writing = {right.who for name, right in RIGHTS.items() if not name.startswith("GET ")}
    assert writing == {Who.MEMBERS, Who.OWNERS, Who.ADMINS, Who.HOLDERS}
    assert [name for name, right in RIGHTS.items() if right.who is Who.HOLDERS] == [
        "DELETE /v1/tokens/{name}"
    ]


@pytest.mark.parametrize("identity", Identity)
@pytest.mark.parametrize("name", RIGHTS)
def test_who_may_is_answered_and_who_may_not_is_told_who_may(
    house: House, name: Any, identity: Any
) -> None:
    right = RIGHTS[name]
    method, _, path = name.partition(" ")
    target, body = house.prepared(right, identity)
    before = house.stored() if method != "GET" else {}
    answer = house.ask(identity, method, path.format(name=target, chain_seed=0), json=body)
    refusal = may(right.who, identity)
    assert answer.status_code == (refusal or right.ok), answer.text
    if not refusal:
        return
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (problem["status"], "admin" in problem["detail"]) == (refusal, True)
    assert problem["code"] in CODES[refusal]
    assert ("WWW-Authenticate" in answer.headers) == (refusal == 401)
    assert method == "GET" or house.stored() == before


@pytest.mark.parametrize("identity", [Identity.NONE, Identity.READER])
@pytest.mark.parametrize("name", WITH_BODIES)
def test_who_may_not_is_refused_before_the_body_is_looked_at(
    house: House, name: Any, identity: Any
) -> None:
    method, _, path = name.partition(" ")
    answer = house.ask(identity, method, path.format(name="none", chain_seed=0), content=b"{")
    assert answer.status_code == may(RIGHTS[name].who, identity)


CODES = {401: {"not_authenticated", "invalid_token"}, 403: {"forbidden", "not_asked"}}


def test_a_refusal_names_the_owners(house: House) -> None:
    right = RIGHTS["POST /v1/experiments/{name}/cancel"]
    name, _ = house.prepared(right, Identity.CO_OWNED)
    answer = house.ask(Identity.ANOTHERS, "POST", f"/v1/experiments/{name}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_asked")
    assert f"{FRIEND}, {OWNER}" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (Identity.MALFORMED, "cut short or mistyped"),
        (Identity.UNKNOWN, "is unknown"),
        (Identity.EXPIRED, "expired on 20"),
        (Identity.REVOKED, "was revoked"),
        (Identity.DISABLED, "is of dan, who is disabled"),
    ],
)
def test_a_token_that_is_refused_is_told_why(house: House, identity: Any, why: str) -> None:
    answer = house.ask(identity, "GET", "/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert why in answer.json()["detail"]
