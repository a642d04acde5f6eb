"""Users and tokens over REST, and what of a request counts while people change."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from claims import claim_one
from fastapi.testclient import TestClient

from rgcontract import Outcome
from rgcontract.people import MadeToken
from rgcontract.quotas import Quota
from rgcontract.roles import Role
from rgservice.app import create_app
from rgstore import endings, heartbeats, people, tokens
from rgstore.claiming import Holder
from rgstore.database import Database
from rgstore.heartbeats import TrainingProgress
from rgstore.settings import Settings
from rgstore.tables import RunRow, TokenRow
from rgstore.token_text import PATTERN, id_of
from rgstore.tokens import make_token

DAY = timedelta(days=1)


@pytest.fixture
def root(database: Database, anonymous: TestClient) -> Iterator[TestClient]:
    """A client of an admin's."""
    with database.begin() as session:
        people.add_user(session, "root", Role.ADMIN)
        token = make_token(session, "root")
    with TestClient(anonymous.app, headers=_bearer(token)) as client:
        yield client


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _me(http: TestClient, token: str) -> Any:
    return http.get("/v1/me", headers=_bearer(token))


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_who_asks_is_told_who_they_are(api: TestClient, token: str) -> None:
    told = api.get("/v1/me").json()
    assert [one["quota"] for one in told.pop("quotas")] == [*Quota]
    assert told == {
        "user": "alice", "role": "member", "token": id_of(token), "expires_at": None,
    }  # fmt: skip


def test_a_user_is_added_changed_and_listed(root: TestClient) -> None:
    made = root.post("/v1/users", json={"name": "bob.o-1@lab", "role": "reader"})
    assert (made.status_code, made.json()["role"]) == (201, "reader")
    assert _code(root.post("/v1/users", json={"name": "bob.o-1@lab"})) == (409, "user_exists")
    path = "/v1/users/bob.o-1@lab"
    assert root.patch(path, json={"role": "member"}).json()["role"] == "member"
    assert root.patch(path, json={"disabled": True}).json()["disabled_at"] is not None
    assert root.patch(path, json={"disabled": False}).json()["disabled_at"] is None
    listed = {one["name"]: one["role"] for one in root.get("/v1/users").json()["items"]}
    assert listed == {"root": "admin", "bob.o-1@lab": "member"}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": "a b"}, {"name": "ü"}, {"name": "a/b"}, {"name": "-a"},
        {"name": "a\n"}, {"name": "x" * 65}, {"name": "a", "role": "boss"},
        {"name": "a", "admin": True}, {"name": 7},
    ],
)  # fmt: skip
def test_a_user_that_cannot_be_is_refused(root: TestClient, body: Any) -> None:
    assert _code(root.post("/v1/users", json=body)) == (422, "invalid_spec")


def test_who_is_not_there_is_not_found(root: TestClient) -> None:
    for answer in (
        root.patch("/v1/users/nobody", json={"role": "admin"}),
        root.patch("/v1/users/a%00b", json={"role": "admin"}),
        root.delete("/v1/tokens/t-0"),
        root.delete("/v1/tokens/t%00"),
        root.get("/v1/tokens?user=nobody"),
        root.post("/v1/tokens", json={"name": "x", "user": "nobody"}),
    ):
        assert _code(answer) == (404, "not_found")


@pytest.mark.parametrize("change", [{"role": "member"}, {"role": "reader"}, {"disabled": True}])
def test_the_last_admin_is_told_why_they_stay_one(root: TestClient, change: Any) -> None:
    answer = root.patch("/v1/users/root", json=change)
    assert _code(answer) == (409, "last_admin")
    assert "make another user one first" in answer.json()["detail"]
    assert root.get("/v1/me").json()["role"] == "admin"


def test_a_token_is_shown_once_and_kept_by_nobody_on_the_way(api: TestClient) -> None:
    made = api.post("/v1/tokens", json={"name": "laptop"})
    secret = made.json()["token"]
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert re.fullmatch(PATTERN, secret)
    assert _me(api, secret).json()["token"] == made.json()["id"] == id_of(secret)
    listed = api.get("/v1/tokens")
    assert secret not in listed.text
    assert [one["name"] for one in listed.json()["items"]] == ["unnamed", "laptop"]
    assert secret not in repr(MadeToken.model_validate_json(made.text))
    assert secret not in str(MadeToken.model_validate_json(made.text))


def test_a_token_is_revoked_by_itself_on_every_server(
    api: TestClient, settings: Settings, announcer: Any
) -> None:
    made = api.post("/v1/tokens", json={"name": "lost"}).json()
    with TestClient(create_app(settings, announcer)) as elsewhere:
        assert _me(elsewhere, made["token"]).status_code == 200
        gone = api.delete(f"/v1/tokens/{made['id']}")
        assert (gone.status_code, gone.json()["revoked_at"] is None) == (200, False)
        assert _code(_me(elsewhere, made["token"])) == (401, "invalid_token")
    assert _code(_me(api, made["token"])) == (401, "invalid_token")
    assert api.get("/v1/me").status_code == 200
    again = api.delete(f"/v1/tokens/{made['id']}")
    assert again.json() == gone.json()


