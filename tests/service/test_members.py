"""People who share an experiment and never meet: what each asks for is their own."""

from __future__ import annotations

import itertools
import random
from contextlib import suppress
from typing import Any

import pytest
from fastapi.testclient import TestClient
from people import SPEC, Lab
from sqlalchemy import select

from rgclient import Conflict, Forbidden, InvalidSpec, UnknownField
from rgcontract.roles import Role
from rgcontract.updates import MOST_TAGS
from rgstore.database import Database
from rgstore.tables import RunRow
from rgstore.tokens import make_token

PEOPLE = ("ada", "bob", "eve")


@pytest.fixture
def root(lab: Lab) -> Any:
    return lab.person("root", Role.ADMIN)


@pytest.fixture
def http(anonymous: TestClient, database: Database) -> TestClient:
    """With ada's token."""
    with database.begin() as session:
        anonymous.headers["Authorization"] = f"Bearer {make_token(session, 'ada')}"
    return anonymous


def _runs(database: Any) -> dict[int, RunRow]:
    with database.begin() as session:
        return {run.seed: run for run in session.scalars(select(RunRow))}


class Model:
    """What the lab ought to do, in a few lines: nobody's steps change what another has."""

    def __init__(self) -> None:
        self.wants: dict[str, set[int]] = {name: set() for name in PEOPLE}
        self.words: dict[str, tuple[str, int]] = {}
        self.state: dict[int, str] = {}

    def ask(self, who: str, seed: int) -> None:
        """Only what was cancelled, or was not there, is queued."""
        self.words.setdefault(who, (who, 0))
        self.wants[who].add(seed)
        if self.state.get(seed) in (None, "cancelled"):
            self.state[seed] = "queued"

    def cancel(self, who: str) -> None:
        """What nobody else wants is stopped."""
        left, self.wants[who] = self.wants[who], set()
        wanted = set().union(*self.wants.values())
        for seed in left - wanted:
            if self.state[seed] == "queued":
                self.state[seed] = "cancelled"

    def work(self, failing: int) -> None:
        """All that waits is measured, but for a seed that diverges."""
        for seed, state in self.state.items():
            if state == "queued":
                self.state[seed] = "failed" if seed == failing else "done"


STEPS = ("add", "cancel", "relabel", "hurry", "work")


@pytest.mark.parametrize("seed", range(8))
def test_in_whatever_order_three_people_act_each_has_what_they_asked_for(
    lab: Lab, database: Database, seed: int
) -> None:
    """Adding seeds, cancelling, relabelling, hurrying, failing: against a model of a few lines."""
    rng, model = random.Random(seed), Model()
    clients = {name: lab.person(name) for name in PEOPLE}
    handles: dict[str, Any] = {}
    for _ in range(20):
        who, step = rng.choice(PEOPLE), rng.choice(STEPS)
        if who not in handles or step == "add":
            asked = rng.randrange(5)
            handles[who] = clients[who].submit(**SPEC, seeds=[asked], label=who, tags=[who])
            model.ask(who, asked)
        elif step == "cancel":
            _cancel(clients[who], handles[who].id)
            model.cancel(who)
        elif step in ("relabel", "hurry") and who in handles[who].refresh().owners:
            label, priority = f"{who} {rng.random()}", rng.randrange(-3, 4)
            handles[who].update(label=label, priority=priority)
            model.words[who] = (label, priority)
        elif step == "work":
            lab.work(failing={4})
            model.work(failing=4)
        _compare(clients, handles, model, _runs(database))


def _cancel(person: Any, name: str) -> None:
    with suppress(Conflict):  # all that they asked for has ended
        person.cancel(name)


def _compare(
    clients: dict[str, Any], handles: dict[str, Any], model: Model, runs: dict[int, RunRow]
) -> None:
    assert {seed: run.state for seed, run in runs.items()} == model.state
    for who, handle in handles.items():
        view = clients[who].view(handle.id)
        assert view.tags == [who]
        assert view.label == model.words[who][0]


