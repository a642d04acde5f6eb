"""What a newcomer gives the functions in place of what they take: each says what to do."""

from __future__ import annotations

import math
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

import rgclient
from rgclient import Client, InvalidValue, Result, RGLabError, UnknownField
from rgclient._arguments import sorted_by

SUBMITTING = [
    (lambda c: c.submit({"corr_len": 7}), r"submit takes fields by name: submit\(\*\*\{\.\.\.\}\)"),
    (lambda c: c.submit([{"corr_len": 7}]), r"a list of specs goes to submit_many\(\[\.\.\.\]\)"),
    (lambda c: c.submit(7), r"submit takes fields by name: submit\(corr_len=7\)"),
    (lambda c: c.forecast({"corr_len": 7}), r"forecast takes fields by name"),
    (lambda c: c.study({"corr_len": [1, 7]}), r"study takes fields by name: study\(\*\*\{"),
    (lambda c: c.study(["demo"]), r'a list is no name of a preset; such as study\("demo"\)'),
    (lambda c: c.submit_many({"corr_len": 7}), r"submit_many\(\[\{\.\.\.\}, \{\.\.\.\}\]\)"),
    (lambda c: c.submit_many("abc"), "submit_many takes a list of specs; this is a str"),
    (lambda c: c.submit_many(7), "submit_many takes a list of specs; this is an int"),
    (lambda c: c.submit_many(None), "submit_many takes a list of specs; this is a NoneType"),
    (lambda c: c.submit_many([{"depth": 2}, 7]), r"experiments\.1 is an int; a spec is a dict"),
    (lambda c: c.submit_many(["corr_len"]), r"experiments\.0 is a str; a spec is a dict"),
    (lambda c: c.submit_many([{"corr_len": [1, 7]}]), r"experiments\.0: chain\.corr_len is a list"),
    (lambda c: c.submit_many(pd.DataFrame({"depth": [2]})), r'table\.to_dict\("records"\) is one'),
]
READING = [
    (lambda c: c.get(""), "'' is no id; an id is the .id of an experiment"),
    (lambda c: c.get(" \n"), "is no id"),
    (lambda c: c.get(".."), r"'\.\.' is no id"),
    (lambda c: c.get(None), "a NoneType is no id; an id is a text, the .id of an experiment"),
    (lambda c: c.get(7), "an int is no id"),
    (lambda c: c.get(["a", "b"]), "a list is no id"),
    (lambda c: c.get_study(""), "'' is no id; an id is the .id of a study"),
    (lambda c: c.result(""), "is no id"),
    (lambda c: c.cancel(None), "is no id"),
    (lambda c: c.retry_study(7), "is no id"),
    (lambda c: c.experiments("done"), r'experiments takes filters by name: experiments\(owner="'),
    (lambda c: c.studies("ada"), r"studies takes filters by name"),
    (lambda c: c.experiments(state=["done", "failed"]), "state is .*; a filter has one value"),
    (lambda c: c.experiments(depth=True), "depth is True; a filter has one value"),
    (lambda c: c.experiments(corr_len_min=math.nan), "corr_len_min is nan"),
    (lambda c: c.experiments(tag={"a"}), "tag is a set"),
    (lambda c: c.experiments(limit="5"), "limit is '5'; give how many at most"),
    (lambda c: c.experiments(limit=-1), "limit is -1; give how many at most"),
    (lambda c: c.experiments(limit=2.5), "limit is 2.5; give how many at most"),
    (lambda c: c.studies(limit=True), "limit is True; give how many at most"),
]


@pytest.mark.parametrize(("call", "said"), SUBMITTING + READING)
def test_the_client_says_what_to_do_and_sends_nothing(
    client: Any, server: Any, call: Any, said: Any
) -> None:
    with pytest.raises(InvalidValue, match=said):
        call(client)
    assert server.requests == []


@pytest.mark.parametrize(
    ("filters", "near"),
    [
        ({"corr_len": 7}, "corr_len_min or corr_len_max"),
        ({"xi": 7}, "corr_len_min or corr_len_max"),
        ({"layers": 4}, "depth"),
        ({"sttae": "done"}, "state"),
        ({"owners": "ada"}, "owner"),
    ],
)
def test_an_unknown_filter_gets_the_nearest(
    client: Any, server: Any, filters: Any, near: str
) -> None:
    with pytest.raises(UnknownField, match=f"did you mean {near}"):
        client.experiments(**filters)
    with pytest.raises(UnknownField, match="no filter 'tag'; there are owner"):
        client.studies(tag="x")
    assert server.requests == []


def test_a_filter_may_be_a_number_of_numpy(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.page([]))
    assert list(client.experiments(depth=np.int64(4), limit=np.int64(3))) == []
    assert dict(server.requests[0].url.params) == {"depth": "4", "limit": "3"}


def test_a_handle_in_place_of_its_id_says_so(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment())
    handle = client.get("exp1")
    with pytest.raises(InvalidValue, match=r"this is a handle already: .*\.refresh\(\)"):
        client.get(handle)


@pytest.mark.parametrize(
    ("waited_for", "said"),
    [
        (["e1", "e2"], r"for several: \[rgclient\.wait\(e\) for e in them\]"),
        (None, "wait takes an experiment or its id; this is a NoneType"),
        (7, "wait takes an experiment or its id; this is an int"),
    ],
)
def test_wait_takes_one_experiment(waited_for: Any, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        rgclient.wait(waited_for)


@pytest.mark.parametrize("name", ["timeout", "poll"])
@pytest.mark.parametrize("value", ["5", -1, math.nan, True, [5]])
def test_a_time_to_wait_is_in_seconds(
    client: Any, server: Any, answer: Any, name: str, value: Any
) -> None:
    server.will(answer.experiment())
    handle = client.get("exp1")
    with pytest.raises(InvalidValue, match=f"{name} is .*; give seconds"):
        handle.wait(**{name: value})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": 7}, "url is an int; give a text"),
        ({"token": b"t"}, "token is a bytes; give a text"),
        ({"url": httpx.URL("http://lab")}, "url is an URL; give a text"),
        ({"timeout": "5"}, "timeout is '5'; give seconds"),
        ({"timeout": -1}, "timeout is -1; give seconds"),
        ({"attempts": 0}, "attempts is 0; give how many in all, 1 or more"),
        ({"attempts": "3"}, "attempts is '3'; give how many"),
    ],
)
def test_a_client_says_which_argument_is_wrong(options: Any, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        Client(**({"url": "http://lab", "token": "t"} | options))


@pytest.mark.parametrize("wrong", [7, None, ["final"], {}])
def test_a_level_or_moment_that_is_no_name_gets_those_that_are_there(
    result: Result, wrong: Any
) -> None:
    with pytest.raises(RGLabError, match="there are initial, final"):
        result.effective_rank(when=wrong)
    with pytest.raises(RGLabError, match="there are effective_rank"):
        result.quantity(wrong)
    if wrong is not None:
        with pytest.raises(RGLabError, match="there are position, pooled"):
            result.effective_rank(level=wrong or [1])  # type: ignore[arg-type]  # on purpose


def test_a_list_takes_an_order_or_says_the_nearest() -> None:
    assert sorted_by("-corr_len") == {"sort": "-corr_len"}
    assert sorted_by(None) == {}
    with pytest.raises(UnknownField, match="did you mean corr_len"):
        sorted_by("corr_length")
    with pytest.raises(InvalidValue, match="give a name"):
        sorted_by(7)
