"""Quotas: what is counted for a person, and what is refused on every way into the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from blocked import until_blocked
from fastapi.testclient import TestClient
from measured_study import GRID, measure
from set_clock import SetClock
from sqlalchemy import func, select

from rgcontract import ExperimentSpec, Submission
from rgcontract.quotas import QUOTAS, Quota, QuotaUpdate
from rgcontract.roles import Role
from rgcore.architecture import Architecture
from rgcore.cost import run_cost
from rgservice.app import create_app
from rgstore import people, quotas
from rgstore.asked import Asked
from rgstore.database import Database
from rgstore.quotas import COUNTED
from rgstore.settings import Settings
from rgstore.submissions import submit_all
from rgstore.tables import ExperimentRow, RunRow
from rgstore.tokens import make_token
from rgworker.findings import refresh_findings

RUNS, FLOPS, BYTES = Quota.QUEUED_RUNS, Quota.FLOPS_PER_DAY, Quota.STORED_BYTES
SPEC: dict[str, Any] = {"chain": {"family": "potts", "n_states": 2}, "model": {"depth": 2}}
WAYS: dict[str, Any] = {
    "/v1/experiments": SPEC | {"seeds": 3},
    "/v1/experiments/bulk": {"experiments": [SPEC | {"seeds": 2}, SPEC | {"seeds": 3}]},
    "/v1/studies": SPEC | {"model": {"depth": [2, 3]}, "seeds": 2},
}
"""Every route that puts runs in line, and what is asked of it."""
EXPERIMENTS = {"/v1/experiments": 1, "/v1/experiments/bulk": 1, "/v1/studies": 2}
"""How many there are in that."""
_SPEC = ExperimentSpec.model_validate(SPEC)
CHAIN_BYTES = run_cost(Architecture(**_SPEC.architecture), **_SPEC.budget).chain_bytes


class Person:
    """Somebody with a token, and limits that an admin gave them."""

    def __init__(self, http: TestClient, database: Database, name: str, role: Role) -> None:
        self.name, self._http, self._database = name, http, database
        with database.begin() as session:
            people.add_user(session, name, role)
            self._token = make_token(session, name)

    def may(self, **limits: float | None) -> None:
        with self._database.begin() as session:
            people.change_user(session, self.name, quotas=limits)

    def ask(self, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self._token}", **headers}
        return self._http.request("POST" if body else "GET", path, json=body, headers=sent)

    def act(self, path: str) -> Any:
        return self._http.post(path, headers={"Authorization": f"Bearer {self._token}"})

    def forecast(self, path: str, body: Any) -> dict[Quota, float]:
        told = self.ask(f"{path}?dry_run=true", body).json()
        chains = EXPERIMENTS[path] * CHAIN_BYTES  # which everybody shares
        stored = told["stored_bytes"] - chains
        return {RUNS: told["missing_runs"], FLOPS: told["flops"], BYTES: stored}

    def used(self) -> dict[Quota, float]:
        told = self.ask("/v1/me").json()["quotas"]
        return {Quota(one["quota"]): one["used"] for one in told if one["quota"] in COUNTED}


@pytest.fixture
def person(anonymous: TestClient, database: Database) -> Callable[..., Person]:
    def made(name: str, role: Role = Role.MEMBER) -> Person:
        return Person(anonymous, database, name, role)

    return made


@pytest.fixture
def ann(person: Callable[..., Person]) -> Person:
    return person("ann")


@pytest.fixture
def clock(database: Database, anonymous: TestClient) -> Iterator[SetClock]:
    """It stands still for the API, too."""
    found = SetClock(database, anonymous.app.state.parts.database)  # type: ignore[attr-defined]
    found.at()
    yield found
    found.release()


def _refused(answer: Any, quota: Quota) -> dict[str, Any]:
    assert answer.status_code == 429, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == quota.row.code
    assert f'"{quota}";r=' in answer.headers["RateLimit"]
    assert f'"{quota}";q=' in answer.headers["RateLimit-Policy"]
    found: dict[str, Any] = problem["quotas"][0]
    assert found["quota"] == quota
    assert found["left"] == max(0, found["limit"] - found["used"])
    return found


def _stored(database: Database) -> int:
    with database.begin() as session:
        return session.scalars(select(func.count()).select_from(RunRow)).one()


def test_a_quota_is_a_row_a_setting_a_field_and_a_way_of_counting() -> None:
    assert [*Quota] == [*QUOTAS] == [*QuotaUpdate.model_fields]
    assert {*Quota} - {Quota.REQUESTS_PER_SECOND} == {*COUNTED}
    assert len({row.code for row in QUOTAS.values()}) == len(QUOTAS)
    lab = quotas.of_lab(Settings(quota_queued_runs=3, quota_flops_per_day=1e15))
    assert lab == {RUNS: 3, FLOPS: 1e15, Quota.REQUESTS_PER_SECOND: 200}


@pytest.mark.parametrize("path", WAYS)
def test_what_is_more_than_one_may_use_is_refused_and_a_dry_run_alike(
    ann: Person, database: Database, path: str
) -> None:
    body = WAYS[path]
    costs = ann.forecast(path, body)
    for quota, cost in costs.items():
        ann.may(**{quota: cost - 1})
        for asked in (path, f"{path}?dry_run=true"):
            told = _refused(ann.ask(asked, body), quota)
            assert (told["asked"], told["used"], told["limit"]) == (cost, 0, cost - 1)
        ann.may(**{quota: cost})
    assert _stored(database) == 0
    assert ann.ask(path, body).status_code == 201
    assert ann.used() == costs


@pytest.mark.parametrize("room", ["experiments", "studies"])
def test_so_are_more_seeds_and_a_retry(ann: Person, room: str) -> None:
    path = f"/v1/{room}"
    name = ann.ask(path, SPEC | {"seeds": 2}).json()["id"]
    ann.may(queued_runs=2)
    assert _refused(ann.ask(path, SPEC | {"seeds": 3}), RUNS)["asked"] == 1
    ann.act(f"{path}/{name}/cancel")
    day = ann.used()[FLOPS]
    for quota, limit in ((RUNS, 1), (FLOPS, 2 * day - 1), (BYTES, 1)):
        ann.may(**{quota: limit})
        _refused(ann.act(f"{path}/{name}/retry"), quota)
        ann.may(**{quota: None})
    assert ann.act(f"{path}/{name}/retry").status_code == 200
    assert ann.used()[FLOPS] == 2 * day


def test_what_adds_nothing_is_never_refused(ann: Person, person: Callable[..., Person]) -> None:
    body = SPEC | {"seeds": 2}
    person("bob").ask("/v1/experiments", body)
    assert ann.ask("/v1/experiments", body).status_code == 200  # bob's runs, which she waits for
    assert ann.used() == {RUNS: 2, FLOPS: 0, BYTES: 0}
    ann.may(queued_runs=0, flops_per_day=0, stored_bytes=0)
    assert ann.ask("/v1/experiments", body).status_code == 200
    _refused(ann.ask("/v1/experiments", SPEC | {"seeds": 3}), RUNS)


def test_what_another_has_in_line_counts_for_who_waits_for_it(
    ann: Person, person: Callable[..., Person]
) -> None:
    person("bob").ask("/v1/experiments", SPEC | {"seeds": 2})
    ann.may(queued_runs=1)
    assert _refused(ann.ask("/v1/experiments", SPEC | {"seeds": 2}), RUNS)["asked"] == 2
    assert ann.ask("/v1/experiments", SPEC | {"seeds": 1}).status_code == 200


def test_an_answer_that_is_given_again_is_not_refused(ann: Person) -> None:
    body, key = SPEC | {"seeds": 2}, {"Idempotency-Key": "k"}
    first = ann.ask("/v1/experiments", body, **key).json()
    ann.act(f"/v1/experiments/{first['id']}/cancel")
    ann.may(queued_runs=0)
    assert ann.ask("/v1/experiments", body, **key).json()["created"] is True
    _refused(ann.ask("/v1/experiments", body), RUNS)


def test_two_at_once_do_not_both_pass(ann: Person, database: Database) -> None:
    """The second waits until the first is stored, and counts it."""
    ann.may(queued_runs=1)
    submission = Submission.model_validate(SPEC | {"seeds": 1})
    with ThreadPoolExecutor() as pool:
        with database.begin() as session:
            quotas.hold(session, ["ann"], {})
            asked = [Asked.of(submission, flops_per_run=1.0)]
            submit_all(session, asked, owner="ann", attempt_limit=3)
            second = pool.submit(ann.ask, "/v1/experiments", SPEC | {"seeds": [7]})
            until_blocked(database)
        _refused(second.result(), RUNS)
    assert _stored(database) == 1


def test_who_has_no_limit_waits_for_nobody(ann: Person, database: Database) -> None:
    with database.begin() as session:
        held = quotas.hold(session, ["ann"], {RUNS: 9})
        assert held == {"ann": {RUNS: 9}}
        assert ann.ask("/v1/experiments", SPEC).status_code == 201


def test_cancelling_frees_the_line_and_the_disk_and_not_the_day(ann: Person) -> None:
    costs = ann.forecast("/v1/experiments", SPEC)
    name = ann.ask("/v1/experiments", SPEC).json()["id"]
    ann.act(f"/v1/experiments/{name}/cancel")
    assert ann.used() == {RUNS: 0, FLOPS: costs[FLOPS], BYTES: 0}


def test_what_is_measured_leaves_the_line_and_stays_on_the_disk(
    ann: Person, database: Database
) -> None:
    ann.ask("/v1/studies", GRID)
    before = ann.used()
    measure(database, most=2)
    assert ann.used() == before | {RUNS: before[RUNS] - 2}


def test_a_day_is_over_after_24_hours(ann: Person, clock: SetClock) -> None:
    cost = ann.forecast("/v1/experiments", SPEC | {"seeds": 1})[FLOPS]
    ann.may(flops_per_day=2.5 * cost)
    for seed in (0, 1):
        assert ann.ask("/v1/experiments", SPEC | {"seeds": [seed]}).is_success
        clock.forward(hours=1)
    body = SPEC | {"seeds": [2]}
    answer = ann.ask("/v1/experiments", body)
    assert _refused(answer, FLOPS)["left"] == pytest.approx(0.5 * cost)
    assert answer.headers["Retry-After"] == str(22 * 3600)
    assert answer.headers["RateLimit-Policy"] == (
        f'"flops_per_day";q={2.5 * cost // 1e9:.0f};qu="1e9 operations";w=86400'
    )
    assert answer.headers["RateLimit"] == (
        f'"flops_per_day";r={0.5 * cost // 1e9:.0f};t={22 * 3600}'
    )
    clock.forward(hours=21, minutes=59)
    assert ann.ask("/v1/experiments", body).status_code == 429
    clock.forward(minutes=2)
    assert ann.ask("/v1/experiments", body).status_code == 200


def test_when_to_ask_again_is_said_where_time_helps(ann: Person) -> None:
    ann.ask("/v1/experiments", SPEC | {"seeds": 1})
    ann.may(queued_runs=2)
    soon = ann.ask("/v1/experiments", SPEC | {"seeds": 3})
    assert soon.headers["Retry-After"] == "60"
    never = ann.ask("/v1/experiments", SPEC | {"seeds": 4})
    assert "Retry-After" not in never.headers
    ann.may(stored_bytes=1)  # two quotas: no time helps with one of them
    both = ann.ask("/v1/experiments", SPEC | {"seeds": 3})
    assert [one["quota"] for one in both.json()["quotas"]] == [RUNS, BYTES]
    assert "Retry-After" not in both.headers


def test_seeds_that_a_target_adds_count_and_wait_for_room(ann: Person, database: Database) -> None:
    body = GRID | {"target_error": 1e-4, "max_seeds": 4}
    name = ann.ask("/v1/studies", body).json()["id"]
    measure(database)
    ann.may(queued_runs=0)
    assert refresh_findings(database, attempt_limit=3) == []
    ann.may(queued_runs=None)
    assert ann.ask("/v1/studies", body).status_code == 200  # adds nothing itself, and tries again
    assert refresh_findings(database, attempt_limit=3, lab={RUNS: 0}) == []
    ann.ask("/v1/studies", body)
    day = ann.used()[FLOPS]
    assert len(refresh_findings(database, attempt_limit=3, lab={RUNS: 1})) == 1
    assert ann.used()[RUNS] == 1
    assert ann.used()[FLOPS] == pytest.approx(day * 7 / 6)
    assert ann.ask(f"/v1/studies/{name}").json()["state"] == "queued"


def test_an_admin_is_counted_like_all_and_may_lift_their_own(
    person: Callable[..., Person],
) -> None:
    root = person("root", Role.ADMIN)
    root.may(queued_runs=0)
    _refused(root.ask("/v1/experiments", SPEC), RUNS)
    root.may(queued_runs=5)
    assert root.ask("/v1/experiments", SPEC).status_code == 201


def test_a_reader_has_no_line(person: Callable[..., Person]) -> None:
    rita = person("rita", Role.READER)
    rita.may(queued_runs=0)
    assert rita.ask("/v1/experiments", SPEC).json()["code"] == "forbidden"
    assert rita.used() == dict.fromkeys(COUNTED, 0)


def test_the_lab_s_limit_holds_for_whom_there_is_no_other(
    settings: Settings, database: Database
) -> None:

    strict = settings.model_copy(update={"quota_queued_runs": 1})
    with TestClient(create_app(strict, lambda _: None)) as http:
        ann, bob = (Person(http, database, name, Role.MEMBER) for name in ("ann", "bob"))
        bob.may(queued_runs=9)
        _refused(ann.ask("/v1/experiments", SPEC | {"seeds": 2}), RUNS)
        assert bob.ask("/v1/experiments", SPEC | {"seeds": 2}).status_code == 201
        told = {one["quota"]: one for one in ann.ask("/v1/me").json()["quotas"]}
        assert told[RUNS] == {
            "quota": RUNS, "unit": "runs", "limit": 1, "used": 0, "left": 1
        }  # fmt: skip


def test_what_a_release_before_stored_counts_for_no_disk(ann: Person, database: Database) -> None:
    ann.ask("/v1/experiments", SPEC)
    with database.begin() as session:
        session.query(ExperimentRow).update({"stored_bytes_per_run": None})
    assert ann.used()[BYTES] == 0
    ann.may(stored_bytes=0)
    name = ann.ask("/v1/experiments", SPEC).json()["id"]
    ann.act(f"/v1/experiments/{name}/cancel")
    assert ann.act(f"/v1/experiments/{name}/retry").status_code == 200