@pytest.mark.parametrize("order", [*itertools.permutations(PEOPLE)])
def test_a_known_spec_asked_for_again_changes_no_words_of_others(lab: Lab, order: Any) -> None:
    clients = {name: lab.person(name) for name in order}
    handles = {
        name: client.submit(**SPEC, seeds=1, label=name, tags=[name], priority=len(name))
        for name, client in clients.items()
    }
    reader = lab.person("zoe").get(handles[order[0]].id)
    assert (reader.label, reader.tags) == (order[0], [order[0]])
    assert {name: (one.refresh().label, one.tags) for name, one in handles.items()} == {
        name: (name, [name]) for name in order
    }
    assert reader.owners == sorted(order)


def test_who_asked_first_can_change_the_label_and_all_without_one_see_it(
    ada: Any, bob: Any, lab: Lab
) -> None:
    mine = ada.submit(**SPEC, seeds=1, label="sweep", tags=["a", "b"])
    theirs = bob.submit(**SPEC, seeds=1, label="mine")
    mine.update(label="sweep 2", tags=["c"], note="see page 3")
    assert (mine.label, mine.tags, mine.note) == ("sweep 2", ["c"], "see page 3")
    seen = lab.person("eve").view(mine.id)
    assert (seen.label, seen.tags, seen.note) == ("sweep 2", ["c"], "see page 3")
    assert (theirs.refresh().label, theirs.tags) == ("mine", ["c"])
    found = [[one.id for one in ada.experiments(tag=tag)] for tag in ("a", "b", "c")]
    assert found == [[], [], [mine.id]]
    mine.update(label=None)
    assert (mine.label, mine.tags) == (None, ["c"])


def test_a_co_owner_changes_their_own_words_alone(ada: Any, bob: Any, lab: Lab) -> None:
    mine = ada.submit(**SPEC, seeds=1, label="sweep", tags=["a"])
    theirs = bob.submit(**SPEC, seeds=2)
    theirs.update(label="junk", tags=["x"])
    assert (theirs.label, theirs.tags) == ("junk", ["x"])
    for reader in (ada, lab.person("eve")):
        view = reader.view(mine.id)
        assert (view.label, view.tags) == ("sweep", ["a"])


def test_words_are_those_of_all_requests_of_a_person_until_they_change_them(ada: Any) -> None:
    mine = ada.submit(**SPEC, seeds=1, tags=["a"])
    ada.submit(**SPEC, seeds=2, label="later", tags=["b"])
    assert (mine.refresh().label, mine.tags) == ("later", ["a", "b"])
    mine.update(tags=["c"])
    ada.submit(**SPEC, seeds=3, label="last", tags=["d"])
    assert (mine.refresh().label, mine.tags) == ("later", ["c", "d"])


def test_tags_of_a_person_on_an_experiment_are_at_most_so_many_in_all_requests(
    ada: Any, bob: Any
) -> None:
    def tags(start: int, n: int = 16) -> list[str]:
        return [f"t{number}" for number in range(start, start + n)]

    for start in range(0, MOST_TAGS, 16):
        mine = ada.submit(**SPEC, seeds=1, tags=tags(start))
    with pytest.raises(InvalidSpec, match=rf"tags: you would have 65 .*at most {MOST_TAGS} of"):
        ada.submit(**SPEC, seeds=[7], tags=["one-more"])
    assert ada.view(mine.id).spec.seeds == (0,)  # nothing of it is stored
    ada.submit(**SPEC, seeds=1, tags=tags(0))  # those that are there
    bob.submit(**SPEC, seeds=1, tags=["mine"])  # nobody's tags take another's place
    mine.update(tags=["few"])
    ada.submit(**SPEC, seeds=1, tags=["one-more"])
    assert mine.refresh().tags == ["few", "one-more"]
    with pytest.raises(InvalidSpec, match="tags"):
        mine.update(tags=tags(0, MOST_TAGS + 1))


