"""What runs leave behind, in the form of the real thing, without the minutes that it takes."""

from __future__ import annotations

from rgcontract import ExperimentSpec
from rgcore.measurement import measure
from rgcore.network import build_network
from rgcore.training import derive_generator
from rgstore.records import RunRecord, Training
from rgworker.record import chain_record, quantities
from rgworker.unpack import architecture_of, chain_of

SAMPLED = 64
"""Sequences: they decide the numbers, not how many there are."""
CURVE_POINTS = 150


def record_of(spec: ExperimentSpec) -> RunRecord:
    """What a run of a spec would store, with the numbers of its untrained network throughout."""
    draw, seed = spec.runs[0]
    spec = spec.of_draw(draw)
    chain = chain_of(spec)
    found = measure(
        build_network(architecture_of(spec), derive_generator(seed, "init")),
        chain,
        seq_len=spec.data.seq_len,
        n_sequences=SAMPLED,
        mask_prob=spec.data.mask_prob,
        levels=[str(level) for level in spec.measurement.levels or ()],
        seed=seed,
    )
    curve = range(1, CURVE_POINTS + 1)
    steps = spec.training.steps
    moments = {"initial": 0, "final": steps, "shuffled": steps}
    return RunRecord(
        seconds=60.0,
        trained=True,
        training=Training(list(curve), [1.0 / step for step in curve], []),
        chain=chain_record(chain, spec),
        quantities=[one for when, step in moments.items() for one in quantities(when, step, found)],
    )