def test_a_token_that_only_reads_revokes_those_that_only_read(
    api: TestClient, database: Database
) -> None:
    """A reader's are all of that kind; of a member's, one on a dashboard shuts nobody out."""
    with database.begin() as session:
        people.add_user(session, "rita", Role.READER)
        ritas = [make_token(session, "rita") for _ in range(2)]
        shown, other = (make_token(session, "alice", role=Role.READER) for _ in range(2))
        full = make_token(session, "alice")
    for by, revoked in ((ritas[0], ritas[1]), (ritas[0], ritas[0]), (shown, other)):
        gone = api.delete(f"/v1/tokens/{id_of(revoked)}", headers=_bearer(by))
        assert (gone.status_code, gone.json()["revoked_at"] is None) == (200, False)
        assert _me(api, revoked).status_code == 401
    for kept in (full, ritas[0]):  # hers may more; rita's is another's
        answer = api.delete(f"/v1/tokens/{id_of(kept)}", headers=_bearer(shown))
        assert _code(answer) == (403, "forbidden")
    assert _me(api, full).status_code == 200
    assert api.delete(f"/v1/tokens/{id_of(shown)}", headers=_bearer(shown)).status_code == 200
    assert _code(_me(api, shown)) == (401, "invalid_token")


def test_quotas_of_a_person_are_set_told_taken_back_and_written_down(root: TestClient) -> None:
    root.post("/v1/users", json={"name": "bob"})

    def change(**limits: Any) -> Any:
        return root.patch("/v1/users/bob", json={"quotas": limits})

    assert change(queued_runs=500, flops_per_day=1e15).json()["quotas"] == {
        "queued_runs": 500, "flops_per_day": 1e15
    }  # fmt: skip
    assert change(queued_runs=None, requests_per_second=5).json()["quotas"] == {
        "flops_per_day": 1e15, "requests_per_second": 5
    }  # fmt: skip
    change()
    root.patch("/v1/users/bob", json={"role": "reader"})
    listed = {one["name"]: one["quotas"] for one in root.get("/v1/users").json()["items"]}
    assert listed == {"root": {}, "bob": {"flops_per_day": 1e15, "requests_per_second": 5}}
    told = root.get("/v1/audit?target=bob&action=user.update").json()["items"]
    assert [(one["who"], one["before"], one["after"]) for one in told] == [
        ("root", {"role": "member"}, {"role": "reader"}),
        (
            "root",
            {"quotas": {"queued_runs": 500, "flops_per_day": 1e15}},
            {"quotas": {"flops_per_day": 1e15, "requests_per_second": 5.0}},
        ),
        ("root", {"quotas": {}}, {"quotas": {"queued_runs": 500, "flops_per_day": 1e15}}),
    ]


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"queued_runs": -1}, "quotas.queued_runs"),
        ({"queued_runs": 1.5}, "quotas.queued_runs"),
        ({"queued_runs": True}, "quotas.queued_runs"),
        ({"stored_bytes": 10**15}, "quotas.stored_bytes"),
        ({"flops_per_day": "much"}, "quotas.flops_per_day"),
        ({"flops_per_day": 1e300}, "quotas.flops_per_day"),
        ({"requests_per_second": 0}, "quotas.requests_per_second"),
        ({"runs": 3}, "quotas.runs"),
        (3, "quotas"),
    ],
)
def test_a_quota_that_cannot_be_is_refused(root: TestClient, limits: Any, field: str) -> None:
    answer = root.patch("/v1/users/root", json={"quotas": limits})
    assert _code(answer) == (422, "invalid_spec")
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_token_makes_none_that_may_more_than_itself(root: TestClient, database: Database) -> None:
    with database.begin() as session:
        low = make_token(session, "root", role=Role.MEMBER)
    made = root.post("/v1/tokens", json={"name": "x"}, headers=_bearer(low))
    assert made.json()["role"] == "member"
    asked = {"name": "x", "role": "admin"}
    assert _code(root.post("/v1/tokens", json=asked, headers=_bearer(low))) == (403, "forbidden")
    assert root.post("/v1/tokens", json=asked).json()["role"] == "admin"


def test_a_token_makes_none_that_outlives_it(root: TestClient, database: Database) -> None:
    until = datetime.now(UTC) + DAY
    with database.begin() as session:
        short = make_token(session, "root", expires_at=until)
        people.add_user(session, "bob")
    made = root.post("/v1/tokens", json={"name": "x"}, headers=_bearer(short)).json()
    assert datetime.fromisoformat(made["expires_at"]) == until
    for later, status in ((timedelta(hours=-1), 201), (timedelta(hours=1), 403)):
        body = {"name": "x", "expires_at": (until + later).isoformat()}
        assert root.post("/v1/tokens", json=body, headers=_bearer(short)).status_code == status
    for_bob = {"name": "x", "user": "bob"}  # what an admin makes for others is bound by those
    made = root.post("/v1/tokens", json=for_bob, headers=_bearer(short)).json()
    assert (made["expires_at"], made["role"]) == (None, "member")


