"""What a server leaves out of a result for its size is there when it is read."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import httpx
import pytest

from rgclient import Client, NoServer, NotMeasured, Result
from rgcontract import ChainFacts

MATRIX = [[0.93, 0.07], [0.07, 0.93]]
PATH = "/v1/experiments/exp1"
SEEDS = "seeds=0%2C1"


class Lab:
    """Leaves spectrum and matrices out of what is to be small."""

    def __init__(self, whole: dict[str, Any]) -> None:
        self.whole = whole
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode().removeprefix(PATH))
        query = request.url.params
        if request.url.path.endswith("/chains/0"):
            return httpx.Response(200, json=self.whole["chain"])
        body = copy.deepcopy(self.whole)
        if query.get("arrays") == "small":
            body["left_out"] = [
                {"name": name, "numbers": 99_999, "url": "/somewhere"}
                for name in ("transition", "spectrum")
            ]
        if query.get("arrays") != "all":
            for chain in (body["chain"], *body["chains"]):
                chain["transition"] = None
        if "at" in query:
            body["snapshots"] = [one for one in body["snapshots"] if one["when"] == query["at"]]
        if query.get("arrays") == "small":
            for snapshot in body["snapshots"]:
                for level in snapshot["levels"]:
                    del level["quantities"]["spectrum"]
        return httpx.Response(200, json=body)


@pytest.fixture
def lab(make_result: Any) -> Lab:
    return Lab(make_result().data.model_dump(mode="json", by_alias=True))


@pytest.fixture
def client(lab: Lab, time: Any) -> Any:
    with Client(
        "http://lab.test:8321", "rgl-secret", transport=httpx.MockTransport(lab), clock=time.clock
    ) as opened:
        yield opened


@pytest.fixture
def result(client: Client) -> Result:
    return client.result("exp1")


def test_a_matrix_is_fetched_when_it_is_read_and_once(result: Result, lab: Lab) -> None:
    assert isinstance(result.chain, ChainFacts)
    assert (result.chain.corr_len, result.chain.n_states) == (7.0, 2)
    assert len(lab.asked) == 1
    assert result.chain.transition == MATRIX
    assert result.chain.transition == MATRIX
    assert lab.asked[1:] == ["/chains/0"]
    assert result.chains[0].transition == MATRIX


def test_an_array_is_fetched_of_its_level_and_moment_and_once(result: Result, lab: Lab) -> None:
    for _ in range(2):
        assert result.spectrum("pooled", "initial").mean == ((0.75, 0.25),) * 3
    query = "observables=spectrum&levels=pooled&at=initial"
    assert lab.asked[1:] == [f"/result?{query}&{SEEDS}"]


@pytest.mark.parametrize(("level", "when"), [("token", "final"), ("pooled", "step_3")])
def test_what_was_not_measured_is_not_asked_for(
    result: Result, lab: Lab, level: str, when: str
) -> None:
    with pytest.raises(NotMeasured, match="there are"):
        result.spectrum(level, when)
    assert len(lab.asked) == 1


def test_what_is_there_is_read_without_asking(result: Result, lab: Lab) -> None:
    result.effective_rank()
    result.to_frame()
    assert repr(result)
    assert repr(result.chain)
    assert len(lab.asked) == 1


def test_numbers_over_other_runs_are_not_mixed_in(result: Result, lab: Lab) -> None:
    lab.whole["training"] = lab.whole["training"][:1]
    with pytest.raises(NotMeasured, match="measured further since this result was read"):
        result.spectrum()


def test_a_saved_result_has_all_of_it(result: Result, lab: Lab, tmp_path: Any) -> None:
    loaded = Result.load(result.save(tmp_path / "result.json"))
    assert lab.asked[1:] == [f"/result?arrays=all&{SEEDS}"]
    assert loaded.chain.transition == MATRIX
    assert loaded.spectrum().shape == (3, 2)


def test_a_file_that_lacks_an_array_says_where_it_was(result: Result) -> None:
    with pytest.raises(NotMeasured, match="ask the server for the result of exp1 again"):
        Result(result.data).spectrum()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_a_copy_fetches_too(result: Result, again: Any) -> None:
    other = again(result)
    assert other == result
    assert other.chain.transition == MATRIX
    assert other.spectrum().shape == (3, 2)


def test_a_pickle_has_no_token_and_asks_with_that_of_who_reads_it(result: Result) -> None:
    result.chain  # noqa: B018 - it is then in the pickle
    pickled = pickle.dumps(result)
    assert b"rgl-" not in pickled
    other = pickle.loads(pickled)
    assert other == result
    assert other.source.api is None
    for read in (lambda: other.chain.transition, other.spectrum):
        with pytest.raises(NoServer):
            read()


def test_what_was_fetched_before_is_in_the_pickle(result: Result) -> None:
    matrix, spectrum = result.chain.transition, result.spectrum()
    other = pickle.loads(pickle.dumps(result))
    assert (other.chain.transition, other.spectrum()) == (matrix, spectrum)


def test_a_server_of_before_is_asked_for_all(client: Client, lab: Lab) -> None:
    problem = {"title": "t", "status": 422, "code": "invalid_query", "detail": "arrays"}

    def older(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("arrays") == "small":
            return httpx.Response(422, json=problem)
        return lab(request)

    with Client("http://lab.test", "t", transport=httpx.MockTransport(older)) as of_before:
        result = of_before.result("exp1")
    assert lab.asked == ["/result?arrays=all"]
    assert type(result.chain) is ChainFacts
    assert json.loads(result.chain.model_dump_json())["transition"] == MATRIX
