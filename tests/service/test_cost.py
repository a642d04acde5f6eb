"""The forecast of a run against peaks of memory that were measured, and what a server allows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rgcontract import ExperimentSpec
from rgservice.experiments.cost import cost_of_run

MIB = 2**20
MEASURED = [  # peaks of a process that did the run
    pytest.param(
        {
            "chain": {"n_states": 256},
            "data": {"seq_len": 1024, "mask_prob": 0.9},
            "model": {"context": 1, "depth": 1, "width": 8},
            "training": {"steps": 1, "batch_size": 8},
            "measurement": {"n_sequences": 512},
        },
        618,
        id="read-outs of many states",
    ),
    pytest.param(
        {
            "chain": {"n_states": 256},
            "data": {"seq_len": 64, "mask_prob": 0.9},
            "model": {"context": 1, "depth": 1, "width": 2},
            "training": {"steps": 1, "batch_size": 2048},
            "measurement": {"n_sequences": 64},
        },
        866,
        id="logits of many states",
    ),
    pytest.param({"training": {"steps": 3}}, 491, id="default"),
    pytest.param(
        {
            "data": {"seq_len": 64},
            "model": {"width": 256, "depth": 16},
            "training": {"steps": 2},
            "measurement": {"n_sequences": 256},
        },
        2205,
        id="moments of many positions",
    ),
    pytest.param(
        {"model": {"mixing": "flat", "width": 256}, "training": {"steps": 2}}, 644, id="flat"
    ),
]


@pytest.mark.parametrize(("spec", "mib"), MEASURED)
def test_the_memory_of_a_run_is_forecast_within_a_half(spec: Any, mib: Any) -> None:
    cost = cost_of_run(ExperimentSpec.model_validate_json(json.dumps(spec)))
    assert mib / 1.5 < cost.memory_bytes / MIB < 1.5 * mib