def test_so_many_in_one_request_are_refused_too(ada: Any) -> None:
    specs = [
        {**SPEC, "seeds": 1, "tags": [f"t{start}-{n}" for n in range(16)]} for start in range(5)
    ]
    with pytest.raises(InvalidSpec, match="80"):
        ada.submit_many(specs)
    assert list(ada.experiments()) == []


def test_the_priority_of_what_waits_is_changed_and_the_highest_wish_counts(
    ada: Any, bob: Any, database: Database
) -> None:
    mine = ada.submit(**SPEC, seeds=2, priority=1)
    theirs = bob.submit(**SPEC, seeds=1)
    theirs.update(priority=6)
    assert {seed: run.priority for seed, run in _runs(database).items()} == {0: 6, 1: 1}
    assert (mine.refresh().priority, theirs.priority) == (6, 6)
    mine.update(priority=-4)
    assert {seed: run.priority for seed, run in _runs(database).items()} == {0: 6, 1: -4}
    theirs.cancel()
    assert {run.priority for run in _runs(database).values()} == {-4}
    assert mine.refresh().priority == -4


def test_what_nobody_wants_waits_as_who_asked_first_says(ada: Any, database: Database) -> None:
    mine = ada.submit(**SPEC, seeds=1)
    mine.cancel()
    assert mine.update(priority=3).priority == 3
    mine.retry()
    assert _runs(database)[0].priority == 3


def test_who_has_not_asked_for_it_changes_nothing_and_is_told_who_can(ada: Any, bob: Any) -> None:
    name = ada.submit(**SPEC, seeds=1, label="sweep").id
    for act, words in ((bob.update, {"label": "junk"}), (bob.retry, {})):
        with pytest.raises(Forbidden, match="ada") as caught:
            act(name, **words)
        assert (caught.value.status, caught.value.code) == (403, "not_asked")
    assert ada.view(name).label == "sweep"


def test_who_leaves_is_no_owner_any_more_while_others_are(ada: Any, bob: Any) -> None:
    mine, theirs = ada.submit(**SPEC, seeds=1, label="sweep"), bob.submit(**SPEC, seeds=1)
    mine.cancel()
    assert mine.cancel().owners == ["bob"]  # once more is no harm
    with pytest.raises(Forbidden, match="bob"):
        mine.update(label="junk")
    assert theirs.refresh().state == "queued"
    theirs.cancel()
    assert theirs.owners == ["ada", "bob"]  # nobody wants it: it is theirs who asked
    mine.update(label="over").retry()
    assert (mine.refresh().owners, mine.label) == (["ada"], "over")


def test_an_admin_who_never_asked_acts_for_everybody(
    ada: Any, bob: Any, root: Any, database: Database
) -> None:
    mine = ada.submit(**SPEC, seeds=2, label="sweep", priority=1)
    bob.submit(**SPEC, seeds=1, label="mine", priority=2)
    root.update(mine.id, label="of the lab", priority=9)
    assert [person.view(mine.id).label for person in (ada, bob, root)] == [
        "of the lab", "mine", "of the lab"
    ]  # fmt: skip
    assert {run.priority for run in _runs(database).values()} == {9}
    root.cancel(mine.id)
    assert {run.state for run in _runs(database).values()} == {"cancelled"}
    (cancelled,) = [one for one in mine.history() if one.action == "experiment.cancel"]
    assert (cancelled.who, cancelled.before, cancelled.after) == (
        "root",
        {"wanted": {"ada": [0, 1], "bob": [0]}},
        {"wanted": {"ada": [], "bob": []}},
    )


