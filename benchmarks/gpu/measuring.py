"""Stage `measuring`: what a measurement of a trained network takes, part by part."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial

import torch

from benchmarks.gpu.part import Part, milliseconds
from benchmarks.gpu.problems import members
from benchmarks.gpu.setting import CPU, Setting
from benchmarks.shapes import SHAPES, Problem
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
SHAPES_OF = {False: ("S", "M"), True: ("tiny",)}
STEPS = {False: 100, True: 2}
SEQUENCES = {False: 4096, True: 128}


def run(setting: Setting, part: Part) -> None:
    """A row for each part of a measurement, on the device and on the CPU."""
    for name in SHAPES_OF[setting.toy]:
        shape = SHAPES[name]
        problem = shape.problem(STEPS[setting.toy])
        member = members(problem, [SEED], setting.device)[0]
        train(member.network, member.chain, member.plan, SEED, seq_len=shape.seq_len)
        for device in dict.fromkeys((setting.device, CPU)):
            here = Setting(device, setting.toy, setting.left)
            network = copy.deepcopy(member.network).to(device)
            with torch.no_grad():
                for what, work in parts(problem, network, SEQUENCES[setting.toy]):
                    row = {"shape": str(shape), "device": device.type, "part": what}
                    if setting.left < 0:
                        part.add(**row, note="not measured: no time left")
                        continue
                    once = here.timed(work)
                    once()  # loads what the first call loads
                    part.add(**row, ms=milliseconds(Timing((once(),))))


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
