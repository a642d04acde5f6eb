"""One run of an experiment: a network is measured, trained and measured again."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from rgcontract import ExperimentSpec
from rgcore.measurement import BayesReference, measure
from rgcore.network import build_network
from rgcore.training import Progress, derive_generator, train
from rgstore.leases import TrainingProgress
from rgstore.records import Quantity, RunRecord, Training, Weights
from rgworker.record import chain_record, quantities
from rgworker.unpack import architecture_of, chain_of, plan_of
from rgworker.weights import pack, unpack

Report = Callable[[TrainingProgress], None]

MEASURING_SHARE = 0.06  # of the progress bar, for each measurement
MOST_MEASURING = 0.5  # of the progress bar, for all of them


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
    network = _Measured(spec, seed, device, report)
    network.measure("initial", 0)
    training = network.train() if stored is None else network.restore(stored)
    network.measure("shuffled", spec.training.steps)
    return RunRecord(
        seconds=time.monotonic() - started,
        trained=stored is None,
        training=training,
        chain=chain_record(network.chain, spec),
        quantities=network.quantities,
    )


class _Measured:
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
