"""A spec that went over the wire is the spec that was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rgcontract import ExperimentSpec, Submission, measurement_hash, strictjson, training_hash

settings.register_profile("contract", database=None, deadline=None, max_examples=60)
SETTINGS = settings.get_profile("contract")


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


def section(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the fields, or none."""
    return st.fixed_dictionaries({}, optional=fields)


SEEDS = st.integers(0, 2**31 - 1)
CHAIN_FIELDS = {
    "n_states": st.integers(2, 256),
    "corr_len": floats(0.05, 1000) | st.integers(1, 1000),
    "seed": SEEDS,
}
CHAINS = section(family=st.just("potts"), **CHAIN_FIELDS).filter(lambda c: "family" in c) | section(
    family=st.just("random_reversible"), concentration=floats(0.05, 100), **CHAIN_FIELDS
)
MODEL_FIELDS = {
    "depth": st.integers(1, 64),
    "width": st.integers(2, 1024),
    "hidden_ratio": floats(0.25, 8),
    "activation": st.sampled_from(["relu", "gelu", "tanh", "silu"]),
    "norm": st.sampled_from(["none", "layer", "rms"]),
    "residual_scale": floats(1e-300, 10),
    "init_scale": floats(0.001, 10),
}
MODELS = section(context=st.integers(0, 32), **MODEL_FIELDS) | section(**MODEL_FIELDS).map(
    lambda model: {**model, "mixing": "flat"}
)
SUBMISSIONS = section(
    chain=CHAINS,
    data=section(seq_len=st.integers(65, 1024), mask_prob=floats(0.01, 0.9)),
    training=section(
        steps=st.integers(1, 1_000_000),
        lr=floats(1e-7, 10),
        weight_decay=floats(0, 1) | st.just(-0.0),
        grad_clip=st.none() | floats(0.001, 1e6),
        schedule=st.sampled_from(["constant", "cosine", "one_cycle"]),
    ),
    measurement=section(n_sequences=st.integers(16, 262_144)),
    seeds=st.integers(1, 64) | st.lists(SEEDS, min_size=1, max_size=64, unique=True),
    label=st.none() | st.text(min_size=1, max_size=200),
    tags=st.lists(st.from_regex(r"\A[a-z0-9][a-z._:-]{0,9}\Z"), max_size=16),
    priority=st.integers(-10, 10),
).flatmap(lambda rest: MODELS.map(lambda model: _fitting(rest, model)))


def _fitting(rest: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """A window that the default sequence is too short for gets a longer one."""
    longer = {"seq_len": 65, **rest.get("data", {})}
    return {**rest, "data": longer, "model": model}


def parsed(given: dict[str, Any]) -> Submission:
    return Submission.model_validate_json(json.dumps(given))


@SETTINGS
@given(SUBMISSIONS)
def test_a_submission_comes_back_the_same(written: Any) -> None:
    sent = parsed(written)
    back = Submission.model_validate_json(sent.model_dump_json())
    assert back == sent
    assert measurement_hash(back) == measurement_hash(sent)
    assert training_hash(back) == training_hash(sent)


@SETTINGS
@given(SUBMISSIONS)
def test_a_spec_comes_back_the_same_through_strict_json(written: Any) -> None:
    spec = parsed(written).spec
    text = strictjson.dumps(spec.model_dump(mode="json"))
    back = ExperimentSpec.model_validate_json(json.dumps(strictjson.loads(text)))
    assert back == spec
    assert measurement_hash(back) == measurement_hash(spec)


@SETTINGS
@given(SUBMISSIONS)
def test_nothing_is_left_to_be_filled_in(written: Any) -> None:
    spec = parsed(written).spec
    assert spec.measurement.levels
    assert (spec.model.context is None) == (spec.model.mixing == "flat")
    assert list(spec.seeds) == sorted(set(spec.seeds))


@SETTINGS
@given(SUBMISSIONS, st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(written: Any, random: Any) -> None:
    keys = list(written)
    random.shuffle(keys)
    shuffled = {key: written[key] for key in keys}
    assert measurement_hash(parsed(shuffled)) == measurement_hash(parsed(written))


def test_seeds_by_number_are_the_first_ones() -> None:
    assert parsed({"seeds": 5}).seeds == (0, 1, 2, 3, 4)


def test_seeds_by_list_are_in_order() -> None:
    assert parsed({"seeds": [9, 0, 4]}).seeds == (0, 4, 9)


def test_a_spec_cannot_be_changed() -> None:
    spec = parsed({})
    with pytest.raises(ValidationError, match="frozen"):
        spec.chain.corr_len = 3.0  # type: ignore[misc]  # wrong on purpose
    with pytest.raises(ValidationError, match="frozen"):
        spec.model = spec.model  # type: ignore[misc]  # wrong on purpose
