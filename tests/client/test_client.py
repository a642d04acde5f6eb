"""What can be asked of a server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

import rgclient
from rgclient import Experiment, InvalidValue, NotFound, Result
from rgclient._default import DefaultClient


def test_a_new_experiment_is_a_handle(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.acknowledgement())
    experiment = client.submit(corr_len=7)
    assert isinstance(experiment, Experiment)
    assert (experiment.id, experiment.state, experiment.spec_hash) == ("exp1", "queued", "ab" * 32)
    assert experiment.created


def test_a_known_experiment_is_a_handle_too(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.acknowledgement(200, state="done"))
    experiment = client.submit(corr_len=7)
    assert experiment.state == "done"
    assert not experiment.created


def test_a_submission_is_one_request(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.acknowledgement())
    repr(client.submit(corr_len=7))
    assert len(server.requests) == 1


def test_a_forecast_is_a_dry_run(client: Any, server: Any) -> None:
    cost = {
        "cached": False, "missing_seeds": [0], "missing_runs": 1,
        "parameters": 10, "flops": 1e9, "seconds": 2.5,
        "memory_bytes": 100, "stored_bytes": 50,
    }  # fmt: skip
    server.will(httpx.Response(200, json=cost))
    assert client.forecast(corr_len=7).seconds == 2.5
    assert server.paths == ["POST /v1/experiments?dry_run=true"]
    assert server.bodies == [{"chain": {"corr_len": 7}}]


def test_get_fetches_the_experiment(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("done", label="seven"))
    experiment = client.get("exp1")
    assert (experiment.state, experiment.label) == ("done", "seven")
    assert experiment.spec.chain.corr_len == 7
    assert server.paths == ["GET /v1/experiments/exp1"]


def test_get_of_nothing_is_not_found(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.problem(404, "not_found", "no experiment exp9"))
    with pytest.raises(NotFound, match="exp9"):
        client.get("exp9")


def test_the_pages_are_one_list(client: Any, server: Any, answer: Any) -> None:
    server.will(
        answer.page(["a", "b"], next_cursor="c=1"),
        answer.page([], next_cursor="c2"),
        answer.page(["d"]),
    )
    assert [experiment.id for experiment in client.experiments()] == ["a", "b", "d"]
    cursors = [request.url.params.get("cursor") for request in server.requests]
    assert cursors == [None, "c=1", "c2"]


def test_nothing_is_asked_before_it_is_read(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.page(["a"], next_cursor="c1"))
    found = client.experiments()
    assert server.requests == []
    assert next(found).id == "a"
    assert len(server.requests) == 1


def test_filters_are_sent_and_the_others_are_not(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.page([]))
    filters = {
        "state": "done", "family": "potts", "mixing": "flat", "corr_len_min": 2.5,
        "corr_len_max": 9, "depth": 4, "width": 64, "tag": "x y", "owner": "ada",
    }  # fmt: skip
    assert list(client.experiments(**filters)) == []
    asked = dict(server.requests[0].url.params)
    assert asked.pop("limit") == "100"
    assert asked == {name: str(value) for name, value in filters.items()}


def test_every_page_keeps_the_filters(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.page(["a"], next_cursor="c1"), answer.page(["b"]))
    list(client.experiments(tag="x"))
    assert [request.url.params["tag"] for request in server.requests] == ["x", "x"]


@pytest.mark.parametrize(("limit", "size"), [(3, "3"), (250, "100")])
def test_a_limit_ends_the_list(
    client: Any, server: Any, answer: Any, limit: int, size: str
) -> None:
    server.will(answer.page(["a", "b"], next_cursor="c1"))
    assert len(list(client.experiments(limit=limit))) == limit
    assert server.requests[0].url.params["limit"] == size


def test_a_limit_of_zero_asks_nothing(client: Any, server: Any) -> None:
    assert list(client.experiments(limit=0)) == []
    assert server.requests == []


def test_an_unknown_filter_is_refused(client: Any) -> None:
    with pytest.raises(TypeError, match="colour"):
        client.experiments(colour="red")


def test_a_filter_that_is_no_number_is_refused(client: Any) -> None:
    with pytest.raises(InvalidValue, match="corr_len_min is nan"):
        client.experiments(corr_len_min=float("nan"))


def test_health_is_what_the_server_says(client: Any, server: Any) -> None:
    server.will(httpx.Response(200, json={"status": "ok"}))
    assert client.health().status == "ok"


def test_the_result_is_asked_for_with_its_arrays(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.result())
    assert isinstance(client.result("exp1"), Result)
    client.result("exp1", partial=True)
    assert server.paths == [
        "GET /v1/experiments/exp1/result?arrays=small",
        "GET /v1/experiments/exp1/result?arrays=small&partial=true",
    ]


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, client: Any) -> Any:
    """The functions of the package, on the fake server."""
    monkeypatch.setenv("RGLAB_URL", client.url)
    monkeypatch.setenv("RGLAB_TOKEN", "t")
    monkeypatch.setattr("rgclient._default.default_client", DefaultClient(lambda _: client))
    return rgclient


def test_the_package_submits_and_waits(package: Any, server: Any, answer: Any) -> None:
    server.will(answer.acknowledgement(), answer.experiment("done"), answer.result())
    result = package.wait(package.submit(corr_len=7), progress=False)
    assert result.id == "exp1"
    assert server.bodies[0] == {"chain": {"corr_len": 7}}


def test_the_package_waits_for_an_id(package: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment(), answer.experiment("done"), answer.result())
    assert package.wait("exp1", progress=False).id == "exp1"


def test_the_package_gets_and_lists(package: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment(), answer.page(["a"]))
    assert package.get("exp1").id == "exp1"
    assert [experiment.id for experiment in package.experiments(tag="x")] == ["a"]


def test_the_package_without_a_server_says_what_to_do() -> None:
    with pytest.raises(rgclient.NoServer, match="rglab up"):
        rgclient.submit(corr_len=7)
