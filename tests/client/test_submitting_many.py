"""submit_many: many specs in one request, one handle for each."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rgclient import Client, InvalidSpec, InvalidValue, UnknownField


@pytest.fixture
def told(answer: Any) -> Any:
    """What a server answers to many submissions, by the names of the experiments."""

    def _told(*names: str) -> httpx.Response:
        items = [answer.acknowledgement(id=name).json() for name in names]
        return httpx.Response(201, json={"experiments": items})

    return _told


def test_flat_fields_go_where_they_belong_in_one_request(
    client: Client, server: Any, told: Any
) -> None:
    server.will(told("exp1", "exp2"))
    client.submit_many([{"corr_len": 1, "depth": 4}, {"chain": {"corr_len": 7}, "tags": ["a"]}])
    assert server.paths == ["POST /v1/experiments/bulk"]
    assert server.bodies == [
        {
            "experiments": [
                {"chain": {"corr_len": 1}, "model": {"depth": 4}},
                {"chain": {"corr_len": 7}, "tags": ["a"]},
            ]
        }
    ]


def test_handles_come_in_the_order_of_the_specs(client: Client, server: Any, told: Any) -> None:
    server.will(told("exp2", "exp1"))
    found = client.submit_many({"corr_len": length} for length in (7, 1))
    assert [experiment.id for experiment in found] == ["exp2", "exp1"]
    assert [experiment.created for experiment in found] == [True, True]


def test_every_attempt_has_the_same_idempotency_key(client: Client, server: Any, told: Any) -> None:
    server.will(httpx.Response(503), told("exp1"))
    client.submit_many([{}])
    first, second = (request.headers["Idempotency-Key"] for request in server.requests)
    assert first == second


def test_nothing_is_sent_for_nothing(client: Client, server: Any) -> None:
    assert client.submit_many([]) == []
    assert server.requests == []


@pytest.mark.parametrize(
    ("spec", "error"),
    [({"corr_length": 7}, UnknownField), ({"corr_len": float("nan")}, InvalidValue)],
)
def test_a_spec_that_cannot_be_sent_says_where_it_is(
    client: Client, server: Any, spec: Any, error: Any
) -> None:
    with pytest.raises(error, match=r"experiments\.1: "):
        client.submit_many([{"corr_len": 1}, spec])
    assert server.requests == []


def test_a_field_that_the_server_refuses_is_named_with_its_place(
    client: Client, server: Any, answer: Any
) -> None:
    refused = {"field": "experiments.17.chain.corr_len", "message": "too long", "allowed": "<= 1"}
    server.will(answer.problem(422, "invalid_spec", errors=[refused]))
    with pytest.raises(InvalidSpec, match=r"experiments\.17\.chain\.corr_len"):
        client.submit_many([{"corr_len": 1}])