def test_an_admin_who_asked_withdraws_their_own_wish_unless_they_say_everybody(
    ada: Any, root: Any, database: Database
) -> None:
    theirs = ada.submit(**SPEC, seeds=1)
    mine = root.submit(**SPEC, seeds=1)
    assert [mine.cancel().state for _ in range(2)] == ["queued", "queued"]
    assert mine.cancel(everybody=True).state == "cancelled"
    with pytest.raises(Forbidden, match="admin"):
        theirs.cancel(everybody=True)


def test_what_cannot_be_changed_is_refused_before_it_is_sent(ada: Any) -> None:
    mine = ada.submit(**SPEC, seeds=1)
    with pytest.raises(UnknownField, match="did you mean label"):
        mine.update(lable="x")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"depth": 4}, "depth"),
        ({"priority": 11}, "priority"),
        ({"priority": None}, "priority"),
        ({"tags": ["not a tag"]}, "tags.0"),
        ({"tags": None}, "tags"),
        ({"label": ""}, "label"),
        ({"note": "x" * 2001}, "note"),
    ],
)
def test_what_may_not_be_is_refused_by_its_field(http: TestClient, body: Any, field: str) -> None:
    name = http.post("/v1/experiments", json=SPEC | {"seeds": 1, "label": "sweep"}).json()["id"]
    answer = http.patch(f"/v1/experiments/{name}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_spec")
    assert answer.json()["errors"][0]["field"] == field
    assert http.get(f"/v1/experiments/{name}").json()["label"] == "sweep"


@pytest.mark.parametrize("room", ["experiments", "studies"])
def test_who_names_what_they_read_overwrites_nothing_that_came_after(
    http: TestClient, room: str
) -> None:
    word = "label" if room == "experiments" else "name"
    name = http.post(f"/v1/{room}", json=SPEC | {"seeds": 1}).json()["id"]
    path = f"/v1/{room}/{name}"
    read = http.get(path).headers["ETag"]
    first = http.patch(path, json={word: "one"}, headers={"If-Match": read})
    assert (first.status_code, first.json()[word]) == (200, "one")
    late = http.patch(path, json={word: "two"}, headers={"If-Match": read})
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert late.json()["etag"] == http.get(path).headers["ETag"] == first.headers["ETag"]
    assert "read it again" in late.json()["detail"]
    assert http.get(path).json()[word] == "one"
    for named in (late.json()["etag"], f'"x", {late.json()["etag"]}', "*"):
        assert http.patch(path, json={}, headers={"If-Match": named}).status_code == 200
    assert http.patch(path, json={word: "three"}).json()[word] == "three"


def test_the_tag_of_what_can_be_changed_stays_while_it_runs(http: TestClient, lab: Lab) -> None:
    name = http.post("/v1/experiments", json=SPEC | {"seeds": 1}).json()["id"]
    read = http.get(f"/v1/experiments/{name}").headers["ETag"]
    lab.work()
    assert http.get(f"/v1/experiments/{name}").headers["ETag"] == read


def test_every_change_is_in_the_log_with_who_and_from_what_to_what(
    ada: Any, bob: Any, lab: Lab
) -> None:
    mine = ada.submit(**SPEC, seeds=1, label="sweep")
    theirs = bob.submit(**SPEC, seeds=2, priority=3)
    theirs.update(priority=5, tags=["x"])
    lab.work(failing={1})
    theirs.retry()
    theirs.cancel()
    told = [(one.who, one.action, one.before, one.after) for one in mine.history()]
    words: dict[str, Any] = {"label": None, "tags": [], "priority": 3, "device": "any"}
    assert told == [
        ("ada", "experiment.submit", None, words | {
            "label": "sweep", "priority": 0, "seeds": [0], "added_seeds": [0], "created": True}),
        ("bob", "experiment.submit", None, words | {
            "seeds": [0, 1], "added_seeds": [1], "created": False}),
        ("bob", "experiment.update",
         {"priority": 3, "tags": []}, {"priority": 5, "tags": ["x"]}),
        ("bob", "experiment.retry", {"failed": [1]}, {"queued": [1]}),
        ("bob", "experiment.cancel", {"wanted": {"bob": [0, 1]}}, {"wanted": {"bob": []}}),
    ]  # fmt: skip


