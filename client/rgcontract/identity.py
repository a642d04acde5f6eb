"""Two-level identity of an experiment.

The training hash covers what decides the trained weights. The measurement hash adds what decides
the numbers read off them, and the version of the protocol that reads them. Seeds, label, tags,
priority and owner are in neither: more seeds are more runs of the same experiment. A spec has one
form, in which defaults are filled in and what decides nothing is at its default, so that it has
one name, on every machine.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rgcontract.about import Decides, abouts
from rgcontract.chains import Chain
from rgcontract.forms import kept
from rgcontract.section import Section
from rgcontract.spec import ExperimentSpec

TRAINING_PROTOCOL = 2
"""Bumped by hand when the same spec would train to other weights."""
PROTOCOL = 3
"""Bumped by hand when the same weights would measure to other numbers."""


def canonical_json(value: Any) -> str:
    """The one way a JSON value is written: sorted keys, no spaces, shortest round-trip floats.

    Example:
        >>> canonical_json({"b": 1.0, "a": [0.1, None]})
        '{"a":[0.1,null],"b":1.0}'
    """
    written = _written(value)
    return _written(_plain(value)) if "-0.0" in written else written


def _written(value: Any) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value + 0.0  # -0.0 and 0.0 are one number
    return value


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _canonical(section: Section) -> dict[str, Any]:
    """What names a part of a spec: without what is as before and what a linear algebra has made.

    Floats stay floats: 7 and 7.0 are the same correlation length.
    """
    rows = abouts(type(section))
    return {
        name: value
        for name, value in kept(section).items()
        if not (rows[name].derived or rows[name].is_as_before(value))
    }


def chain_hash(chain: Chain) -> str:
    """SHA-256 of a chain section: what decides the transition matrix, or the draws of it."""
    return _digest(_canonical(chain))


def training_hash(spec: ExperimentSpec) -> str:
    """SHA-256 of what decides the trained weights of a seed; on one chain, see `of_draw`.

    Example:
        >>> spec = ExperimentSpec.model_validate({"chain": {"corr_len": 7.0}})
        >>> more = {"chain": {"corr_len": 7.0}, "measurement": {"n_sequences": 8192}}
        >>> training_hash(spec) == training_hash(ExperimentSpec.model_validate(more))
        True
    """
    return _digest(_trained(spec))


def shape_hash(spec: ExperimentSpec) -> str:
    """SHA-256 of what networks that are trained as one fleet have in common.

    That is the architecture and the schedule. Chain, seed, learning rate, weight decay and the
    bound on the gradient are each member's own.

    Example:
        >>> short = ExperimentSpec.model_validate({"chain": {"corr_len": 1.0}})
        >>> other = {"chain": {"corr_len": 7.0}, "training": {"lr": 0.01}}
        >>> long = ExperimentSpec.model_validate(other)
        >>> shape_hash(short) == shape_hash(long)
        True
    """
    shared: dict[str, Any] = {}
    for name, part in _parts(spec, Decides.WEIGHTS).items():
        own = abouts(type(spec))[name].own or False
        if not isinstance(part, Section):
            shared |= {} if own else {name: part}
        elif own:  # what members have in common of it stands by itself
            shared |= _shared(part, own=True)
        else:
            shared[name] = _shared(part, own=False)
    return _digest(shared)


def _shared(section: Section, *, own: bool) -> dict[str, Any]:
    """What all members of a fleet have in common; `own` for fields that do not say."""
    rows = abouts(type(section))
    return {
        name: value
        for name, value in _canonical(section).items()
        if not (own if rows[name].own is None else rows[name].own)
    }


def measurement_hash(spec: ExperimentSpec, protocol: int = PROTOCOL) -> str:
    """SHA-256 of what decides the numbers of a seed: the `spec_hash` of an experiment.

    Example:
        >>> spec = ExperimentSpec.model_validate({"chain": {"corr_len": 7.0}})
        >>> written_out = ExperimentSpec.model_validate({"chain": {"corr_len": 7.0, "seed": 0}})
        >>> measurement_hash(spec) == measurement_hash(written_out)
        True
        >>> measurement_hash(spec) == measurement_hash(spec, protocol=1)
        False
    """
    measured = {**_decided(spec, Decides.NUMBERS), "protocol": protocol}
    return _digest({**_trained(spec), **measured})


def _trained(spec: ExperimentSpec) -> dict[str, Any]:
    return {**_decided(spec, Decides.WEIGHTS), "training_protocol": TRAINING_PROTOCOL}


def _decided(spec: ExperimentSpec, what: Decides) -> dict[str, Any]:
    """The canonical form of the parts that decide something."""
    return {
        name: _canonical(part) if isinstance(part, Section) else part
        for name, part in _parts(spec, what).items()
    }


def _parts(spec: ExperimentSpec, what: Decides) -> dict[str, Any]:
    """The parts that decide something, unless they are as before."""
    parts = {name: (row, getattr(spec, name)) for name, row in abouts(type(spec)).items()}
    return {
        name: part
        for name, (row, part) in parts.items()
        if row.decides is what and not row.is_as_before(part)
    }
