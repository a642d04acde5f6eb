"""What a spec may say and what the physics core can do are one list each."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest

from rgcontract import ExperimentSpec, TrainingSpec
from rgcontract.chains import CHAIN_OF, Chain, Family
from rgcontract.fields import rows
from rgcontract.networks import CHOICES, LEVELS_OF, MIXINGS, has_window
from rgcontract.schema import schema
from rgcore import mixing
from rgcore.architecture import ACTIVATIONS, NORMS, Architecture
from rgcore.chain import FAMILIES
from rgcore.measurement import KERNELS
from rgcore.measurement.levels import ROWS_OF
from rgcore.network.block import activation_of
from rgcore.network.build import NETWORK_OF
from rgcore.network.norms import NORM_OF
from rgcore.training import OPTIMIZERS, SCHEDULES, TrainingPlan

CORE = {
    "model.mixing": mixing.MIXINGS,
    "model.activation": ACTIVATIONS,
    "model.norm": NORMS,
    "training.optimizer": OPTIMIZERS,
    "training.schedule": SCHEDULES,
    "measurement.kernel": KERNELS,
    "measurement.levels": ROWS_OF,
}


def test_every_family_is_in_the_contract_and_in_the_core() -> None:
    assert set(FAMILIES) == set(CHAIN_OF) == set(Family)


@pytest.mark.parametrize("family", [*CHAIN_OF])
def test_the_fields_of_a_family_are_the_parameters_of_its_function(family: Any) -> None:
    shared = {*Chain.model_fields, "family", "seeds"}
    parameters = inspect.signature(FAMILIES[family]).parameters.values()
    own = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
    assert {*CHAIN_OF[family].model_fields} - shared == own


def test_every_family_says_how_it_is_made_and_what_is_known_of_it() -> None:
    said = schema().families
    assert [row.name for row in said] == [*CHAIN_OF]
    assert all(row.meaning and row.exact for row in said)
    assert len({row.meaning for row in said}) == len(said)


@pytest.mark.parametrize("path", CORE)
def test_the_values_of_a_field_are_those_that_the_core_has(path: Any) -> None:
    assert {one.name for one in CHOICES[path]} == set(CORE[path])


def test_every_enumeration_of_a_spec_has_a_row_for_each_value() -> None:
    found = {row.path: set(row.choices) for row in rows(ExperimentSpec) if row.choices}
    del found["chain.family"]  # its rows are those of the families
    assert found == {path: {one.name for one in choices} for path, choices in CHOICES.items()}
    assert all(one.meaning for choices in CHOICES.values() for one in choices)


def test_weights_are_made_for_whatever_can_be_said_without_torch() -> None:
    assert set(NETWORK_OF) == set(mixing.MIXINGS)
    assert all(callable(activation_of(_architecture(activation=name))) for name in ACTIVATIONS)
    assert set(NORM_OF) == set(NORMS)


def test_mixings_have_the_same_levels_and_windows_on_both_sides() -> None:
    assert {str(one): levels for one, levels in LEVELS_OF.items()} == {
        name: row.levels for name, row in mixing.MIXINGS.items()
    }
    for name in MIXINGS:
        radii = {
            mixing.MIXINGS[name].view_radius(_architecture(mixing=name, context=c)) for c in (1, 2)
        }
        assert has_window(name) == (len(radii) > 1)


def _architecture(**changed: Any) -> Architecture:
    return Architecture(**{**ExperimentSpec().architecture, **changed})


def test_an_architecture_is_the_model_of_a_spec_with_the_sizes_of_its_data() -> None:
    names = {field.name for field in dataclasses.fields(Architecture)}
    assert set(ExperimentSpec().architecture) == names


def test_a_plan_is_the_training_of_a_spec_with_its_masks() -> None:
    names = {field.name for field in dataclasses.fields(TrainingPlan)}
    assert names == {*TrainingSpec.model_fields, "mask_prob", "momentum"}