def test_what_is_refused_or_said_again_is_not_in_the_log(http: TestClient) -> None:
    body = SPEC | {"seeds": 1}
    for _ in range(2):
        http.post("/v1/experiments", json=body, headers={"Idempotency-Key": "k"})
    name = http.get("/v1/audit").json()["items"][0]["target"]
    http.post(f"/v1/experiments/{name}/retry")
    http.patch(f"/v1/experiments/{name}", json={"label": "x"}, headers={"If-Match": '"other"'})
    http.post("/v1/experiments?dry_run=true", json=body)
    assert [one["action"] for one in http.get("/v1/audit").json()["items"]] == ["experiment.submit"]


def test_the_log_is_read_page_by_page_and_narrowed(http: TestClient, bob: Any) -> None:
    names = [
        http.post("/v1/experiments", json=SPEC | {"seeds": 1, "training": {"steps": n}}).json()[
            "id"
        ]
        for n in (1, 2, 3)
    ]
    read: list[str] = []
    cursor: Any = None
    while cursor is not None or not read:
        page = http.get("/v1/audit", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        read += [one["target"] for one in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert read == names[::-1]
    (entry,) = http.get("/v1/audit", params={"target": names[0]}).json()["items"]
    assert (entry["who"], entry["token_id"][:2]) == ("ada", "t-")
    assert http.get("/v1/audit", params={"who": "bob"}).json()["items"] == []
    since = {"since": entry["at"]}
    assert len(http.get("/v1/audit", params=since).json()["items"]) == 3
    assert [one.target for one in bob.audit(action="experiment.submit", limit=2)] == read[:2]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=2026-01-01T00:00:00", "since"),
        ("since=yesterday", "since"),
        ("action=experiment.explode", "action"),
        ("who=%00", "who"),
        ("target=%00", "target"),
        ("cursor=nonsense", "cursor"),
        ("cursor=MjAyNi0wMS0wMVQwMDowMDowMCswMDowMHx4", "cursor"),
        ("limit=501", "limit"),
        ("whom=ada", "whom"),
    ],
)
def test_what_the_log_cannot_be_asked_is_refused(http: TestClient, query: str, field: str) -> None:
    answer = http.get(f"/v1/audit?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")
    assert answer.json()["errors"][0]["field"] == field


def test_what_is_done_to_people_and_tokens_is_in_the_log_without_any_secret(
    http: TestClient, root: Any, database: Database
) -> None:
    with database.begin() as session:
        http.headers["Authorization"] = f"Bearer {make_token(session, 'root')}"
    http.post("/v1/users", json={"name": "zoe", "role": "reader"})
    http.patch("/v1/users/zoe", json={"role": "member", "disabled": True})
    http.patch("/v1/users/zoe", json={"role": "member", "disabled": False})
    made = http.post("/v1/tokens", json={"name": "laptop", "user": "zoe"}).json()
    for _ in range(2):  # the second does nothing
        http.delete(f"/v1/tokens/{made['id']}")
    told = [
        (one.action, one.target, one.before, one.after) for one in root.audit(who="root", limit=20)
    ]
    token = {"user": "zoe", "name": "laptop", "role": "member", "expires_at": None}
    assert told[::-1] == [
        ("user.add", "zoe", None, {"role": "reader"}),
        ("user.update", "zoe", {"role": "reader"}, {"role": "member"}),
        ("user.disable", "zoe", {"disabled": False}, {"disabled": True}),
        ("user.enable", "zoe", {"disabled": True}, {"disabled": False}),
        ("token.create", made["id"], None, token),
        ("token.revoke", made["id"],
         {"user": "zoe", "revoked": False}, {"user": "zoe", "revoked": True}),
    ]  # fmt: skip
    assert made["token"] not in http.get("/v1/audit").text
