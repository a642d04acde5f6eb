"""Every route refuses query parameters that it doesn't know, and says which there are."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from rgcontract.filters import FILTERS

LIST = "/v1/experiments"
PARAMETERLESS = [
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/schema"),
    ("GET", f"{LIST}/{{experiment}}/chains/{{chain_seed}}"),
    ("GET", "/v1/me"),
    ("GET", "/v1/users"),
    ("POST", "/v1/users"),
    ("PATCH", "/v1/users/{name}"),
    ("POST", "/v1/tokens"),
    ("DELETE", "/v1/tokens/{name}"),
    ("PATCH", f"{LIST}/{{experiment}}"),
    ("PATCH", "/v1/studies/{study}"),
]
OF_SEEDS = [
    ("GET", f"{LIST}/{{experiment}}"),
    ("POST", f"{LIST}/{{experiment}}/retry"),
    ("GET", "/v1/studies/{study}"),
    ("GET", "/v1/studies/{study}/findings"),
    ("POST", "/v1/studies/{study}/retry"),
]
OF_CANCELLING = [
    ("POST", f"{LIST}/{{experiment}}/cancel"),
    ("POST", "/v1/studies/{study}/cancel"),
]


@pytest.fixture
def there(api: TestClient) -> dict[str, str]:
    """Names of an experiment and of a study that the lab has."""
    study = api.post("/v1/studies", json={"seeds": 1}).json()
    names = {"study": study["id"], "experiment": study["experiments"][0]["id"]}
    return names | {"name": "x", "chain_seed": "0"}


def _refused(answer: Any) -> list[tuple[str, str, str]]:
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "invalid_query"
    return [(one["field"], one["message"], one["allowed"]) for one in body["errors"]]


@pytest.mark.parametrize(
    ("query", "name", "nearest"),
    [
        ("sttae=done", "sttae", "state"),
        ("State=done", "State", "state"),
        ("familiy=potts", "familiy", "family"),
        ("corr_len=7", "corr_len", "corr_len_min"),
        ("page=2", "page", None),
        ("order=", "order", None),
        ("order", "order", None),
        ("label=x", "label", None),
        ("dry_run=true", "dry_run", None),
        ("=x", "", None),
        ("%73ttae=done", "sttae", "state"),
    ],
)
def test_an_unknown_parameter_is_named_with_the_nearest_and_all_there_are(
    api: TestClient, query: str, name: str, nearest: Any
) -> None:
    ((field, message, allowed),) = _refused(api.get(f"{LIST}?{query}"))
    assert field == name
    assert message.startswith("unknown query parameter")
    assert ("did you mean" in message) == (nearest is not None)
    assert nearest is None or f"did you mean {nearest}" in message
    assert allowed.split(", ") == ["limit", "cursor", "sort", *FILTERS]


@pytest.mark.parametrize("path", [LIST, f"{LIST}/bulk", "/v1/studies"])
@pytest.mark.parametrize("name", ["dryrun", "dry-run", "dryRun", "DRY_RUN", "dry_rum"])
def test_a_misspelt_dry_run_submits_nothing(api: TestClient, path: Any, name: str) -> None:
    body: dict[str, Any] = {"experiments": [{}]} if path.endswith("bulk") else {}
    ((_, message, allowed),) = _refused(api.post(f"{path}?{name}=true", json=body))
    assert message == "unknown query parameter; did you mean dry_run?"
    assert allowed == "dry_run"
    assert api.get(LIST).json()["items"] == []


@pytest.mark.parametrize(("method", "path"), PARAMETERLESS)
def test_a_route_without_parameters_refuses_any(
    api: TestClient, there: dict[str, str], method: Any, path: Any
) -> None:
    ((field, _, allowed),) = _refused(api.request(method, path.format(**there) + "?x=1"))
    assert (field, allowed) == ("x", "none")


@pytest.mark.parametrize(("method", "path"), OF_SEEDS)
def test_a_route_about_seeds_refuses_any_other(
    api: TestClient, there: dict[str, str], method: Any, path: Any
) -> None:
    ((field, _, allowed),) = _refused(api.request(method, path.format(**there) + "?seed=1"))
    assert (field, allowed) == ("seed", "seeds")


@pytest.mark.parametrize(("method", "path"), OF_CANCELLING)
def test_so_does_cancelling_which_may_be_for_everybody(
    api: TestClient, there: dict[str, str], method: Any, path: Any
) -> None:
    ((field, _, allowed),) = _refused(api.request(method, path.format(**there) + "?seed=1"))
    assert (field, allowed) == ("seed", "seeds, everybody")


def test_these_are_all_the_routes(api: TestClient) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    takes = {
        (method.upper(), path): {
            one["name"] for one in operation.get("parameters", []) if one["in"] == "query"
        }
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    for tried, names in (
        (PARAMETERLESS, set()),
        (OF_SEEDS, {"seeds"}),
        (OF_CANCELLING, {"seeds", "everybody"}),
    ):
        described = {route for route, taken in takes.items() if taken == names}
        assert described <= {
            (method, path.replace("{experiment}", "{name}").replace("{study}", "{name}"))
            for method, path in tried
        }


def test_a_parameter_of_another_route_is_unknown(api: TestClient, there: dict[str, str]) -> None:
    path = f"{LIST}/{there['experiment']}/result"
    ((field, _, allowed),) = _refused(api.get(f"{path}?array=all"))
    assert (field, allowed) == ("array", "seeds, arrays, partial, layers, levels, at, observables")


@pytest.mark.parametrize(
    "query", ["state=done&state=queued", "limit=1&limit=1", "limit=1&limit=2&limit=3"]
)
def test_a_parameter_that_comes_twice_is_refused(api: TestClient, query: str) -> None:
    ((field, message, allowed),) = _refused(api.get(f"{LIST}?{query}"))
    assert field == query.partition("=")[0]
    assert message == f"is given {query.count('=')} times"
    assert allowed == "once"


def test_all_that_is_wrong_is_named_at_once(api: TestClient) -> None:
    refused = _refused(api.get(f"{LIST}?sttae=done&limit=1&limit=2&tag=%ff"))
    assert [field for field, _, _ in refused] == ["sttae", "limit", "tag"]


def test_many_unknown_parameters_are_not_all_named(api: TestClient) -> None:
    query = "&".join(f"x{number}=1" for number in range(5000))
    assert len(_refused(api.get(f"{LIST}?{query}"))) == 20


@pytest.mark.parametrize("value", ["%ff", "%c3", "%ed%a0%80", "a%80"])
def test_what_is_not_utf8_is_refused(api: TestClient, value: str) -> None:
    ((field, message, _),) = _refused(api.get(f"{LIST}?owner={value}"))
    assert (field, message) == ("owner", "is not UTF-8")


def test_a_name_that_is_not_utf8_is_unknown(api: TestClient) -> None:
    ((field, message, _),) = _refused(api.get(f"{LIST}?%ff=1"))
    assert field.isascii()
    assert message == "unknown query parameter"


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ("family=ising", "family", "'random_reversible'"),
        ("family=", "family", "'potts'"),
        ("family=Potts", "family", "'potts'"),
        ("mixing=fla", "mixing", "'flat'"),
        ("state=", "state", "'done'"),
        ("depth=", "depth", "an integer"),
        ("depth=65", "depth", "<= 64"),
        ("width=1", "width", ">= 2"),
        ("tag=", "tag", "text matching"),
        ("tag=a%20b", "tag", "text matching"),
        ("owner=", "owner", "length >= 1"),
        ("corr_len_min=9&corr_len_max=1", "corr_len_min", "at most corr_len_max"),
        ("corr_len_min=1&corr_len_max=0", "corr_len_min", "at most corr_len_max"),
        ("excess_loss_min=0.1&excess_loss_max=-1", "excess_loss_min", "at most excess_loss_max"),
        ("collapse_ratio_max=-1", "collapse_ratio_max", ">= 0"),
        ("collapse_ratio_min=nan", "collapse_ratio_min", "a finite number"),
        ("under_trained_max=x", "under_trained_max", "a number"),
        ("under_trained_min=1.5", "under_trained_min", "<= 1"),
        ("chain_hash=abc", "chain_hash", "text matching"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_refused_with_what_is_allowed(
    api: TestClient, query: str, field: str, allowed: str
) -> None:
    ((name, _, words),) = _refused(api.get(f"{LIST}?{query}"))
    assert name == field
    assert allowed in words


def test_a_range_of_one_length_is_a_range(api: TestClient) -> None:
    assert api.get(f"{LIST}?corr_len_min=1&corr_len_max=1").status_code == 200


@pytest.mark.parametrize("value", ["maybe", "", "none", "truee", "2"])
@pytest.mark.parametrize("path", [LIST, f"{LIST}/bulk", "/v1/studies"])
def test_a_dry_run_is_true_or_false(api: TestClient, path: Any, value: str) -> None:
    body: dict[str, Any] = {"experiments": [{}]} if path.endswith("bulk") else {}
    ((field, _, allowed),) = _refused(api.post(f"{path}?dry_run={value}", json=body))
    assert (field, allowed) == ("dry_run", "true or false")


def test_who_has_no_token_is_told_so_first(anonymous: TestClient) -> None:
    assert anonymous.get(f"{LIST}?sttae=done").status_code == 401


def test_head_is_refused_as_get(api: TestClient) -> None:
    assert api.head(f"{LIST}?sttae=done").status_code == 422
