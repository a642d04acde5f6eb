import pickle
from typing import Any

import pytest

from rgcore.training import PlanError, TrainingPlan

GOOD: dict[str, Any] = {
    "steps": 10,
    "batch_size": 4,
    "mask_prob": 0.15,
    "optimizer": "adamw",
    "lr": 1e-3,
    "schedule": "cosine",
    "weight_decay": 0.01,
    "grad_clip": 1.0,
}
NAN = float("nan")

WRONG = [
    ("steps", 0),
    ("batch_size", 0),
    ("mask_prob", 0.0),
    ("mask_prob", 1.0 + 1e-15),
    ("mask_prob", NAN),
    ("optimizer", "rmsprop"),
    ("schedule", "linear"),
    ("lr", 0.0),
    ("lr", -1e-3),
    ("lr", NAN),
    ("weight_decay", -1e-9),
    ("weight_decay", NAN),
    ("grad_clip", 0.0),
    ("grad_clip", NAN),
    ("momentum", -0.1),
    ("momentum", 1.0),
    ("momentum", NAN),
]

AT_THE_EDGE = [
    ("steps", 1),
    ("batch_size", 1),
    ("mask_prob", 1.0),
    ("lr", 5e-324),
    ("weight_decay", 0.0),
    ("grad_clip", None),
    ("grad_clip", 5e-324),
    ("momentum", 0.0),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_number_out_of_range_is_refused_with_field_and_value(field: Any, value: Any) -> None:
    with pytest.raises(PlanError) as refused:
        TrainingPlan(**{**GOOD, field: value})
    assert refused.value.field == field
    assert refused.value.value is value


@pytest.mark.parametrize(("field", "value"), AT_THE_EDGE)
def test_bounds_belong_to_what_is_allowed(field: Any, value: Any) -> None:
    assert getattr(TrainingPlan(**{**GOOD, field: value}), field) == value


def test_a_choice_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(PlanError, match="optimizer is 'lion'; allowed: adam, adamw, sgd"):
        TrainingPlan(**{**GOOD, "optimizer": "lion"})


def test_the_error_survives_a_pipe() -> None:
    error = pickle.loads(pickle.dumps(PlanError("lr", -1.0, "above 0")))
    assert (error.field, error.value, error.allowed) == ("lr", -1.0, "above 0")
    assert str(error) == "lr is -1.0; allowed: above 0"
