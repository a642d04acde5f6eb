"""Two ways to write one experiment have one hash; two experiments have two."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgcontract import (
    ExperimentSpec,
    Submission,
    canonical_json,
    chain_hash,
    measurement_hash,
    shape_hash,
    training_hash,
)
from rgcontract.about import FIRST
from rgcontract.chains import ExplicitChain
from rgcontract.fields import rows
from rgcore.chain import make_chain

DEFAULT = "a8c38c600a3433e89a6d554d542c24aff6f40158234f4590981fe8df825dadcb"
"""Stored results are found by it: where it changes, PROTOCOL must have been bumped."""

TRAINED: list[dict[str, dict[str, Any]]] = [
    {"chain": {"family": "potts"}},
    {"chain": {"n_states": 17}},
    {"chain": {"corr_len": 1.5}},
    {"chain": {"seed": 1}},
    {"chain": {"concentration": 2.0}},
    {"chain": {"seeds": 2}},
    {"data": {"seq_len": 33}},
    {"data": {"mask_prob": 0.2}},
    {"model": {"mixing": "flat"}},
    {"model": {"context": 4}},
    {"model": {"depth": 9}},
    {"model": {"width": 65}},
    {"model": {"hidden_ratio": 2.0}},
    {"model": {"activation": "relu"}},
    {"model": {"norm": "rms"}},
    {"model": {"residual_scale": 0.5}},
    {"model": {"init_scale": 0.5}},
    {"training": {"steps": 1501}},
    {"training": {"batch_size": 129}},
    {"training": {"optimizer": "sgd"}},
    {"training": {"lr": 0.002}},
    {"training": {"schedule": "constant"}},
    {"training": {"weight_decay": 0.0}},
    {"training": {"grad_clip": None}},
]
MEASURED: list[dict[str, dict[str, Any]]] = [
    {"measurement": {"n_sequences": 8192}},
    {"measurement": {"levels": ["token"]}},
    {"measurement": {"at": "log"}},
]
ONE_VALUE = {"kernel"}
"""Fields that have a single value so far: nothing to change them to."""
KEPT = [
    {"seeds": 5},
    {"seeds": [7]},
    {"label": "mine"},
    {"tags": ["a"]},
    {"priority": 3},
    {"device": "cuda"},
]


def submission(given: object) -> Submission:
    return Submission.model_validate_json(json.dumps(given))


def _id(given: object) -> str:
    return json.dumps(given)


def test_the_hash_of_the_default_spec_is_pinned() -> None:
    assert measurement_hash(submission({})) == DEFAULT


def test_an_integer_is_the_same_number() -> None:
    whole, real = submission({"chain": {"corr_len": 7}}), submission({"chain": {"corr_len": 7.0}})
    assert measurement_hash(whole) == measurement_hash(real)


def test_ways_to_write_a_number_do_not_matter() -> None:
    short = Submission.model_validate_json('{"training": {"lr": 1e-3}}')
    long = Submission.model_validate_json('{"training": {"lr": 0.00100}}')
    assert measurement_hash(short) == measurement_hash(long) == DEFAULT


def test_minus_zero_is_zero() -> None:
    minus = submission({"training": {"weight_decay": -0.0}})
    assert measurement_hash(minus) == measurement_hash(
        submission({"training": {"weight_decay": 0.0}})
    )


def test_the_order_of_keys_does_not_matter() -> None:
    one = submission({"chain": {"corr_len": 7, "seed": 1}, "model": {"depth": 4}})
    other = submission({"model": {"depth": 4}, "chain": {"seed": 1, "corr_len": 7}})
    assert measurement_hash(one) == measurement_hash(other)


def test_defaults_written_out_do_not_matter() -> None:
    written = submission({}).model_dump(mode="json")
    assert measurement_hash(submission(written)) == DEFAULT


def test_the_default_family_may_be_named() -> None:
    assert measurement_hash(submission({"chain": {"family": "random_reversible"}})) == DEFAULT


def test_the_order_of_levels_does_not_matter() -> None:
    one = submission({"measurement": {"levels": ["token", "position", "token"]}})
    other = submission({"measurement": {"levels": ["position", "token"]}})
    assert measurement_hash(one) == measurement_hash(other)


@pytest.mark.parametrize("change", TRAINED + MEASURED, ids=_id)
def test_what_decides_the_numbers_changes_the_measurement_hash(change: Any) -> None:
    assert measurement_hash(submission(change)) != DEFAULT


def test_every_scientific_field_of_the_first_schema_is_changed_above() -> None:
    changed = {
        (section, name)
        for change in TRAINED + MEASURED
        for section, fields in change.items()
        for name in fields
    }
    spec = submission({}).model_dump(
        exclude={"seeds", "form", "label", "tags", "priority", "device"}
    )
    there = {(section, name) for section, fields in spec.items() for name in fields}
    first = {(row.section, row.name) for row in rows(ExperimentSpec) if row.since == FIRST}
    assert {one for one in there & first if one[1] not in ONE_VALUE} == changed


@pytest.mark.parametrize("change", TRAINED, ids=_id)
def test_what_decides_the_weights_changes_the_training_hash(change: Any) -> None:
    assert training_hash(submission(change)) != training_hash(submission({}))


@pytest.mark.parametrize("change", MEASURED, ids=_id)
def test_the_measurement_does_not_change_the_training_hash(change: Any) -> None:
    assert training_hash(submission(change)) == training_hash(submission({}))


@pytest.mark.parametrize("change", KEPT, ids=_id)
@pytest.mark.parametrize("hash_of", [measurement_hash, training_hash])
def test_how_the_lab_keeps_it_changes_no_hash(hash_of: Any, change: Any) -> None:
    assert hash_of(submission(change)) == hash_of(submission({}))


def test_all_hashes_differ_from_one_another() -> None:
    changes = [{}, *TRAINED, *MEASURED]
    assert len({measurement_hash(submission(change)) for change in changes}) == len(changes)


@pytest.mark.parametrize("change", TRAINED, ids=_id)
def test_the_chain_hash_is_of_the_chain_alone(change: Any) -> None:
    same = chain_hash(submission(change).chain) == chain_hash(submission({}).chain)
    assert same == ("chain" not in change)


def test_a_new_protocol_is_a_new_measurement() -> None:
    spec = submission({})
    assert measurement_hash(spec, protocol=2) != measurement_hash(spec, protocol=1)


def test_a_submission_and_its_spec_have_one_hash() -> None:
    given = submission({"chain": {"corr_len": 7}, "label": "x"})
    assert measurement_hash(given) == measurement_hash(given.spec)


def test_one_chain_seed_is_the_same_however_it_is_written() -> None:
    one = submission({"chain": {"seed": 4}})
    assert measurement_hash(submission({"chain": {"seeds": [4]}})) == measurement_hash(one)


def test_a_run_on_one_of_several_chains_trains_the_network_of_that_chain() -> None:
    several = submission({"chain": {"seeds": [3, 4]}})
    assert training_hash(several.of_draw(4)) == training_hash(submission({"chain": {"seed": 4}}))


def test_a_hash_is_64_hexadecimal_digits() -> None:
    spec = submission({})
    for digest in (measurement_hash(spec), training_hash(spec), chain_hash(spec.chain)):
        assert len(bytes.fromhex(digest)) == 32


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1.0, -0.0]}, '{"a":[1.0,0.0],"b":1}'),
        ((1, "é"), '[1,"\\u00e9"]'),
        (0.1 + 0.2, "0.30000000000000004"),
        ({"x": None, "y": True}, '{"x":null,"y":true}'),
    ],
)
def test_canonical_json_is_written_one_way(value: Any, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_canonical_json_has_no_nan(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


GOLDEN = Path(__file__).parent / "golden"


def _golden(name: str) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = json.loads((GOLDEN / f"{name}.json").read_text())
    return kept


def _names(spec: Submission) -> dict[str, str]:
    return {
        "measurement": measurement_hash(spec),
        "training": training_hash(spec),
        "chain": chain_hash(spec.chain),
        "shape": shape_hash(spec),
    }


@pytest.mark.parametrize("kept", _golden("names"), ids=lambda kept: _id(kept["spec"]))
def test_what_was_stored_under_a_name_is_found_by_it(kept: Any) -> None:
    spec = submission(kept.pop("spec"))
    assert _names(spec) == kept


@pytest.mark.parametrize("kept", _golden("renamed"), ids=lambda kept: _id(kept["spec"]))
def test_what_decides_nothing_makes_no_second_name(kept: Any) -> None:
    today = submission(kept["today"])
    assert _names(submission(kept["spec"])) == _names(today)


@pytest.mark.parametrize("family", ["potts", "ring", "hierarchical", "spectrum", "explicit"])
def test_the_seed_of_a_family_that_draws_nothing_is_zero(family: str) -> None:
    own: dict[str, dict[str, Any]] = {
        "spectrum": {"eigenvalues": [0.5, 0.1]},
        "explicit": {"matrix": [[0.5, 0.5], [0.25, 0.75]]},
    }
    chain = {"family": family, **own.get(family, {})}
    seeded = submission({"chain": {**chain, "seed": 12}})
    assert seeded == submission({"chain": chain})
    assert seeded.runs == ((0, 0), (0, 1), (0, 2))
    assert seeded.of_draw(12) == seeded  # as a run of it was stored before


@pytest.mark.parametrize(("branching", "n_states"), [(2, 16), (3, 27), (2, 256)])
def test_scales_written_out_as_their_default_are_the_default(branching: int, n_states: int) -> None:
    chain = {"family": "hierarchical", "branching": branching, "n_states": n_states, "corr_len": 7}
    made = make_chain("hierarchical", n_states, 7.0, branching=branching)
    assert made.scale_corr_lens is not None
    written = submission({"chain": {**chain, "scales": made.scale_corr_lens.tolist()}})
    assert written == submission({"chain": chain})
    assert measurement_hash(written) == measurement_hash(submission({"chain": chain}))


def _explicit(matrix: Any, **own: Any) -> Submission:
    rows = [[float(value) for value in row] for row in matrix]
    return submission({"chain": {"family": "explicit", "matrix": rows, **own}})


def _matrix(spec: Submission) -> tuple[tuple[float, ...], ...]:
    assert isinstance(spec.chain, ExplicitChain)
    return spec.chain.matrix


def test_the_last_digits_of_a_correlation_length_make_no_second_name() -> None:
    matrix = [[0.75, 0.25], [0.25, 0.75]]
    lengths = (None, 1.4426950408889634, 1.4426950408889636)
    assert len({measurement_hash(_explicit(matrix, corr_len=one)) for one in lengths}) == 1


@given(seed=st.integers(0, 2**32 - 1), n_states=st.integers(2, 128))
@settings(max_examples=30, deadline=None)
def test_rows_of_float32_are_brought_to_sum_one_once_and_for_all(seed: Any, n_states: Any) -> None:
    weights = np.random.default_rng(seed).random((n_states, n_states), np.float32) + np.float32(0.1)
    rows = weights / weights.sum(axis=1, keepdims=True)
    once = _explicit(rows)
    matrix = _matrix(once)
    for row in matrix:
        assert abs(math.fsum(row) - 1) <= 2**-52
    again = _explicit(matrix)
    assert _matrix(again) == matrix
    assert measurement_hash(again) == measurement_hash(once)
    made = make_chain("explicit", matrix=matrix)
    assert made.transition.tolist() == [list(row) for row in matrix]
    from_rows = make_chain("explicit", matrix=rows)  # the core by itself does the same
    np.testing.assert_array_equal(from_rows.transition, made.transition)


def test_minus_zero_in_a_matrix_is_zero() -> None:
    assert measurement_hash(_explicit([[0.5, 0.5], [1.0, -0.0]])) == measurement_hash(
        _explicit([[0.5, 0.5], [1.0, 0.0]])
    )
