"""A spec unpacked into calls of the physics core, and its answer packed into a record.

The one place where the names of the wire meet those of `rgcore`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from rgcontract import ExperimentSpec
from rgcore.chain import Chain, make_chain
from rgcore.measurement import Measurement, measure
from rgcore.network import Architecture, build_network
from rgcore.training import Progress, TrainingPlan, derive_generator, train
from rgstore.leases import TrainingProgress
from rgstore.records import NETWORK_LEVEL, ChainRecord, Quantity, RunRecord

Report = Callable[[TrainingProgress], None]

MEASURING_SHARE = 0.05  # of the progress bar, for each of the two measurements


def chain_of(spec: ExperimentSpec) -> Chain:
    """The chain of a spec."""
    own = spec.chain.model_dump(exclude={"family", "n_states", "corr_len", "seed"})
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


def run(spec: ExperimentSpec, seed: int, *, device: torch.device, report: Report) -> RunRecord:
    """Measure, train and measure again: one seed of an experiment.

    Raises:
        DivergedError: the training loss is not finite.
    """
    started = time.monotonic()
    steps = spec.training.steps
    chain = chain_of(spec)
    network = build_network(architecture_of(spec), derive_generator(seed, "init")).to(device)

    def measured(step: int, begin: float) -> Measurement:
        report(TrainingProgress("measuring", begin, step, None))
        return measure(
            network,
            chain,
            seq_len=spec.data.seq_len,
            n_sequences=spec.measurement.n_sequences,
            mask_prob=spec.data.mask_prob,
            levels=[str(level) for level in spec.measurement.levels or ()],
            seed=seed,
            on_progress=lambda part: report(
                TrainingProgress("measuring", begin + part * MEASURING_SHARE, step, None)
            ),
        )

    def trained(progress: Progress) -> None:
        done = MEASURING_SHARE + (1 - 2 * MEASURING_SHARE) * progress.step / steps
        report(TrainingProgress("training", done, progress.step, progress.loss))

    initial = measured(0, 0.0)
    trace = train(
        network, chain, plan_of(spec), seed, seq_len=spec.data.seq_len, on_progress=trained
    )
    final = measured(steps, 1 - MEASURING_SHARE)
    return RunRecord(
        seconds=time.monotonic() - started,
        curve_steps=[int(step) for step in trace.steps],
        curve_losses=[float(loss) for loss in trace.losses],
        chain=_chain_record(chain),
        quantities=[*_quantities("initial", 0, initial), *_quantities("final", steps, final)],
    )


def _chain_record(chain: Chain) -> ChainRecord:
    return ChainRecord(
        family=chain.family,
        n_states=chain.n_states,
        corr_len=float(chain.corr_len),
        entropy_rate=float(chain.entropy_rate),
        unigram_entropy=float(chain.unigram_entropy),
        eigenvalues_real=np.real(chain.eigenvalues).tolist(),
        eigenvalues_imag=np.imag(chain.eigenvalues).tolist(),
        stationary=chain.stationary.tolist(),
        transition=chain.transition.ravel().tolist(),
    )


def _quantities(when: str, step: int, measurement: Measurement) -> Sequence[Quantity]:
    scalars = {
        "loss": measurement.loss,
        "bayes_loss": measurement.bayes_loss,
        "excess_loss": measurement.excess_loss,
        "gap_fraction": measurement.gap_fraction,
        "under_trained": float(measurement.under_trained),
    }
    found = [
        Quantity(when, step, NETWORK_LEVEL, name, measurement.n_masked, [], [float(value)], {})
        for name, value in scalars.items()
    ]
    for level, part in measurement.levels.items():
        for name, array in part.arrays.items():
            reasons: dict[str, list[int]] = {}
            for index, reason in part.reasons.get(name, {}).items():
                reasons.setdefault(reason, []).append(index)
            found.append(
                Quantity(
                    when,
                    step,
                    level,
                    name,
                    part.n_rows,
                    list(array.shape),
                    array.ravel().tolist(),
                    reasons,
                )
            )
    return found
