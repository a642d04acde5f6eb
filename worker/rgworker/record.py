"""What was measured, as the store keeps it: plain values under the names of the wire."""

from __future__ import annotations

import math

import numpy as np

from rgcontract import ExperimentSpec
from rgcontract.observables import NETWORK, OBSERVABLES
from rgcore.chain import Chain
from rgcore.measurement import LevelMeasurement, Measurement
from rgstore.records import ChainRecord, Quantity


def chain_record(chain: Chain, spec: ExperimentSpec) -> ChainRecord:
    """What is known exactly of the chain, as far as the sequences go."""
    scales = chain.scale_corr_lens
    return ChainRecord(
        seed=spec.chain.seed,
        seq_len=spec.data.seq_len,
        family=chain.family,
        n_states=chain.n_states,
        corr_len=float(chain.corr_len),
        reversible=chain.reversible,
        scale_corr_lens=None if scales is None else scales.tolist(),
        mutual_information=chain.mutual_information(spec.data.seq_len - 1).tolist(),
        entropy_rate=float(chain.entropy_rate),
        unigram_entropy=float(chain.unigram_entropy),
        eigenvalues_real=np.real(chain.eigenvalues).tolist(),
        eigenvalues_imag=np.imag(chain.eigenvalues).tolist(),
        stationary=chain.stationary.tolist(),
        transition=chain.transition.ravel().tolist(),
        corr_len_error=chain.corr_len_error if math.isfinite(chain.corr_len_error) else None,
    )


def quantities(when: str, step: int, measurement: Measurement) -> list[Quantity]:
    """A measurement as the store keeps it."""
    null = when == "shuffled"  # nothing is to be learnt there, so no share of it exists
    scalars = {
        "loss": measurement.loss,
        "bayes_loss": measurement.bayes_loss,
        "excess_loss": measurement.excess_loss,
        "gap_fraction": math.nan if null else measurement.gap_fraction,
        "visible_bayes_loss": measurement.visible_bayes_loss,
        "view_fraction": math.nan if null else measurement.view_fraction,
        "under_trained": float(measurement.under_trained and not null),
    }
    found = [
        _scalar(when, step, NETWORK, name, measurement.n_masked, value)
        for name, value in scalars.items()
    ]
    for level, part in [*measurement.levels.items(), (NETWORK, measurement.network)]:
        found += [_quantity(when, step, level, name, part) for name in part.arrays]
        few = float(part.too_few_samples)
        found.append(_scalar(when, step, level, "too_few_samples", part.n_rows, few))
    return found


def _scalar(when: str, step: int, level: str, name: str, n_rows: int, value: float) -> Quantity:
    estimator = OBSERVABLES[name].estimator
    reason = "no_memory" if when == "shuffled" else "not_finite"
    reasons = {} if math.isfinite(value) else {reason: [0]}
    return Quantity(when, step, level, name, n_rows, estimator, [], [float(value)], None, reasons)


def _quantity(when: str, step: int, level: str, name: str, part: LevelMeasurement) -> Quantity:
    array, half = part.arrays[name], part.half.get(name)
    reasons: dict[str, list[int]] = {}
    for index, reason in part.reasons.get(name, {}).items():
        reasons.setdefault(reason, []).append(index)
    return Quantity(
        when=when,
        step=step,
        level=level,
        quantity=name,
        n_rows=part.n_rows,
        estimator=OBSERVABLES[name].estimator,
        shape=list(array.shape),
        values=array.ravel().tolist(),
        half=None if half is None else half.ravel().tolist(),
        reasons=reasons,
    )
