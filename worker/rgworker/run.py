"""One run of an experiment: a network is measured, trained and measured again."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from rgcontract import ExperimentSpec
from rgcore.cost import run_cost
from rgcore.fleet import Member
from rgcore.measurement import BayesReference, measure
from rgcore.network import ResidualNetwork, build_network
from rgcore.training import Progress, TrainingTrace, derive_generator
from rgstore.heartbeats import TrainingProgress
from rgstore.records import Quantity, RunRecord, Training, Weights, moment_name
from rgworker import subnormals
from rgworker.record import chain_record, quantities
from rgworker.unpack import architecture_of, chain_of, plan_of
from rgworker.weights import pack, unpack

Report = Callable[[TrainingProgress], None]


class MeasuredRun:
    """A run on its way: `begin`, then train it as a `member` or `restore` it, then its record.

    Args:
        spec: on one draw of its chain.
        seed: of the training.
        device: where the network computes.
        report: told how far it is.

    Attributes:
        seconds: working time so far; whoever trains adds this run's part of it.
        fleet: runs that were trained together; whoever trains says so.
        backend: what trains it, in words; whoever trains says so.
    """

    def __init__(
        self, spec: ExperimentSpec, seed: int, device: torch.device, report: Report
    ) -> None:
        started = time.monotonic()
        self.fleet = 1
        self.backend: str | None = None
        self._spec, self._seed, self._device, self._report = spec, seed, device, report
        with subnormals.kept():
            self._chain = chain_of(spec)
        self._moments = spec.measurement.moments(spec.training.steps)
        # of the progress, for each measurement: it goes by the time, so what is left can be told
        self._share = run_cost(architecture_of(spec), **spec.budget).measuring_share
        self._network = self._untrained()
        self._done = 0.0
        self._kept: list[Weights] = []
        self._quantities: list[Quantity] = []
        self._references: dict[str, BayesReference] = {}
        self.seconds = time.monotonic() - started

    def begin(self) -> None:
        """Measure the network as it is before training."""
        self._measure("initial", 0)

    def restart(self) -> None:
        """Back to just after `begin`."""
        self._network = self._untrained()
        self._done = self._share
        self._kept = []
        self._quantities = [one for one in self._quantities if one.when == "initial"]

    def member(self) -> Member:
        """What is to be trained."""
        return Member(
            self._network, self._chain, plan_of(self._spec), self._seed, stops=self._moments
        )

    @property
    def seq_len(self) -> int:
        """Tokens per sequence."""
        return self._spec.data.seq_len

    def advanced(self, progress: Progress) -> None:
        """It has been trained so far."""
        training_share = 1 - self._share * (len(self._moments) + 2)
        measured = self._share * (1 + len(self._kept))
        self._done = measured + training_share * progress.step / progress.steps
        self._say("training", self._done, progress.step, progress.loss)

    def look(self, step: int) -> None:
        """Keep the weights as they are after so many steps, and measure."""
        self._kept.append(Weights(step, pack(self._network)))
        self._measure_after(step)

    def trained(self, trace: TrainingTrace) -> RunRecord:
        """What is stored of it, once it has been looked at for the last time."""
        training = Training(trace.steps.tolist(), trace.losses.tolist(), self._kept)
        return self._record(training, trained=True)

    def restore(self, stored: Training) -> RunRecord:
        """The same from the weights of an earlier training, measured at the same moments."""
        for weights in stored.weights:
            unpack(weights.data, self._network)
            self._measure_after(weights.step)
        return self._record(stored, trained=False)

    def _record(self, training: Training, *, trained: bool) -> RunRecord:
        self._measure("shuffled", self._spec.training.steps)
        started = time.monotonic()
        chain = chain_record(self._chain, self._spec)
        self.seconds += time.monotonic() - started
        return RunRecord(
            seconds=self.seconds,
            trained=trained,
            training=training,
            chain=chain,
            quantities=self._quantities,
            fleet=self.fleet,
            backend=self.backend if trained else None,
        )

    def _untrained(self) -> ResidualNetwork:
        generator = derive_generator(self._seed, "init")
        return build_network(architecture_of(self._spec), generator).to(self._device)

    def _measure_after(self, step: int) -> None:
        self._measure(moment_name(step, self._spec.training.steps), step)

    def _measure(self, when: str, step: int) -> None:
        started = time.monotonic()
        begin = self._done
        chain = self._chain.shuffled() if when == "shuffled" else self._chain
        found = measure(
            self._network,
            chain,
            seq_len=self.seq_len,
            n_sequences=self._spec.measurement.n_sequences,
            mask_prob=self._spec.data.mask_prob,
            levels=[str(level) for level in self._spec.measurement.levels or ()],
            kernel=self._spec.measurement.kernel,
            seed=self._seed,
            bayes=self._references.get(chain.family),
            on_progress=lambda part: self._say("measuring", begin + part * self._share, step, None),
        )
        self._references[chain.family] = found.bayes
        self._quantities += quantities(when, step, found)
        self._done = begin + self._share
        self.seconds += time.monotonic() - started

    def _say(self, phase: str, fraction: float, step: int, loss: float | None) -> None:
        self._report(TrainingProgress(phase, min(fraction, 1.0), step, loss))
