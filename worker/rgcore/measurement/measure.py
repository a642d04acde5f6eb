"""Streaming fresh sequences through a network into moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch.nn import functional

from rgcore.chain import Chain
from rgcore.cost.passes import (
    ALL_PAIRS,
    BATCH,
    MEMORY,
    Pass,
    keeps_all_pairs,
    measurement_passes,
    most_sequences,
)
from rgcore.measurement.bayes_reference import BayesReference, bayes_reference
from rgcore.measurement.correlation import StreamCorrelation
from rgcore.measurement.kernels import checked_kernel
from rgcore.measurement.level import LevelMeasurement, of_one_group, of_positions
from rgcore.measurement.levels import ROWS_OF, checked_levels, full_context
from rgcore.measurement.moments import Moments
from rgcore.measurement.observe import Observed, joined, observe
from rgcore.measurement.relevance import HALF, WHOLE, Folds, Relevance
from rgcore.measurement.result import Measurement
from rgcore.measurement.sequences import Sequences
from rgcore.network import Architecture, ResidualNetwork
from rgcore.training.data import Batch


def measure(
    network: ResidualNetwork,
    chain: Chain,
    *,
    seq_len: int,
    n_sequences: int,
    mask_prob: float,
    levels: Sequence[str],
    seed: int,
    kernel: str = "linear",
    batch_size: int = BATCH,
    bayes: BayesReference | None = None,
    memory: int = MEMORY,
    on_progress: Callable[[float], None] | None = None,
) -> Measurement:
    """Measure a network on fresh sequences, masked as in training.

    Sequences come from the stream "measure" of the seed; the first n are the same for every
    larger n. Activations are computed in the network's own precision, everything after that in
    float64. Memory does not grow with the number of sequences.

    Args:
        network: on any device; it is not changed.
        chain: law of the sequences; `chain.shuffled()` for the null beside each number.
        seq_len: T.
        n_sequences: n.
        mask_prob: probability that a token is hidden.
        levels: see `LEVELS_OF`.
        seed: of the sequences and masks.
        kernel: one of `KERNELS`, by which layers are compared.
        batch_size: most sequences at a time; changes results by rounding alone.
        bayes: `bayes_reference` of the same chain, sequences and view, if it is known already.
        memory: bytes that the moments, and the activations of a batch, may take, about. Positions
            that do not fit together are measured in several passes over the sequences, which
            changes results by rounding alone; where the products of all pairs of layers do not
            fit, layers are compared with their neighbours only.
        on_progress: called after each batch with the part done, 0 to 1.

    Raises:
        KernelError: a kernel that does not exist.
        LevelError: a level that does not exist for the network's mixing.
        ValueError: bayes is of other sequences.
    """
    arch = network.arch
    asked = checked_levels(arch.mixing, levels)
    checked_kernel(kernel)
    sequences = Sequences(chain, seq_len, n_sequences, mask_prob, seed)
    if bayes is None:
        bayes = bayes_reference(
            chain,
            seq_len=seq_len,
            n_sequences=n_sequences,
            mask_prob=mask_prob,
            seed=seed,
            view_radius=arch.view_radius,
        )
    half, whole = _Snapshot(arch, asked), _Snapshot(arch, asked)
    passes = measurement_passes(arch, asked, memory)
    with torch.no_grad():
        for index, one in enumerate(passes):
            collector = _Collector(network, chain, one, memory)
            size = min(batch_size, most_sequences(arch, one, mask_prob, memory))
            for done in _gathered(collector, sequences.batches(size), half):
                if on_progress is not None:
                    on_progress((index + done / n_sequences) / len(passes))
            whole.take(collector, WHOLE)
    return _measurement(half, whole, bayes, levels)


def _gathered(
    collector: _Collector, batches: Iterable[tuple[int, Batch]], half: _Snapshot
) -> Iterator[int]:
    """Put all batches through the network, `half` taking what there is midway; sequences done."""
    done, halved = 0, False
    for quarter, batch in batches:
        if quarter >= 2 and not halved:
            half.take(collector, HALF)
            halved = True
        collector.add(quarter, batch)
        done += len(batch.tokens)
        yield done


def _measurement(
    half: _Snapshot, whole: _Snapshot, bayes: BayesReference, levels: Sequence[str]
) -> Measurement:
    """What all sequences say beside what the first half does.

    Raises:
        ValueError: bayes is of other sequences.
    """
    if whole.n_masked != bayes.n_masked:
        raise ValueError(
            f"bayes is of {bayes.n_masked} masked tokens; allowed: of these {whole.n_masked}"
        )
    before, after, width = half.levels(), whole.levels(), whole.arch.width
    return Measurement(
        loss=whole.loss_sum / whole.n_masked,
        bayes=bayes,
        levels={
            name: LevelMeasurement.of(
                after[name], before[name], n_rows=whole.n_rows[name], width=width
            )
            for name in levels
        },
        network=LevelMeasurement.of(
            whole.network, half.network, n_rows=whole.n_rows["network"], width=width
        ),
    )


class _Collector:
    """Gathers the moments of one pass from one forward computation."""

    def __init__(self, network: ResidualNetwork, chain: Chain, one: Pass, memory: int) -> None:
        arch = network.arch
        self.network = network
        self.one = one
        parameter = next(network.parameters())
        self.device = parameter.device
        self.precision = torch.finfo(parameter.dtype).eps
        n_positions = len(range(arch.seq_len)[one.positions])
        self.moments = {
            name: Moments(
                arch.depth + 1,
                n_positions if name == "position" else 1,
                arch.width,
                self.device,
                complete=keeps_all_pairs(arch, name, memory),
            )
            for name in sorted(one.levels)
        }
        self.loss_sum = 0.0
        self.n_masked = 0
        self.relevance = None
        self.correlation = None
        if one.masked:
            self.relevance = Relevance(arch, chain, self.device, self.precision)
        if one.masked and not arch.mixes.one_stream:
            self.correlation = StreamCorrelation(
                arch.depth + 1, arch.seq_len, arch.width, self.device, self.precision
            )

    def add(self, quarter: int, batch: Batch) -> None:
        """Run a batch through the network."""
        mask = batch.mask[:, self.one.positions].to(self.device)
        if self.relevance is not None:
            self.relevance.begin(quarter, batch)
        stream = inputs = batch.inputs.to(self.device)
        for layer, stream in enumerate(self.network.streams(inputs, self.one.positions)):
            for name, moments in self.moments.items():
                moments.add(layer, ROWS_OF[name](stream, mask))
            if self.relevance is not None:
                self.relevance.add(layer, stream)
            if self.correlation is not None:
                self.correlation.add(layer, stream)
        if self.one.masked:
            targets = batch.tokens.to(self.device)[mask]
            logits = self.network.read_masked(stream, mask).double()
            self.n_masked += len(targets)
            self.loss_sum += float(functional.cross_entropy(logits, targets, reduction="sum"))


class _Snapshot:
    """What the sequences up to some point say, put together from all passes."""

    def __init__(self, arch: Architecture, asked: frozenset[str]) -> None:
        self.arch = arch
        self.asked = asked
        self.network = Observed({}, {})
        self.n_rows: dict[str, int] = {}
        self.loss_sum, self.n_masked = 0.0, 0
        self._levels: dict[str, Observed] = {}
        self._positions: list[Observed] = []
        self._token: Moments | None = None
        self._precision = 0.0

    def take(self, collector: _Collector, folds: Folds) -> None:
        """Take what a pass has gathered so far, in the quarters of the folds."""
        self._precision = collector.precision
        self.loss_sum += collector.loss_sum
        self.n_masked += collector.n_masked
        for name, moments in collector.moments.items():
            self.n_rows[name] = moments.n_rows
            if name != "position":
                self._levels[name] = self._of_one_group(name, moments)
                continue
            self._positions.append(observe(moments, collector.precision, all_pairs=False))
            if "token" in self.asked:
                together = moments.together()
                if self._token is not None:
                    together.merge(self._token)
                self._token = together
        if collector.correlation is not None:
            self.network |= collector.correlation.observed()
        if collector.relevance is not None:
            self.network |= collector.relevance.observed(folds)
            self.n_rows["network"] = collector.relevance.relevant.rows(folds.both)

    def levels(self) -> dict[str, Observed]:
        """The observables of each level asked for; call after the last pass."""
        found = dict(self._levels)
        if self._positions:
            found["position"] = of_positions(joined(self._positions), full_context(self.arch))
        if self._token is not None:
            self.n_rows["token"] = self._token.n_rows
            found["token"] = self._of_one_group("token", self._token)
        return found

    def _of_one_group(self, level: str, moments: Moments) -> Observed:
        return of_one_group(observe(moments, self._precision, all_pairs=level in ALL_PAIRS))
