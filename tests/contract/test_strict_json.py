"""Strict JSON: what is refused, saying why, and what is written."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rgcontract.strictjson import StrictJsonError, dumps, loads, number_or_none


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NaN", "NaN is not JSON"),
        ("Infinity", "Infinity is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ("1e400", "beyond the range of a double"),
        ("[-1e400]", "beyond the range of a double"),
        ("9" * 400, "64-bit integer"),
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ('{"x": {"a": 1, "a": 1}}', "given twice"),
        ('"a\\u0000b"', "NUL"),
        ('{"a\\u0000": 1}', "NUL"),
        ('["\\ud800"]', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        (b'"\xff"', "not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ("", "not JSON"),
        ("{", "not JSON"),
        ("{} {}", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ("[1,]", "not JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused_saying_why(text: Any, why: str) -> None:
    with pytest.raises(StrictJsonError, match=why):
        loads(text)


def test_a_long_number_is_not_repeated_in_the_message() -> None:
    with pytest.raises(StrictJsonError) as caught:
        loads("9" * 4000)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("-9223372036854775808", -(2**63)),
        ("1e-400", 0.0),
    ],
)
def test_strict_json_is_read(text: Any, value: Any) -> None:
    assert loads(text) == value


def test_a_whole_number_stays_one() -> None:
    assert type(loads("7")) is int
    assert type(loads("7.0")) is float


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_no_nan_is_ever_written(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(value)


def test_what_is_written_is_read() -> None:
    value = {"a": [1, 2.5, None, "é\U0001f600"]}
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(("value", "written"), [(1.5, 1.5), (math.nan, None), (-math.inf, None)])
def test_a_number_that_is_none_is_null(value: Any, written: Any) -> None:
    assert number_or_none(value) == written