def test_a_token_for_another_may_no_more_than_they(root: TestClient, database: Database) -> None:
    with database.begin() as session:
        people.add_user(session, "bob", Role.READER)
    body = {"name": "x", "user": "bob", "role": "member"}
    assert _code(root.post("/v1/tokens", json=body)) == (403, "forbidden")
    root.patch("/v1/users/bob", json={"disabled": True})
    body = {"name": "x", "user": "bob"}
    assert _code(root.post("/v1/tokens", json=body)) == (409, "user_disabled")
    assert root.get("/v1/tokens?user=bob").json() == {"items": []}


def test_the_tokens_of_others_are_an_admins_to_see_and_revoke(
    api: TestClient, root: TestClient, token: str, database: Database
) -> None:
    with database.begin() as session:
        other = make_token(session, "bob")
    for answer in (
        api.get("/v1/tokens?user=bob"),
        api.post("/v1/tokens", json={"name": "x", "user": "bob"}),
        api.delete(f"/v1/tokens/{id_of(other)}"),
    ):
        assert _code(answer) == (403, "forbidden")
    (listed,) = root.get("/v1/tokens?user=alice").json()["items"]
    assert listed["id"] == id_of(token)
    assert root.delete(f"/v1/tokens/{id_of(other)}").status_code == 200
    assert _me(api, other).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": "a\nb"}, {"name": "x" * 101}, {"name": "a", "role": "boss"},
        {"name": "a", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "a", "expires_at": "2099-01-01T00:00:00"},
        {"name": "a", "expires_at": 4e9}, {"name": "a", "expires_at": "soon"},
    ],
)  # fmt: skip
def test_a_token_that_cannot_be_is_refused(api: TestClient, body: Any) -> None:
    assert _code(api.post("/v1/tokens", json=body)) == (422, "invalid_spec")


def test_a_user_has_no_more_tokens_than_there_may_be(api: TestClient, database: Database) -> None:
    with database.begin() as session:
        for _ in range(tokens.MOST_TOKENS - 1):
            make_token(session, "alice")
    assert _code(api.post("/v1/tokens", json={"name": "x"})) == (409, "too_many_tokens")


def _revoked(session: Any, token: str) -> None:
    tokens.revoke(session, TokenRow.id == id_of(token))


def _disabled(session: Any, _: str) -> None:
    people.change_user(session, "alice", disabled=True)


def _lowered(session: Any, _: str) -> None:
    people.change_user(session, "alice", role=Role.READER)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (_revoked, (401, "invalid_token")),
        (_disabled, (401, "invalid_token")),
        (_lowered, (403, "forbidden")),
    ],
)
@pytest.mark.parametrize("path", ["/v1/experiments", "/v1/experiments/bulk", "/v1/studies"])
def test_what_changes_while_a_body_arrives_counts_for_all_of_it(
    api: TestClient,
    database: Database,
    token: str,
    path: str,
    change: Callable[[Any, str], None],
    refusal: Any,
) -> None:
    """The token was good when the request began. All of a bulk is stored, or nothing."""
    body = b'{"experiments": [{}, {"seeds": 2}]}' if path.endswith("bulk") else b"{}"
    begun = []

    def arriving() -> Iterator[bytes]:
        begun.append(True)
        with database.begin() as session:
            change(session, token)
        yield body

    headers = {"Content-Type": "application/json"}
    assert _code(api.post(path, content=arriving(), headers=headers)) == refusal
    assert begun
    with database.begin() as session:
        assert session.query(RunRow).count() == 0


def test_what_a_disabled_user_asked_for_goes_on(api: TestClient, database: Database) -> None:
    """Only who asked withdraws, or an admin: others may be waiting for it, too."""
    name = api.post("/v1/experiments", json={"seeds": 2}).json()["id"]
    holder = Holder("w/1", "w", "host", "cpu", {}, {})
    with database.begin() as session:
        at_work = claim_one(session, holder, lease_seconds=60)
        people.change_user(session, "alice", disabled=True)
    assert api.get(f"/v1/experiments/{name}").status_code == 401
    assert at_work is not None
    with database.begin() as session:
        progress = TrainingProgress("training", 0.5, 10, 1.25)
        heard = heartbeats.heartbeat(session, [(at_work, progress)], lease_seconds=60)
        assert heard == heartbeats.Heard(frozenset(), frozenset())
        endings.fail(session, at_work, outcome=Outcome.FAILED, error="x")
    with database.begin() as session:
        queued = claim_one(session, holder, lease_seconds=60)
        assert queued is not None
        assert queued.seed != at_work.seed


def test_no_token_is_in_any_log(
    api: TestClient, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    secret = api.post("/v1/tokens", json={"name": "x"}).json()["token"]
    api.get("/v1/experiments", headers=_bearer(secret))
    api.get("/v1/experiments", headers=_bearer(secret + "0"))
    api.post("/v1/experiments", json={"label": 7}, headers=_bearer(secret))
    logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)
    assert "INSERT INTO tokens" in caplog.text
    assert secret not in caplog.text
    assert token not in caplog.text
