"""The shapes are what a worker makes of the experiments that they stand for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from benchmarks.shapes import SHAPES
from rgcontract import ExperimentSpec
from rgworker.unpack import architecture_of, chain_of, plan_of


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_the_default_spec_at_its_size(name: Any) -> None:
    shape = SHAPES[name]
    spec = ExperimentSpec.model_validate_json(json.dumps(shape.body(7)))
    problem = shape.problem(7)
    assert problem.arch == architecture_of(spec)
    assert problem.plan == plan_of(spec)
    assert problem.chain.family == spec.chain.family
    np.testing.assert_array_equal(problem.chain.transition, chain_of(spec).transition)
