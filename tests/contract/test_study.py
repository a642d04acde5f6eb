"""Grids: from fields that are lists to one submission for each combination."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from rgcontract import PRESETS, StudyRequest, Submission, field_problems, with_preset
from rgcontract.fields import children, paths
from rgcontract.study import SECTIONS, STUDY_FIELDS


def request(**fields: Any) -> StudyRequest:
    return StudyRequest.model_validate_json(json.dumps(fields))


def refusal(**fields: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        request(**fields)
    (problem,) = field_problems(caught.value, STUDY_FIELDS)
    return problem


def test_a_grid_is_every_combination_of_its_lists() -> None:
    asked = request(chain={"corr_len": [1, 7]}, model={"depth": [4, 6, 8], "width": 32})
    cells = [cell for cell, _ in asked.cells()]
    assert cells == [
        {"chain.corr_len": corr_len, "model.depth": depth}
        for corr_len in (1, 7)
        for depth in (4, 6, 8)
    ]
    assert asked.size == 6


def test_a_cell_is_the_body_of_a_submission() -> None:
    kept = {"tags": ["x"], "priority": 3, "device": "cuda"}
    asked = request(chain={"corr_len": [1, 7], "n_states": 4}, seeds=2, **kept)
    _, body = list(asked.cells())[1]
    assert body == {
        "chain": {"corr_len": 7, "n_states": 4},
        "seeds": [0, 1],
        "schema": 1,
        **kept,
    }


def test_no_list_is_one_experiment() -> None:
    asked = request(chain={"corr_len": 7})
    assert (asked.axes(), asked.size, len(list(asked.cells()))) == ({}, 1, 1)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("chain", "seeds", {"seeds": [0, 1]}),
        ("chain", "eigenvalues", {"family": "spectrum", "eigenvalues": [0.5, 0.1]}),
        ("chain", "scales", {"family": "hierarchical", "scales": [1.0, 2.0]}),
        ("chain", "matrix", {"family": "explicit", "matrix": [[0.5, 0.5], [0.5, 0.5]]}),
        ("measurement", "levels", {"levels": ["position"]}),
    ],
)
def test_a_field_that_is_a_list_by_nature_makes_no_grid(
    section: str, name: str, value: Any
) -> None:
    asked = request(**{section: value})
    ((_, body),) = asked.cells()
    assert asked.axes() == {}
    assert body[section][name] == value[name]


@pytest.mark.parametrize(
    ("section", "given", "name", "words", "fields"),
    [
        ("chain", {"corr_length": [1, 7]}, "corr_length", "did you mean chain.corr_len?",
         "concentration, corr_len, family, n_states, seed, seeds"),
        ("chain", {"family": "potts", "concentration": [1, 2]}, "concentration",
         "does not apply to this family of chains (potts), only to random_reversible",
         "family random_reversible; of potts: corr_len, family, n_states, seed"),
        ("chain", {"family": ["potts", "ring"], "scales": [1]}, "scales",
         "does not apply to this family of chains (potts, ring), only to hierarchical",
         "family hierarchical; of potts, ring: corr_len, family, n_states, seed"),
        ("chain", {"family": ["ising"], "x": 1}, "x", "unknown field",
         ("branching, concentration, corr_len, eigenvalues, family, matrix, n_states, scales, "
          "seed, seeds")),
        ("model", {"widht": [8, 16]}, "widht", "did you mean model.width?",
         ("activation, context, depth, hidden_ratio, init_scale, mixing, norm, residual_scale, "
         "width")),
    ],
)  # fmt: skip
def test_an_unknown_field_is_refused_before_the_grid_is_looked_at(
    section: str, given: Any, name: str, words: str, fields: str
) -> None:
    problem = refusal(**{section: given})
    assert problem.field == f"{section}.{name}"
    assert words in problem.message
    assert problem.allowed == fields


def test_a_field_of_one_of_several_families_is_for_the_cells_to_say() -> None:
    asked = request(chain={"family": ["potts", "random_reversible"], "concentration": 1})
    assert asked.size == 2


def test_a_grid_of_axes_that_are_no_fields_is_refused_for_them() -> None:
    axes = {f"a{number}": [0, 1] for number in range(14_285)}
    with pytest.raises(ValidationError) as caught:
        request(chain=axes)
    found = field_problems(caught.value, STUDY_FIELDS)
    assert found[0].field == "chain.a0"


def test_a_count_of_seeds_means_the_first_ones() -> None:
    assert request(seeds=3).seeds == (0, 1, 2)


def test_the_radius_is_for_the_cells_that_have_a_window() -> None:
    model = {"mixing": ["context", "flat"], "context": 2}
    bodies = [body["model"] for _, body in request(model=model).cells()]
    assert bodies == [{"mixing": "context", "context": 2}, {"mixing": "flat"}]


def test_the_radius_of_a_network_without_window_is_left_to_be_refused() -> None:
    ((_, body),) = request(model={"mixing": "flat", "context": 2}).cells()
    with pytest.raises(ValidationError, match="means nothing for 'flat'"):
        Submission.model_validate_json(json.dumps(body))


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"chain": {"corr_len": []}}, "chain.corr_len", "is an empty list"),
        ({"chain": {"corr_len": [1, 7, 1]}}, "chain.corr_len", "has a value twice"),
        ({"chain": {"corr_len": [7, 7.0]}}, "chain.corr_len", "has a value twice"),
        ({"preset": "papper"}, "preset", "'papper' is no preset"),
        ({"seeds": 0}, "seeds", "neither a count nor a list of seeds"),
        ({"corr_len": [1, 7]}, "corr_len", "did you mean chain.corr_len?"),
        ({"target_eror": 0.1}, "target_eror", "did you mean target_error?"),
        ({"label": "x"}, "label", "unknown field"),
        ({"chain": [1, 7]}, "chain", "should be an object"),
        ({"target_error": 0}, "target_error", "greater than or equal to 0.000001"),
    ],
)
def test_what_is_refused_says_where_and_why(fields: Any, field: str, words: str) -> None:
    problem = refusal(**fields)
    assert problem.field == field
    assert words in problem.message
    assert problem.allowed


@pytest.mark.parametrize("name", PRESETS)
def test_every_cell_of_a_preset_is_a_valid_spec(name: Any) -> None:
    asked = request(**with_preset({"preset": name}))
    for _, body in asked.cells():
        Submission.model_validate_json(json.dumps(body))
    assert asked.size >= 2


def test_fields_override_those_of_a_preset() -> None:
    asked = request(**with_preset({"preset": "demo", "chain": {"corr_len": 3}, "seeds": 1}))
    assert asked.axes() == {}
    assert asked.chain["corr_len"] == 3
    assert asked.chain["n_states"] == PRESETS["demo"]["chain"]["n_states"]
    assert asked.seeds == (0,)


def test_the_names_are_those_of_a_request_and_of_its_sections() -> None:
    assert set(children(STUDY_FIELDS, "")) == set(children(StudyRequest, ""))
    assert paths(STUDY_FIELDS, "corr_len") == ["chain.corr_len"]
    for section in SECTIONS:
        assert children(STUDY_FIELDS, section) == children(Submission, section)


def test_a_preset_has_no_radius_for_a_mixing_of_ones_own_that_has_no_window() -> None:
    asked = request(**with_preset({"preset": "smoke", "model": {"mixing": "flat"}}))
    ((_, body),) = list(asked.cells())[:1]
    assert "context" not in body["model"]
    assert PRESETS["smoke"]["model"]["context"] == 1  # the preset itself is as it was
