"""What a worker of joblib or dask is sent, and what it sends back."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import rgclient
from rgclient import Client, Experiment, Findings, InvalidValue, Result, Study, _errors
from rgclient._clock import Clock
from rgclient._glance import of_view
from rgcontract import Experiment as View
from rgcontract import Findings as FindingsData
from rgcontract import Problem
from rgcontract import Study as StudyView

WHEN = "2026-01-02T03:04:05Z"
STUDY = {
    "id": "study1", "name": None, "axes": {}, "state": "queued", "progress": 0.0,
    "run_counts": {"queued": 1}, "seeds": [0], "target_error": None, "max_seeds": 8,
    "experiments": [], "owner": "ada", "created_at": WHEN,
}  # fmt: skip
FINDINGS = {
    "study_id": "study1", "complete": True, "confidence": 0.975, "n_seeds": 5,
    "error_bar": "seeds", "groups": [], "updated_at": WHEN,
}  # fmt: skip


def sent(value: Any) -> Any:
    """As another process gets it."""
    return pickle.loads(pickle.dumps(value))


@pytest.fixture
def real() -> Iterator[Any]:
    """A client as users have it, of a server that nobody asks."""
    with Client("http://lab.test:8321", "rgl-secret", timeout=7, attempts=2) as opened:
        yield opened


@pytest.fixture
def experiment(real: Any, answer: Any) -> Experiment:
    view = View.model_validate_json(answer.experiment("running").content)
    return Experiment(real, of_view(view), view=view)


@pytest.fixture
def study(real: Any) -> Study:
    return Study(real, StudyView.model_validate_json(json.dumps(STUDY)))


def test_a_client_keeps_its_address_token_and_patience(real: Any) -> None:
    other = sent(real)
    assert other.url == "http://lab.test:8321"
    request = other._connection._http().build_request("GET", "/")
    assert request.headers["authorization"] == "Bearer rgl-secret"
    assert request.extensions["timeout"]["read"] == 7
    assert other._connection._attempts == 2


def test_a_client_that_has_been_used_can_be_sent(real: Any) -> None:
    real._connection._http()
    assert sent(real).url == real.url


def test_a_copy_of_a_client_is_the_client(client: Any) -> None:
    assert copy.copy(client) is client
    assert copy.deepcopy(client) is client


@pytest.mark.parametrize("again", [sent, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("name", ["experiment", "study"])
def test_a_handle_is_the_same_one_elsewhere(
    again: Any, name: str, request: pytest.FixtureRequest
) -> None:
    handle = request.getfixturevalue(name)
    other = again(handle)
    assert other is not handle
    assert other == handle
    assert repr(other) == repr(handle)


@pytest.mark.parametrize("again", [sent, copy.copy, copy.deepcopy])
def test_what_was_measured_is_the_same_elsewhere(again: Any, result: Result) -> None:
    findings = Findings(FindingsData.model_validate_json(json.dumps(FINDINGS)))
    values = [
        result, result.effective_rank(), result.spectrum(), result.collapse_ratio(), findings,
        result.chain, result.losses(), next(iter(result.effective_rank())),
    ]  # fmt: skip
    for value in values:
        assert type(again(value)) is type(value)
        assert repr(again(value)) == repr(value)
    assert again(result) == result
    assert again(result).effective_rank() == result.effective_rank()


def test_a_copied_handle_asks_the_same_server(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("queued"), answer.experiment("done"))
    handle = client.get("exp1")
    other = copy.deepcopy(handle)
    assert (other.refresh().state, handle.state) == ("done", "queued")


EXCEPTIONS = [
    kind
    for kind in vars(_errors).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
]


@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_exception_comes_back_from_a_worker(kind: Any) -> None:
    raised = kind("what to do")
    raised.__dict__.update(experiment_id="exp1")
    other = sent(raised)
    assert (type(other), str(other)) == (kind, "what to do")
    assert other.__dict__ == raised.__dict__


def test_a_refusal_keeps_its_problem() -> None:
    problem = Problem(title="t", status=422, code="invalid_spec", detail="d")
    raised = rgclient.InvalidSpec("no", status=422, code="invalid_spec", problem=problem)
    assert sent(raised).problem == problem
    failed = rgclient.ExperimentFailed("no", causes=[rgclient.FailedRun(1, "oom", 2)])
    assert sent(failed).causes == failed.causes


def test_a_transport_of_ones_own_cannot_be_sent(server: Any) -> None:
    with (
        Client("http://lab", "t", transport=httpx.MockTransport(server)) as client,
        pytest.raises(InvalidValue, match="cannot be pickled; leave transport out"),
    ):
        sent(client)


def test_a_clock_is_sent_along(real: Any) -> None:
    assert sent(real).clock == Clock()


def test_handles_on_one_experiment_are_equal(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("queued"), answer.experiment("done"), answer.acknowledgement())
    first, second, third = client.get("exp1"), client.get("exp1"), client.submit(corr_len=7)
    assert first == second == third
    assert len({first, second, third}) == 1
    assert third in [first]


def test_handles_on_two_experiments_or_of_two_servers_are_not(
    client: Any, server: Any, answer: Any, real: Any
) -> None:
    server.will(answer.experiment(), answer.experiment(id="exp2"))
    first, second = client.get("exp1"), client.get("exp2")
    view = View.model_validate_json(answer.experiment().content)
    assert first != second
    assert first != Experiment(Client("http://other", "t"), of_view(view))
    assert first == Experiment(real, of_view(view))
    assert first != "exp1"


def test_an_experiment_is_no_study(real: Any, study: Study, answer: Any) -> None:
    view = View.model_validate_json(answer.experiment(id="study1").content)
    assert Experiment(real, of_view(view)) != study
    assert study == Study(real, StudyView.model_validate_json(json.dumps(STUDY | {"name": "n"})))
