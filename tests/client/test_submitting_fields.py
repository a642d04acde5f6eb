"""From keywords to the body of a submission."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rgclient import AmbiguousField, InvalidValue, RGLabError, UnknownField
from rgclient._body import body
from rgcontract import Mixing, PottsChain, Submission
from rgcontract.fields import children
from rgcontract.study import STUDY_FIELDS

SECTIONS = [top for top in children(Submission, "") if children(Submission, top)]
FLAT = sorted(
    (leaf, section)
    for section in SECTIONS
    for leaf in children(Submission, section)
    if leaf not in {"seed", "seeds"}
)


@pytest.mark.parametrize(("leaf", "section"), FLAT)
def test_every_field_of_a_section_works_flat(leaf: Any, section: Any) -> None:
    assert body({leaf: 1}) == {section: {leaf: 1}}


@pytest.mark.parametrize("name", ["seeds", "label", "tags", "priority"])
def test_a_field_of_the_submission_stays_at_the_top(name: str) -> None:
    assert body({name: 3}) == {name: 3}


def test_nothing_given_is_the_default_spec() -> None:
    assert body({}) == {}


def test_sections_and_flat_keywords_mix() -> None:
    assert body({"chain": {"seed": 3}, "corr_len": 7, "model": {"depth": 4}, "width": 8}) == {
        "chain": {"seed": 3, "corr_len": 7},
        "model": {"depth": 4, "width": 8},
    }


def test_the_order_of_keywords_does_not_matter() -> None:
    assert body({"corr_len": 7, "chain": {"seed": 3}}) == {"chain": {"corr_len": 7, "seed": 3}}


def test_a_section_may_be_a_model() -> None:
    sent = body({"chain": PottsChain(corr_len=2.0)})
    assert sent["chain"]["family"] == "potts"
    assert sent["chain"]["corr_len"] == 2.0


def test_giving_a_field_twice_is_refused() -> None:
    with pytest.raises(AmbiguousField, match="corr_len is given twice"):
        body({"chain": {"corr_len": 7}, "corr_len": 7})


def test_a_section_that_is_no_section_beside_a_flat_keyword_is_refused() -> None:
    with pytest.raises(AmbiguousField, match="chain"):
        body({"chain": 3, "corr_len": 7})


def test_a_misspelt_field_gets_the_nearest() -> None:
    with pytest.raises(UnknownField) as caught:
        body({"corr_length": 7})
    assert str(caught.value) == (
        "unknown field 'corr_length'; did you mean corr_len (chain.corr_len)?"
    )


def test_the_nearest_name_is_never_the_ambiguous_one() -> None:
    with pytest.raises(UnknownField, match=r"did you mean seeds \(chain.seeds\) or seeds\?"):
        body({"sed": 3})


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("xi", "corr_len (chain.corr_len)"),
        ("Correlation-Length", "corr_len (chain.corr_len)"),
        ("layers", "depth (model.depth)"),
        ("d_model", "width (model.width)"),
        ("epochs", "steps (training.steps)"),
        ("batch", "batch_size (training.batch_size)"),
        ("learning_rate", "lr (training.lr)"),
        ("transition_matrix", "matrix (chain.matrix)"),
        ("random_state", "seeds"),
    ],
)
def test_a_word_of_the_field_gets_the_name_that_is_meant(word: str, meant: str) -> None:
    with pytest.raises(UnknownField) as caught:
        body({word: 7})
    assert str(caught.value) == f"unknown field {word!r}; did you mean {meant}?"


def test_a_field_like_no_other_gets_the_nearest_of_each_section() -> None:
    with pytest.raises(UnknownField) as caught:
        body({"qqzzx": 7})
    near = str(caught.value).partition("nearest in each section: ")[2].partition(";")[0]
    assert [path.partition(".")[0] for path in near.split(", ")] == sorted(SECTIONS)


GRIDS = [
    ({"corr_len": [1, 7]}, "chain.corr_len", "rgclient.study(corr_len=[1, 7])"),
    ({"chain": {"corr_len": (1, 7)}}, "chain.corr_len", "rgclient.study(corr_len=[1, 7])"),
    ({"depth": np.array([4, 8])}, "model.depth", "rgclient.study(depth=[4, 8])"),
    ({"chain": {"seed": [1, 2]}}, "chain.seed", "rgclient.study(chain={'seed': [1, 2]})"),
    ({"lr": [0.001] * 99}, "training.lr", "rgclient.study(lr=[...])"),
]


@pytest.mark.parametrize(("fields", "path", "call"), GRIDS, ids=lambda value: str(value)[:30])
def test_a_list_for_one_value_is_told_of_studies(fields: Any, path: Any, call: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        body(fields)
    assert str(caught.value).startswith(f"{path} is a list")
    assert call in str(caught.value)


@pytest.mark.parametrize("fields", [fields for fields, _, _ in GRIDS], ids=str)
def test_a_study_takes_such_a_list(fields: Any) -> None:
    assert body(fields, STUDY_FIELDS)


def test_seed_alone_is_refused_saying_both_ways() -> None:
    with pytest.raises(AmbiguousField) as caught:
        body({"seed": 3})
    assert "seeds=[3]" in str(caught.value)
    assert 'chain={"seed": 3}' in str(caught.value)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (range(5), [0, 1, 2, 3, 4]),
        ((3, 1), [3, 1]),
        ((seed for seed in (1, 2)), [1, 2]),
        (np.arange(3), [0, 1, 2]),
        (np.int64(4), 4),
        ([np.int32(1), np.int64(2)], [1, 2]),
        (pd.Series([1, 2]), [1, 2]),
        (np.array(5), 5),
    ],
    ids=["range", "tuple", "generator", "array", "scalar", "list", "series", "0-d"],
)
def test_values_of_a_notebook_become_json(value: Any, sent: Any) -> None:
    given = body({"seeds": value})["seeds"]
    assert given == sent
    kinds = {type(item) for item in (given if isinstance(given, list) else [given])}
    assert kinds == {int}


@pytest.mark.parametrize("value", [np.float64(7), np.float32(7), 7.0])
def test_a_numpy_float_becomes_a_float(value: Any) -> None:
    sent = body({"corr_len": value})["chain"]["corr_len"]
    assert (type(sent), sent) == (float, 7.0)


def test_a_numpy_bool_stays_a_bool() -> None:
    assert body({"corr_len": np.True_})["chain"]["corr_len"] is True


def test_an_enum_becomes_its_value() -> None:
    sent = body({"mixing": Mixing.FLAT})["model"]["mixing"]
    assert (type(sent), sent) == (str, "flat")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf, np.float32("nan")])
def test_a_number_that_is_not_finite_is_refused_here(value: Any) -> None:
    with pytest.raises(InvalidValue, match=r"corr_len is -?(nan|inf); send a finite number"):
        body({"corr_len": value})


def test_a_number_deep_inside_is_refused_with_its_path() -> None:
    with pytest.raises(InvalidValue, match=r"chain\.eigenvalues\.1 is nan"):
        body({"chain": {"eigenvalues": [1.0, float("nan")]}})


@pytest.mark.parametrize("value", [object(), b"7", 1j, len])
def test_what_json_has_nothing_for_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue, match="seeds is of type"):
        body({"seeds": value})


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_that_no_database_keeps_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="label"):
        body({"label": text})


@pytest.mark.parametrize("fields", [{"sed": 1}, {"seed": 1}, {"lr": float("nan")}])
def test_nothing_is_sent_when_a_field_is_refused(client: Any, server: Any, fields: Any) -> None:
    with pytest.raises(RGLabError):
        client.submit(**fields)
    assert server.requests == []


def test_a_section_that_is_no_dict_gets_its_fields() -> None:
    with pytest.raises(InvalidValue, match=r"data is 'x'; it takes a dict of .*mask_prob, seq_len"):
        body({"data": "x"})
    with pytest.raises(InvalidValue, match=r"chain is 'potts'; it takes a dict of .*family"):
        body({"chain": "potts"})
