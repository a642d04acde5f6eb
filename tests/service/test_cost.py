"""The forecast of a run against closed forms and peaks of memory that were measured."""

from __future__ import annotations

import json

from rgcontract import ExperimentSpec
from rgservice.cost import cost_of_run


def _cost(**sections):
    return cost_of_run(ExperimentSpec.model_validate_json(json.dumps(sections)))


def test_the_read_outs_of_many_states_take_memory():
    cost = _cost(
        chain={"n_states": 256},
        data={"seq_len": 1024, "mask_prob": 0.9},
        model={"context": 1, "depth": 1, "width": 8},
        training={"steps": 1, "batch_size": 8},
        measurement={"n_sequences": 512},
    )
    measured = 3140 * 2**20  # peak of the process
    assert measured / 2 < cost.memory_bytes < 2 * measured


def test_the_logits_of_many_states_take_memory():
    cost = _cost(
        chain={"n_states": 256},
        data={"seq_len": 64, "mask_prob": 0.9},
        model={"context": 1, "depth": 1, "width": 2},
        training={"steps": 1, "batch_size": 2048},
        measurement={"n_sequences": 64},
    )
    measured = 803 * 2**20  # peak of the process
    assert measured / 1.5 < cost.memory_bytes < 1.5 * measured


def test_positions_that_take_turns_run_the_network_once_each_time():
    model = {"mixing": "mixer", "width": 512}  # depth 8: two of 32 positions fit at a time

    def flops(steps, level):
        return _cost(
            model=model,
            training={"steps": steps, "batch_size": 4096},
            measurement={"n_sequences": 4096, "levels": [level]},
        ).flops

    forward = (flops(2, "pooled") - flops(1, "pooled")) / 3  # a step is one way there, two back
    more = flops(1, "position") - flops(1, "pooled")
    assert abs(more / (3 * 16 * forward) - 1) < 1e-9  # three measurements, rounding
