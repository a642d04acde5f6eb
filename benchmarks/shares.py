"""Where the time of a run goes, for each mixing: a step, its sampling, the measuring around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.effort import Effort
from benchmarks.shapes import Problem
from benchmarks.timing import Timing, repeated, threads
from rgcontract import ExperimentSpec
from rgcore.measurement import BayesReference, bayes_reference, measure
from rgcore.training import BatchStream, derive_generator, train
from rgworker.unpack import architecture_of, chain_of, plan_of

SEED = 0
MEASUREMENTS = 3
"""Of a run: untrained, trained, and on the shuffled chain."""
REFERENCES = 2
"""Best losses that a run computes: of the chain and of the shuffled one."""


@dataclass(frozen=True)
class Shares:
    """Costs of one run on one core.

    Attributes:
        mixing: of the network.
        steps: of the run.
        step: seconds that one takes.
        sampling: seconds of it for its sequences and masks.
        measurement: seconds for all observables of one network.
        reference: seconds for the best losses on its sequences.
    """

    mixing: str
    steps: int
    step: Timing
    sampling: Timing
    measurement: Timing
    reference: Timing

    @property
    def training(self) -> float:
        """Seconds."""
        return self.steps * self.step.median

    @property
    def measuring(self) -> float:
        """Seconds."""
        return MEASUREMENTS * self.measurement.median + REFERENCES * self.reference.median

    @property
    def measuring_share(self) -> float:
        """Of the run."""
        return self.measuring / (self.training + self.measuring)

    @property
    def sampling_share(self) -> float:
        """Of a step."""
        return self.sampling.median / self.step.median


def shares(mixing: str, effort: Effort) -> Shares:
    """The shares of the default spec with this mixing.

    A run is put together from its parts: as many steps as the spec has would take minutes.
    """
    sections = {name: dict(section) for name, section in effort.spec.items()}
    sections["model"] = {**sections.get("model", {}), "mixing": mixing}
    spec = ExperimentSpec.model_validate_json(json.dumps(sections))
    problem = Problem(chain_of(spec), architecture_of(spec), plan_of(spec))
    bayes = _reference(problem, spec)

    def timed(work: Callable[[], object], units: int = 1) -> Timing:
        once = repeated(work, units=units)
        return Timing(tuple(once() for _ in range(effort.share_rounds)))

    with threads(1):
        _steps(problem, 1)  # loads what the first call loads
        return Shares(
            mixing=mixing,
            steps=problem.plan.steps,
            step=timed(lambda: _steps(problem, effort.share_steps), effort.share_steps),
            sampling=timed(lambda: _batches(problem, effort.share_steps), effort.share_steps),
            measurement=timed(lambda: _measurement(problem, spec, bayes)),
            reference=timed(lambda: _reference(problem, spec)),
        )


def _steps(problem: Problem, n: int) -> None:
    plan = replace(problem.plan, steps=n)
    train(problem.network(SEED), problem.chain, plan, SEED, seq_len=problem.arch.seq_len)


def _batches(problem: Problem, n: int) -> None:
    plan, generator = problem.plan, derive_generator(SEED, "data")
    seq_len = problem.arch.seq_len
    stream = BatchStream(problem.chain, plan.batch_size, seq_len, plan.mask_prob, generator)
    for _ in range(n):
        stream.next()


def _measurement(problem: Problem, spec: ExperimentSpec, bayes: BayesReference) -> None:
    measure(
        problem.network(SEED),
        problem.chain,
        seq_len=spec.data.seq_len,
        n_sequences=spec.measurement.n_sequences,
        mask_prob=spec.data.mask_prob,
        levels=[str(level) for level in spec.measurement.levels or ()],
        seed=SEED,
        bayes=bayes,
    )


def _reference(problem: Problem, spec: ExperimentSpec) -> BayesReference:
    return bayes_reference(
        problem.chain,
        seq_len=spec.data.seq_len,
        n_sequences=spec.measurement.n_sequences,
        mask_prob=spec.data.mask_prob,
        seed=SEED,
        view_radius=problem.arch.view_radius,
    )
