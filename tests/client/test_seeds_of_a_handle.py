"""A handle is about the seeds that it was asked for with, on every route."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from rgclient import Forbidden, InvalidValue, WaitTimeout

SEEDS = "seeds=0%2C5"


@pytest.fixture
def handle(client: Any, server: Any, answer: Any) -> Any:
    server.will(answer.acknowledgement(200, seeds=[0, 5]))
    asked = client.submit(corr_len=7, seeds=[5, 0])
    server.requests.clear()
    return asked


def test_it_keeps_the_seeds_of_the_acknowledgement(handle: Any) -> None:
    assert handle.seeds == (0, 5)


def test_every_call_names_them(handle: Any, server: Any, answer: Any) -> None:
    server.will(
        answer.experiment("done"),
        answer.result(),
        answer.experiment("cancelled"),
        answer.experiment("queued"),
        answer.experiment("queued"),
    )
    handle.wait()
    handle.cancel()
    handle.retry()
    handle.attempts()
    assert server.paths == [
        f"GET /v1/experiments/exp1?{SEEDS}",
        f"GET /v1/experiments/exp1/result?arrays=small&{SEEDS}",
        f"POST /v1/experiments/exp1/cancel?{SEEDS}",
        f"POST /v1/experiments/exp1/retry?{SEEDS}",
        f"GET /v1/experiments/exp1?{SEEDS}",
    ]


def test_of_many_each_has_its_own(client: Any, server: Any, answer: Any) -> None:
    one, other = (answer.acknowledgement(seeds=seeds).json() for seeds in ([0], [0, 1, 2]))
    server.will(httpx.Response(201, json={"experiments": [one, other]}))
    handles = client.submit_many([{"seeds": 1}, {"seeds": 3}])
    assert [asked.seeds for asked in handles] == [(0,), (0, 1, 2)]


def test_a_server_that_names_no_seeds_is_asked_as_before(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(answer.acknowledgement(), answer.experiment("done"), answer.result())
    handle = client.submit(corr_len=7)
    handle.wait()
    assert handle.seeds is None
    assert server.paths[1] == "GET /v1/experiments/exp1"


@pytest.mark.parametrize("seeds", [2, [1, 0], (0, 1), np.array([0, 1]), range(2)])
def test_an_experiment_is_fetched_with_a_count_or_a_list_of_seeds(
    client: Any, server: Any, answer: Any, seeds: Any
) -> None:
    server.will(answer.experiment())
    assert client.get("exp1", seeds=seeds).seeds == (0, 1)
    assert server.paths == ["GET /v1/experiments/exp1?seeds=0%2C1"]


@pytest.mark.parametrize("seeds", [0, -1, 65, 10**9, [], [1, 1], [-1], [2**31], [1.5], "1", True])
def test_what_names_no_seeds_is_refused_before_anything_is_sent(
    client: Any, server: Any, seeds: Any
) -> None:
    with pytest.raises(InvalidValue, match=r"seeds is .*; send how many"):
        client.get("exp1", seeds=seeds)
    assert server.requests == []


def test_a_timeout_says_how_to_get_back_to_them(handle: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("queued"))
    with pytest.raises(WaitTimeout, match=r"rgclient\.get\('exp1', seeds=\[0, 5\]\)\.wait\(\)"):
        handle.wait(timeout=1)


def test_what_only_others_asked_for_is_not_cancelled(handle: Any, server: Any, answer: Any) -> None:
    server.will(answer.problem(403, "not_asked", "only ada can"))
    with pytest.raises(Forbidden, match="only ada can"):
        handle.cancel()
