"""Stage `measuring`: what a measurement of a trained network takes, part by part."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial

import torch

from benchmarks.gpu.part import Part, milliseconds
from benchmarks.gpu.problems import members
from benchmarks.gpu.setting import CPU, Setting
from benchmarks.shapes import SHAPES, Problem, Shape
from benchmarks.timing import Timing
from rgcore.cost.passes import ALL_PAIRS
from rgcore.measurement import (
    LEVELS_OF,
    BayesReference,
    Measurement,
    Moments,
    bayes_reference,
    measure,
)
from rgcore.measurement.correlation import StreamCorrelation
from rgcore.measurement.levels import ROWS_OF
from rgcore.measurement.observe import observe
from rgcore.measurement.relevance import Relevance
from rgcore.measurement.sequences import Sequences
from rgcore.network import ResidualNetwork
from rgcore.training import train

SEED, BATCH = 0, 128
EPS = torch.finfo(torch.float32).eps
STEPS = 100
SEQUENCES = {"S": 4096, "M": 1024}
TOY_STEPS, TOY_SEQUENCES = 2, {"tiny": 128}


def run(setting: Setting, part: Part) -> None:
    """A row for each part of a measurement, first on the device, then on the CPU."""
    sequences = TOY_SEQUENCES if setting.toy else SEQUENCES
    trained = {name: _trained(setting, name) for name in sequences}
    part.set(sequences=sequences)
    for device in dict.fromkeys((setting.device, CPU)):
        for name, (problem, network) in trained.items():
            here = copy.deepcopy(network).to(device)
            _measure(setting, part, SHAPES[name], problem, here, sequences[name])


def _trained(setting: Setting, name: str) -> tuple[Problem, ResidualNetwork]:
    problem = SHAPES[name].problem(TOY_STEPS if setting.toy else STEPS)
    member = members(problem, [SEED], setting.device)[0]
    train(member.network, member.chain, member.plan, SEED, seq_len=problem.arch.seq_len)
    return problem, member.network


@torch.no_grad()
def _measure(
    setting: Setting,
    part: Part,
    shape: Shape,
    problem: Problem,
    network: ResidualNetwork,
    n_sequences: int,
) -> None:
    """The rows of one network on the device where it is."""
    device = next(network.parameters()).device
    clock = Setting(device, setting.toy, setting.left)
    of = {"shape": str(shape), "device": device.type}
    for what, work in parts(problem, network, n_sequences):
        once = clock.timed(work)
        once()  # loads what the first call loads
        part.add(**of, part=what, ms=milliseconds(Timing((once(),))))
        if setting.left < 0:
            part.add(**of, part="the rest", note="not measured: no time left")
            return


def parts(
    problem: Problem, network: ResidualNetwork, n_sequences: int
) -> Iterator[tuple[str, Callable[[], object]]]:
    """What a measurement does, each by itself, then all of it.

    Sums are timed on the streams of one batch, added as often as there are batches.
    """
    arch, plan, chain = problem.arch, problem.plan, problem.chain
    device = next(network.parameters()).device
    sequences = Sequences(chain, arch.seq_len, n_sequences, plan.mask_prob, SEED)
    yield "sequences", lambda: list(sequences.blocks())

    def reference() -> BayesReference:
        return bayes_reference(
            chain,
            seq_len=arch.seq_len,
            n_sequences=n_sequences,
            mask_prob=plan.mask_prob,
            seed=SEED,
            view_radius=arch.view_radius,
        )

    yield "best losses", reference
    batches = [batch for _, batch in sequences.batches(BATCH)]

    def forward() -> None:
        for batch in batches:
            for _ in network.streams(batch.inputs.to(device)):
                pass

    yield "forward", forward
    streams = list(network.streams(batches[0].inputs.to(device)))
    mask = batches[0].mask.to(device)
    n_layers, width = len(streams), arch.width

    def sums(level: str) -> Moments:
        groups = arch.seq_len if level == "position" else 1
        moments = Moments(n_layers, groups, width, device, complete=level in ALL_PAIRS)
        for _ in batches:
            for layer, stream in enumerate(streams):
                moments.add(layer, ROWS_OF[level](stream, mask))
        return moments

    for level in LEVELS_OF[arch.mixing]:
        yield f"sums, {level}", partial(sums, level)
        moments = sums(level)
        yield f"observables, {level}", partial(observe, moments, EPS, all_pairs=level in ALL_PAIRS)

    def targets() -> None:
        for batch in batches:
            Relevance(arch, chain, device, EPS).begin(0, batch)

    yield "targets of read-outs", targets

    def read_out() -> None:
        relevance = Relevance(arch, chain, device, EPS)
        relevance.begin(0, batches[0])
        for _ in batches:
            for layer, stream in enumerate(streams):
                relevance.add(layer, stream)

    yield "sums of read-outs", read_out

    def correlation() -> None:
        found = StreamCorrelation(n_layers, arch.seq_len, width, device, EPS)
        for _ in batches:
            for layer, stream in enumerate(streams):
                found.add(layer, stream)

    yield "sums of correlations", correlation
    bayes = reference()

    def whole() -> Measurement:
        return measure(
            network,
            chain,
            seq_len=arch.seq_len,
            n_sequences=n_sequences,
            mask_prob=plan.mask_prob,
            levels=LEVELS_OF[arch.mixing],
            seed=SEED,
            bayes=bayes,
        )

    yield "all but the best losses", whole
