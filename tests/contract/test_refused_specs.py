"""Each kind of bad spec is refused with the path of the field and what is allowed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from rgcontract import FieldProblem, Submission, field_problems
from rgcontract.fields import allowed, children, nearest, paths
from rgcontract.synonyms import SYNONYMS

POTTS = "corr_len, family, n_states, seed"
HALVES = [[0.5, 0.5], [0.5, 0.5]]
REFUSED = [
    # not the right kind of value
    ({"chain": {"corr_len": "7"}}, "chain.corr_len"),
    ({"chain": {"corr_len": True}}, "chain.corr_len"),
    ({"chain": {"corr_len": None}}, "chain.corr_len"),
    ({"chain": {"corr_len": [7]}}, "chain.corr_len"),
    ({"training": {"steps": 1.5}}, "training.steps"),
    ({"training": {"steps": 10.0}}, "training.steps"),
    ({"model": {"depth": True}}, "model.depth"),
    ({"chain": 7}, "chain"),
    ({"chain": []}, "chain"),
    ({"model": None}, "model"),
    ({"label": 7}, "label"),
    ({"tags": "a"}, "tags"),
    ([], "body"),
    (None, "body"),
    ("x", "body"),
    # out of bounds
    ({"chain": {"corr_len": 0.01}}, "chain.corr_len"),
    ({"chain": {"corr_len": -1}}, "chain.corr_len"),
    ({"chain": {"n_states": 1}}, "chain.n_states"),
    ({"chain": {"n_states": 257}}, "chain.n_states"),
    ({"chain": {"seed": 2**31}}, "chain.seed"),
    ({"model": {"depth": 0}}, "model.depth"),
    ({"model": {"width": 1025}}, "model.width"),
    ({"model": {"residual_scale": 0}}, "model.residual_scale"),
    ({"training": {"grad_clip": 0}}, "training.grad_clip"),
    ({"data": {"mask_prob": 1}}, "data.mask_prob"),
    ({"measurement": {"n_sequences": 15}}, "measurement.n_sequences"),
    ({"priority": 11}, "priority"),
    ({"label": ""}, "label"),
    ({"label": "x" * 201}, "label"),
    ({"tags": ["a b"]}, "tags.0"),
    ({"tags": ["a"] * 17}, "tags"),
    # not one of the choices
    ({"chain": {"family": "ising"}}, "chain.family"),
    ({"chain": {"family": None}}, "chain.family"),
    ({"chain": {"family": ["potts"]}}, "chain.family"),
    ({"model": {"mixing": "potts"}}, "model.mixing"),
    ({"model": {"activation": "swish"}}, "model.activation"),
    ({"measurement": {"levels": ["layer"]}}, "measurement.levels.0"),
    ({"measurement": {"levels": []}}, "measurement.levels"),
    # unknown
    ({"corr_len": 7}, "corr_len"),
    ({"chain": {"corr_length": 7}}, "chain.corr_length"),
    ({"chain": {"family": "potts", "concentration": 1}}, "chain.concentration"),
    ({"owner": "me"}, "owner"),
    # seeds
    ({"seeds": 0}, "seeds"),
    ({"seeds": 65}, "seeds"),
    ({"seeds": []}, "seeds"),
    ({"seeds": "3"}, "seeds"),
    ({"seeds": True}, "seeds"),
    ({"seeds": [True]}, "seeds"),
    ({"seeds": [1, 1]}, "seeds"),
    ({"seeds": [-1]}, "seeds.0"),
    ({"seeds": list(range(65))}, "seeds"),
    ({"chain": {"seeds": 0}}, "chain.seeds"),
    ({"chain": {"seeds": [1, 1]}}, "chain.seeds"),
    ({"chain": {"seeds": [1, -2]}}, "chain.seeds.0"),
    ({"chain": {"family": "ring", "seeds": 3}}, "chain.seeds"),
    # chains that are none
    ({"chain": {"family": "hierarchical", "branching": 1}}, "chain.branching"),
    ({"chain": {"family": "hierarchical", "n_states": 12}}, "chain.n_states"),
    ({"chain": {"family": "hierarchical", "scales": [1, 2]}}, "chain.scales"),
    ({"chain": {"family": "hierarchical", "scales": [1, 3, 2, 4]}}, "chain.scales"),
    ({"chain": {"family": "hierarchical", "scales": [1, 2, 3, True]}}, "chain.scales.3"),
    (
        {"chain": {"family": "hierarchical", "corr_len": 3, "scales": [1, 2, 3, 4]}},
        "chain.corr_len",
    ),
    ({"chain": {"family": "spectrum"}}, "chain.eigenvalues"),
    ({"chain": {"family": "spectrum", "eigenvalues": []}}, "chain.eigenvalues"),
    ({"chain": {"family": "spectrum", "eigenvalues": [1.0]}}, "chain.eigenvalues"),
    ({"chain": {"family": "spectrum", "eigenvalues": [0.0]}}, "chain.eigenvalues"),
    ({"chain": {"family": "spectrum", "eigenvalues": [0.9, 0.0]}}, "chain.eigenvalues"),
    ({"chain": {"family": "spectrum", "eigenvalues": [0.5], "n_states": 3}}, "chain.n_states"),
    ({"chain": {"family": "spectrum", "eigenvalues": [0.5], "corr_len": 3}}, "chain.corr_len"),
    (
        {"chain": {"family": "spectrum", "eigenvalues": [0.5], "n_states": 2.000001}},
        "chain.n_states",
    ),
    ({"chain": {"family": "spectrum", "eigenvalues": [0.5], "n_states": 2.0}}, "chain.n_states"),
    ({"chain": {"family": "explicit", "matrix": HALVES, "n_states": 2.000001}}, "chain.n_states"),
    ({"chain": {"family": "explicit", "matrix": HALVES, "n_states": 2.0}}, "chain.n_states"),
    ({"chain": {"family": "explicit", "matrix": HALVES, "n_states": True}}, "chain.n_states"),
    ({"chain": {"seed": 1.0, "seeds": [1, 2]}}, "chain.seed"),
    ({"chain": {"seed": True, "seeds": [1, 2]}}, "chain.seed"),
    ({"chain": {"seed": False, "seeds": 2}}, "chain.seed"),
    ({"chain": {"family": "explicit"}}, "chain.matrix"),
    ({"chain": {"family": "explicit", "matrix": [[0.5, 0.5]]}}, "chain.matrix"),
    ({"chain": {"family": "explicit", "matrix": [[0.5, 0.5], [1.0, 0.1]]}}, "chain.matrix"),
    ({"chain": {"family": "explicit", "matrix": [[0.5, 0.5], [1.5, 0.5]]}}, "chain.matrix.1.0"),
    ({"chain": {"family": "explicit", "matrix": [[1, 0], [0.5, 0.5]]}}, "chain.matrix"),
    ({"chain": {"family": "explicit", "matrix": [[0, 1], [1, 0]]}}, "chain.matrix"),
    # well formed, but not together
    ({"chain": {"seed": 1, "seeds": [2, 3]}}, "chain.seed"),
    ({"model": {"mixing": "flat", "context": 3}}, "model.context"),
    ({"model": {"mixing": "flat"}, "measurement": {"levels": ["position"]}}, "measurement.levels"),
    ({"measurement": {"levels": ["sequence"]}}, "measurement.levels"),
    ({"data": {"seq_len": 6}}, "model.context"),
    ({"model": {"context": 16}}, "model.context"),
]


def refusals(given: object) -> list[FieldProblem]:
    with pytest.raises(ValidationError) as caught:
        Submission.model_validate_json(json.dumps(given))
    return field_problems(caught.value, Submission)


@pytest.mark.parametrize(("given", "field"), REFUSED, ids=lambda value: json.dumps(value)[:60])
def test_the_field_is_named_with_what_is_allowed(given: Any, field: Any) -> None:
    (refused,) = refusals(given)
    assert refused.field == field
    assert refused.message
    assert refused.allowed


def test_every_refused_field_is_named() -> None:
    found = refusals({"chain": {"corr_len": 0}, "model": {"depth": 0, "depht": 4}})
    assert [refused.field for refused in found] == [
        "chain.corr_len", "model.depth", "model.depht",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['{"chain": {"corr_len": NaN}}', '{"training": {"lr": Infinity}}'])
def test_a_number_that_is_not_finite_is_no_spec(text: str) -> None:
    with pytest.raises(ValidationError):
        Submission.model_validate_json(text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"chain": {"corr_len": 0}}, "number >= 0.05, <= 1000"),
        ({"model": {"mixing": "x"}}, "context, flat, mixer, window"),
        (
            {"chain": {"family": "x"}},
            "potts, ring, random_reversible, hierarchical, spectrum, explicit",
        ),
        ({"training": {"grad_clip": 0}}, "number > 0, <= 1000000.0 or null"),
        ({"seeds": [-1]}, "integer >= 1, <= 64 or a list of 1 to 64 of: integer >= 0, <= "),
        ({"data": {"seq_len": 6}}, "0 to 2"),
        ({"measurement": {"levels": ["sequence"]}}, "position, token, masked, pooled"),
    ],
)
def test_what_is_allowed_is_said_in_words(given: Any, words: str) -> None:
    (refused,) = refusals(given)
    assert refused.allowed is not None
    assert words in refused.allowed


def test_a_misspelt_field_gets_a_suggestion() -> None:
    (refused,) = refusals({"chain": {"corr_length": 7}})
    assert refused.message == "unknown field; did you mean chain.corr_len?"


@pytest.mark.parametrize(
    ("chain", "family", "other", "fields"),
    [
        ({"family": "potts", "concentration": 1}, "potts", "random_reversible", POTTS),
        ({"scales": [1, 2]}, "random_reversible", "hierarchical", f"concentration, {POTTS}, seeds"),
        ({"family": "ring", "matrix": [[1]]}, "ring", "explicit", POTTS),
        (
            {"family": "hierarchical", "seeds": 3},
            "hierarchical",
            "random_reversible",
            "branching, corr_len, family, n_states, scales, seed",
        ),
    ],
)
def test_a_field_of_another_family_is_no_misspelling(
    chain: Any, family: str, other: str, fields: Any
) -> None:
    (refused,) = refusals({"chain": chain})
    assert refused.message == (
        f"does not apply to this family of chains ({family}), only to {other}"
    )
    assert refused.allowed == f"family {other}; of {family}: {fields}"


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ({"family": "potts", "concentratoin": 1}, "unknown field"),
        ({"concentratoin": 1}, "unknown field; did you mean chain.concentration?"),
        ({"family": "explicit", "matirx": [[1]]}, "unknown field; did you mean chain.matrix?"),
        ({"family": "ring", "corr_length": 7}, "unknown field; did you mean chain.corr_len?"),
    ],
)
def test_what_is_meant_is_a_field_of_the_family_that_is_named(chain: Any, words: str) -> None:
    found = refusals({"chain": chain})
    assert words in [refused.message for refused in found]


def test_a_refused_text_is_not_sent_back_whole() -> None:
    wrong = {"family": "x" * 50_000, "seeds": [1] * 50_000, "seed": 1}
    chains = [{"family": wrong["family"]}, {"seeds": wrong["seeds"]}, wrong["family"]]
    for chain in [*chains, {"seed": 1, "seeds": list(range(50_000))}, {"x" * 50_000: 1}]:
        assert len(refusals({"chain": chain})[0].model_dump_json()) < 1000


def test_a_flat_keyword_is_shown_its_section() -> None:
    (refused,) = refusals({"corr_len": 7})
    assert "chain.corr_len" in refused.message


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("corr_len", ["chain.corr_len"]),
        ("seed", ["chain.seed"]),
        ("seeds", ["chain.seeds", "seeds"]),
        ("matrix", ["chain.matrix"]),
        ("chain", ["chain"]),
        ("corr_length", []),
    ],
)
def test_a_field_is_found_by_name(name: str, found: Any) -> None:
    assert paths(Submission, name) == found


def test_a_flat_keyword_has_one_place() -> None:
    sections = [top for top in children(Submission, "") if children(Submission, top)]
    names = {leaf for section in sections for leaf in children(Submission, section)}
    names -= set(children(Submission, ""))  # a name at the top is itself
    assert [name for name in names if len(paths(Submission, name)) != 1] == []


def test_the_nearest_names_come_first() -> None:
    assert nearest("widht", Submission)[0] == "model.width"
    assert nearest("zzz", Submission) == []


def test_every_field_says_what_is_allowed() -> None:
    sections = [top for top in children(Submission, "") if children(Submission, top)]
    everywhere = [(section, leaf) for section in sections for leaf in children(Submission, section)]
    assert [path for path in everywhere if not allowed(Submission, ".".join(path))] == []


def test_a_field_that_is_not_there_allows_nothing() -> None:
    assert allowed(Submission, "chain.nothing") is None


@pytest.mark.parametrize("given", [{"chain": {"xi": 7}}, {"xi": 7}], ids=str)
def test_a_word_for_a_field_gets_the_field_that_is_meant(given: Any) -> None:
    (refused,) = refusals(given)
    assert refused.message == "unknown field; did you mean chain.corr_len?"


@pytest.mark.parametrize(("word", "path"), SYNONYMS.items())
def test_every_word_for_a_field_is_no_field_and_means_one(word: Any, path: Any) -> None:
    assert path in paths(Submission, path.rpartition(".")[2])
    assert paths(Submission, word) == []
    assert nearest(word, Submission) == [path]
