"""A field or value that is new to specs counts the schema up: workers claim what they can read."""

from __future__ import annotations

from typing import Any

from rgcontract import SCHEMA, ExperimentSpec

CHAIN = "n_states corr_len seed family"
READ_BY_1 = {
    "ExperimentSpec": "chain data model training measurement seeds",
    "DataSpec": "seq_len mask_prob",
    "ModelSpec": "mixing context depth width hidden_ratio activation norm residual_scale init_scale"
    " relu gelu tanh silu none layer rms",
    "Mixing": "context flat mixer window",
    "TrainingSpec": "steps batch_size optimizer lr schedule weight_decay grad_clip"
    " adamw adam sgd constant cosine one_cycle",
    "MeasurementSpec": "n_sequences levels kernel at linear final log",
    "Level": "position token masked pooled sequence",
    "ExplicitChain": f"{CHAIN} matrix explicit",
    "HierarchicalChain": f"{CHAIN} branching scales hierarchical",
    "PottsChain": f"{CHAIN} potts",
    "RandomReversibleChain": f"{CHAIN} concentration seeds random_reversible",
    "RingChain": f"{CHAIN} ring",
    "SpectrumChain": f"{CHAIN} eigenvalues spectrum",
}
"""Fields and values of a spec that the first workers read."""
READ_BY = {1: READ_BY_1}
"""Only grows: whoever adds a field, or a value, adds a number with all that there is then."""


def _values(schema: Any) -> set[str]:
    """Every value that a JSON schema names."""
    if isinstance(schema, list):
        return set().union(*map(_values, schema))
    if not isinstance(schema, dict):
        return set()
    named = {*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])}
    parts = (part for name, part in schema.items() if name != "default")
    return named.union(*map(_values, parts))


def test_the_newest_schema_is_what_is_read_now() -> None:
    root = ExperimentSpec.model_json_schema()
    sections = {**root.pop("$defs"), "ExperimentSpec": root}
    found = {
        name: {*section.get("properties", {})} | _values(section)
        for name, section in sections.items()
    }
    assert found == {name: set(text.split()) for name, text in READ_BY[SCHEMA].items()}


def test_schemas_are_counted_without_a_gap() -> None:
    assert list(READ_BY) == list(range(1, SCHEMA + 1))
