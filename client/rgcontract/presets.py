"""Studies with a name."""

from __future__ import annotations

from typing import Any

from rgcontract.networks import has_window

_ARCHITECTURES: dict[str, Any] = {
    "mixing": ["context", "flat", "mixer", "window"],
    "norm": ["layer", "none"],
    "activation": ["gelu", "relu"],
}

PRESETS: dict[str, dict[str, Any]] = {
    # every architecture of the question, at full size: days on two cores
    "paper": {
        "name": "paper: does depth coarse-grain, and selectively?",
        "chain": {"family": "random_reversible", "n_states": 16, "corr_len": [1, 2, 3, 5, 7, 10]},
        "model": {**_ARCHITECTURES, "depth": 8, "width": 64},
        "training": {"steps": 1500, "batch_size": 128, "lr": 1e-3},
        "measurement": {"n_sequences": 4096, "at": "log"},
        "seeds": 5,
    },
    # the part of it that two cores measure in less than half an hour
    "paper-part": {
        "name": "paper, the part for two cores: each position by itself, two correlation lengths",
        "chain": {"family": "random_reversible", "n_states": 16, "corr_len": [1, 7]},
        "model": {**_ARCHITECTURES, "mixing": "context", "depth": 8, "width": 64},
        "training": {"steps": 1500, "batch_size": 128, "lr": 1e-3},
        "measurement": {"n_sequences": 4096},
        "seeds": 5,
    },
    # all of its architectures, at a size that two cores measure in less than half an hour
    "paper-small": {
        "name": "paper, small: every architecture, two correlation lengths",
        "chain": {"family": "random_reversible", "n_states": 8, "corr_len": [1, 7]},
        "data": {"seq_len": 16},
        "model": {**_ARCHITECTURES, "depth": 6, "width": 32},
        "training": {"steps": 600, "batch_size": 128, "lr": 3e-3},
        "measurement": {"n_sequences": 2048},
        "seeds": 5,
    },
    # a few minutes on two cores
    "demo": {
        "name": "demo: the contrast of a short and a long correlation length",
        "chain": {"family": "random_reversible", "n_states": 16, "corr_len": [1, 7]},
        "model": {"mixing": "context", "depth": 6, "width": 32, "hidden_ratio": 2.0},
        "training": {"steps": 1200, "lr": 3e-3},
        "measurement": {"n_sequences": 2048},
        "seeds": 3,
    },
    # seconds: whether everything works, nothing to be believed
    "smoke": {
        "name": "smoke: whether everything works",
        "chain": {"n_states": 4, "corr_len": [1, 3]},
        "data": {"seq_len": 8},
        "model": {"context": 1, "depth": 2, "width": 8, "hidden_ratio": 1.0},
        "training": {"steps": 20, "batch_size": 16},
        "measurement": {"n_sequences": 64},
        "seeds": 3,
    },
}


def with_preset(fields: dict[str, Any]) -> dict[str, Any]:
    """A request with its preset filled in under the fields that it gives; unknown names stay.

    Example:
        >>> filled = with_preset({"preset": "smoke", "seeds": 5, "training": {"steps": 30}})
        >>> filled["seeds"], filled["training"]
        (5, {'steps': 30, 'batch_size': 16})
    """
    preset = PRESETS.get(str(fields.get("preset")))
    if preset is None:
        return fields
    filled = {**preset, **fields}
    for section, values in preset.items():
        if isinstance(values, dict) and isinstance(fields.get(section), dict):
            filled[section] = {**values, **fields[section]}
    model = fields.get("model")
    if isinstance(model, dict) and "context" not in model and _has_no_window(model.get("mixing")):
        filled["model"].pop("context", None)  # the preset's radius is for another mixing
    return {name: value for name, value in filled.items() if name != "preset"}


def _has_no_window(mixing: Any) -> bool:
    """Of a list, each cell says for itself."""
    return isinstance(mixing, str) and not has_window(mixing)
