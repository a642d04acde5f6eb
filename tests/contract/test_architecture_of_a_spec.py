"""The network of a spec as plain values, by the names that `rgcore.architecture` takes."""

from __future__ import annotations

import json

from rgcontract import Submission


def test_an_architecture_is_its_sizes_and_choices_as_json_has_them() -> None:
    body = {
        "chain": {"n_states": 5},
        "data": {"seq_len": 9},
        "model": {"mixing": "flat", "depth": 3, "width": 7, "norm": "none"},
    }
    found = Submission.model_validate_json(json.dumps(body)).spec.architecture
    wanted = {
        "n_states": 5, "seq_len": 9, "mixing": "flat", "depth": 3, "width": 7,
        "norm": "none", "context": 0,
    }  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted
    assert all(type(value) in {str, int, float, bool} for value in found.values())
