"""A spec unpacked into calls of the physics core, and its answer packed into a record.

The one place where the names of the wire meet those of `rgcore`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import torch

from rgcontract import ExperimentSpec
from rgcore.chain import Chain, make_chain
from rgcore.measurement import (
    ESTIMATORS,
    BayesReference,
    LevelMeasurement,
    Measurement,
    measure,
)
from rgcore.network import Architecture, build_network
from rgcore.training import Progress, TrainingPlan, derive_generator, train
from rgstore.leases import TrainingProgress
from rgstore.records import NETWORK_LEVEL, ChainRecord, Quantity, RunRecord, Training, Weights
from rgworker.weights import pack, unpack

Report = Callable[[TrainingProgress], None]

MEASURING_SHARE = 0.06  # of the progress bar, for each measurement
MOST_MEASURING = 0.5  # of the progress bar, for all of them


def chain_of(spec: ExperimentSpec) -> Chain:
    """The chain of a spec on one draw."""
    own = spec.chain.model_dump(exclude={"family", "n_states", "corr_len", "seed", "seeds"})
    return make_chain(
        spec.chain.family, spec.chain.n_states, spec.chain.corr_len, seed=spec.chain.seed, **own
    )


def architecture_of(spec: ExperimentSpec) -> Architecture:
    """The network of a spec."""
    model = spec.model
    return Architecture(
        n_states=spec.chain.n_states,
        seq_len=spec.data.seq_len,
        mixing=model.mixing,
        context=model.context or 0,
        depth=model.depth,
        width=model.width,
        hidden_ratio=model.hidden_ratio,
        activation=model.activation,
        norm=model.norm,
        residual_scale=model.residual_scale,
        init_scale=model.init_scale,
    )


def plan_of(spec: ExperimentSpec) -> TrainingPlan:
    """The training budget of a spec."""
    training = spec.training
    return TrainingPlan(
        steps=training.steps,
        batch_size=training.batch_size,
        mask_prob=spec.data.mask_prob,
        optimizer=training.optimizer,
        lr=training.lr,
        schedule=training.schedule,
        weight_decay=training.weight_decay,
        grad_clip=training.grad_clip,
    )


def run(
    spec: ExperimentSpec,
    seed: int,
    *,
    stored: Training | None,
    device: torch.device,
    report: Report,
) -> RunRecord:
    """Measure, train and measure again: one run of an experiment.

    Args:
        spec: on one draw of its chain.
        seed: of the training.
        stored: what an earlier training left; its weights are then measured, nothing is trained.
        device: where the network computes.
        report: told how far it is.

    Raises:
        DivergedError: the training loss is not finite.
    """
    started = time.monotonic()
    session = _Measuring(spec, seed, device, report)
    session.measure("initial", 0)
    training = session.train() if stored is None else session.restore(stored)
    session.measure("shuffled", spec.training.steps)
    return RunRecord(
        seconds=time.monotonic() - started,
        trained=stored is None,
        training=training,
        chain=chain_record(session.chain, spec),
        quantities=session.quantities,
    )


class _Measuring:
    """A network on its way through a run: trained step by step, or restored, and measured."""

    def __init__(
        self, spec: ExperimentSpec, seed: int, device: torch.device, report: Report
    ) -> None:
        self.spec, self.seed, self.report = spec, seed, report
        self.chain = chain_of(spec)
        architecture = architecture_of(spec)
        self.network = build_network(architecture, derive_generator(seed, "init")).to(device)
        self.moments = spec.measurement.moments(spec.training.steps)
        self.share = min(MEASURING_SHARE, MOST_MEASURING / (len(self.moments) + 2))
        self.done = 0.0
        self.quantities: list[Quantity] = []
        self.references: dict[str, BayesReference] = {}

    def measure(self, when: str, step: int) -> None:
        """Measure the network as it is now."""
        begin = self.done
        chain = self.chain.shuffled() if when == "shuffled" else self.chain
        found = measure(
            self.network,
            chain,
            seq_len=self.spec.data.seq_len,
            n_sequences=self.spec.measurement.n_sequences,
            mask_prob=self.spec.data.mask_prob,
            levels=[str(level) for level in self.spec.measurement.levels or ()],
            seed=self.seed,
            bayes=self.references.get(chain.family),
            on_progress=lambda part: self._say("measuring", begin + part * self.share, step, None),
        )
        self.references[chain.family] = found.bayes
        self.quantities += quantities(when, step, found)
        self.done = begin + self.share

    def train(self) -> Training:
        """Train to the end, measuring on the way."""
        steps = self.spec.training.steps
        kept: list[Weights] = []
        training_share = 1 - self.share * (len(self.moments) + 2)

        def look(step: int) -> None:
            kept.append(Weights(step, pack(self.network)))
            self._measure_after(step)

        def trained(progress: Progress) -> None:
            measured = self.share * (1 + len(kept))
            done = measured + training_share * progress.step / steps
            self._say("training", done, progress.step, progress.loss)
            self.done = done

        trace = train(
            self.network,
            self.chain,
            plan_of(self.spec),
            self.seed,
            seq_len=self.spec.data.seq_len,
            on_progress=trained,
            stops=self.moments,
            on_stop=look,
        )
        return Training(trace.steps.tolist(), trace.losses.tolist(), kept)

    def restore(self, stored: Training) -> Training:
        """Measure an earlier training at the same moments."""
        for weights in stored.weights:
            unpack(weights.data, self.network)
            self._measure_after(weights.step)
        return stored

    def _measure_after(self, step: int) -> None:
        self.measure("final" if step == self.spec.training.steps else f"step_{step}", step)

    def _say(self, phase: str, fraction: float, step: int, loss: float | None) -> None:
        self.report(TrainingProgress(phase, min(fraction, 1.0), step, loss))


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
        _scalar(when, step, NETWORK_LEVEL, name, measurement.n_masked, value)
        for name, value in scalars.items()
    ]
    for level, part in [*measurement.levels.items(), (NETWORK_LEVEL, measurement.network)]:
        found += [_quantity(when, step, level, name, part) for name in part.arrays]
        few = float(part.too_few_samples)
        found.append(_scalar(when, step, level, "too_few_samples", part.n_rows, few))
    return found


def _scalar(when: str, step: int, level: str, name: str, n_rows: int, value: float) -> Quantity:
    estimator = ESTIMATORS.get(name, "")
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
        estimator=ESTIMATORS[name],
        shape=list(array.shape),
        values=array.ravel().tolist(),
        half=None if half is None else half.ravel().tolist(),
        reasons=reasons,
    )
