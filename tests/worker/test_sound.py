"""A trainer's result is looked at before it is stored: what cannot be a measurement is named."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from lab_processes import TINY
from safetensors.torch import load, save

from rgcontract import ExperimentSpec, Submission
from rgcontract.observables import OBSERVABLES, Axis
from rgstore.records import Quantity, RunRecord, Weights
from rgstore.stored_specs import stored_spec
from rgworker.fleet import Fleet
from rgworker.protocol import Event, Finished, Job, Task
from rgworker.sound import UnsoundResultError, require_sound

QUICK: dict[str, Any] = {
    **TINY, "training": {"steps": 4, "batch_size": 4}, "measurement": {"n_sequences": 16},
}  # fmt: skip


def measured(**fields: Any) -> tuple[ExperimentSpec, RunRecord]:
    """A spec, and what a trainer says of one run of it."""
    submission = Submission.model_validate_json(json.dumps({**QUICK, **fields, "seeds": 1}))
    (chain_seed, seed) = next(iter(submission.runs))
    told: list[Event] = []
    task = Task(stored_spec(submission.spec), chain_seed, seed, None)
    fleet = Fleet(Job((task,)), torch.device("cpu"), tell=told.append, asked_to_leave=tuple)
    fleet.see_through()
    end = told[-1]
    assert isinstance(end, Finished)
    return submission.spec.of_draw(chain_seed), end.record


@pytest.fixture(scope="module")
def asked() -> tuple[ExperimentSpec, RunRecord]:
    return measured(measurement={"n_sequences": 16, "at": "log"})


@pytest.mark.parametrize(
    "fields",
    [
        {"model": {**TINY["model"], "context": None, "mixing": "flat"}},
        {"model": {**TINY["model"], "context": None, "mixing": "mixer", "norm": "none"}},
        {"chain": {"family": "explicit", "matrix": [[0.5, 0.5], [0.5, 0.5]]}},
        {"chain": {"family": "spectrum", "eigenvalues": [0.5, 0.1, -0.1]}},
    ],
    ids=["flat", "mixer", "no memory", "spectrum"],
)
def test_what_a_trainer_measures_is_sound(fields: Any) -> None:
    spec, record = measured(**fields)
    require_sound(record, spec)


def test_so_is_what_it_measures_on_the_way(asked: Any) -> None:
    spec, record = asked
    require_sound(record, spec)


Spoil = Callable[[RunRecord], RunRecord]


def at(name: str, level: str = "position", when: str = "final", **changes: Any) -> Spoil:
    """One quantity is changed; a change may be a function of what was there."""

    def changed(quantity: Quantity) -> Quantity:
        if quantity.key != (when, level, name):
            return quantity
        new = {
            field: value(getattr(quantity, field)) if callable(value) else value
            for field, value in changes.items()
        }
        return replace(quantity, **new)

    return lambda record: replace(record, quantities=[changed(one) for one in record.quantities])


def first(value: float) -> Callable[[list[float]], list[float]]:
    """The first of the values is another one."""
    return lambda values: [value, *values[1:]]


def chain(**changes: Any) -> Spoil:
    return lambda record: replace(record, chain=replace(record.chain, **changes))


def training(**changes: Any) -> Spoil:
    return lambda record: replace(record, training=replace(record.training, **changes))


def weights(change: Callable[[bytes], bytes]) -> Spoil:
    def changed(record: RunRecord) -> RunRecord:
        kept = [Weights(one.step, change(one.data)) for one in record.training.weights]
        return replace(record, training=replace(record.training, weights=kept))

    return changed


def _with_a_nan(data: bytes) -> bytes:
    tensors = load(data)
    next(iter(tensors.values())).view(-1)[0] = math.nan
    return save(tensors)


def _in_doubles(data: bytes) -> bytes:
    return save({name: tensor.double() for name, tensor in load(data).items()})


def _without_one(data: bytes) -> bytes:
    return save(dict(list(load(data).items())[1:]))


def _without(record: RunRecord) -> RunRecord:
    return replace(record, quantities=[one for one in record.quantities if one.level != "masked"])


SPOILT: dict[str, tuple[Spoil, str]] = {
    "a level is missing": (_without, "final cka at masked is missing"),
    "a number is twice": (lambda record: replace(record, quantities=record.quantities * 2),
                          "is twice"),
    "a moment that is none": (at("effective_rank", when="step_2", step=3),
                              "step_2 effective_rank at position: is of step 3"),
    "a quantity that is none": (at("effective_rank", quantity="rank"),
                                "final rank at position was not asked for"),
    "another estimator": (at("cka", "pooled", estimator="guess"), "by 'guess'"),
    "rows below zero": (at("cka", "pooled", n_rows=-1), "is of -1 rows"),
    "a layer too few": (at("effective_rank", shape=[2], values=[1.0, 1.0]),
                        r"has the shape \[2\] and 2 values, not \[3\]"),
    "values for another shape": (at("effective_rank", values=lambda values: values[:2]),
                                 r"has the shape \[3\] and 2 values, not \[3\]"),
    "a rank above the width": (at("effective_rank", values=first(8.1)), "is 8.1"),
    "a rank below one": (at("effective_rank", values=first(0.99)), "is 0.99"),
    "a rank of half below one": (at("effective_rank", half=first(0.5)), "is 0.5 of half"),
    "too few of half": (at("effective_rank", half=[1.0]), "has 1 values of half"),
    "an alignment above one": (at("cka", "pooled", values=first(1.0 + 1e-8)), "is 1.00000001"),
    "a drift below zero": (at("kernel_drift", values=first(-0.1)), r"is -0\.1"),
    "a loss below zero": (at("loss", "network", values=[-1.0]), r"is -1\.0"),
    "a flag of two": (at("under_trained", "network", values=[2.0]), r"is 2\.0"),
    "NaN without a reason": (at("kernel_drift", values=first(math.nan)), "at 0, nan with"),
    "infinity without a reason": (at("loss", "network", values=[math.inf]), "at 0, inf with"),
    "a reason for a number": (at("loss", "network", reasons={"not_finite": [0]}), "at 0, "),
    "a reason that is none": (at("loss", "network", values=[math.nan], reasons={"moon": [0]}),
                              "at 0, nan with the reasons"),
    "another chain": (chain(n_states=5), "the chain is another one"),
    "a matrix cut short": (chain(transition=[1.0]), "the chain's transition are not 16 finite"),
    "a matrix of nothing": (chain(transition=[math.nan] * 16), "the chain's transition are not"),
    "a matrix that is none": (chain(transition=[0.3] * 16), "do not sum to one"),
    "a length below zero": (chain(corr_len=-1.0), "correlation length and entropies"),
    "a curve of another length": (training(curve_steps=[1]), "the curve of 1 steps"),
    "a curve that runs back": (training(curve_steps=[2, 1], curve_losses=[1.0, 1.0]),
                               "the curve of 2 steps"),
    "a curve beyond the end": (training(curve_steps=[5], curve_losses=[1.0]), "the curve of 1"),
    "a curve of nothing": (training(curve_steps=[1], curve_losses=[math.nan]), "the curve of 1"),
    "no weights": (training(weights=[]), r"weights are not those after the steps \(1, 2"),
    "weights cut short": (weights(lambda data: data[:-1]), "the weights of step 1 cannot be read"),
    "weights that are code": (weights(lambda _: b"\x80\x04cos\nsystem\n."), "cannot be read"),
    "weights with a NaN": (weights(_with_a_nan), "is not finite"),
    "weights of another kind": (weights(_in_doubles), "is of F64"),
    "weights of another network": (weights(_without_one), r"numbers, not \d+"),
    "no time": (lambda record: replace(record, seconds=math.nan), "it took nan s"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT.keys())
def test_what_is_no_measurement_is_named(asked: Any, spoil: Spoil, said: str) -> None:
    spec, record = asked
    with pytest.raises(UnsoundResultError, match="the result is unsound: ") as caught:
        require_sound(spoil(record), spec)
    assert re.search(said, str(caught.value)), caught.value


def test_of_many_faults_the_first_are_named(asked: Any) -> None:
    spec, record = asked
    with pytest.raises(UnsoundResultError, match=r"; and more$") as caught:
        require_sound(replace(record, quantities=[]), spec)
    assert len(str(caught.value)) < 500


def test_a_number_may_pass_an_end_of_its_range_by_rounding(asked: Any) -> None:
    spec, record = asked
    require_sound(at("cka", "pooled", values=first(1.0 + 5e-10))(record), spec)
    require_sound(at("effective_rank", values=first(8.0 + 4e-9))(record), spec)


def test_every_range_has_room_and_an_axis_that_counts() -> None:
    counts = dict.fromkeys(Axis, 3)
    for row in OBSERVABLES.values():
        assert row.range.holds(1.0, counts), row.name
