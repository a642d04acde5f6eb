"""Streaming fresh sequences through a network into moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from rgcore.chain import Chain, bayes_masked_loss
from rgcore.measurement.levels import checked_levels
from rgcore.measurement.moments import Moments
from rgcore.measurement.observe import Observed, observe, of_one_group, of_positions
from rgcore.measurement.result import Measurement
from rgcore.network import Architecture, ResidualNetwork
from rgcore.random import derive_generator
from rgcore.training.data import Batch, masked_block, never_empty

BLOCK_SEQUENCES = 1024
"""Drawn at a time, whatever the batch size, so that the batch size does not choose them."""
BYTES = 2**28
"""About how much the moments, and the activations of a batch, may take: 256 MiB each."""


def measure(
    network: ResidualNetwork,
    chain: Chain,
    *,
    seq_len: int,
    n_sequences: int,
    mask_prob: float,
    levels: Sequence[str],
    seed: int,
    batch_size: int = 512,
    on_progress: Callable[[float], None] | None = None,
) -> Measurement:
    """Measure a network on fresh sequences, masked as in training.

    Sequences come from the stream "measure" of the seed; the first n are the same for every
    larger n. Activations are computed in the network's own precision, everything after that in
    float64. Memory does not grow with the number of sequences.

    Args:
        network: on any device; it is not changed.
        chain: law of the sequences.
        seq_len: T.
        n_sequences: n.
        mask_prob: probability that a token is hidden.
        levels: see `LEVELS_OF`.
        seed: of the sequences and masks.
        batch_size: most sequences at a time; changes results by rounding alone.
        on_progress: called after each batch with the part done, 0 to 1.

    Raises:
        LevelError: a level that does not exist for the network's mixing.
    """
    arch = network.arch
    asked = checked_levels(arch.mixing, levels)

    def blocks() -> Iterator[Batch]:
        return _blocks(chain, n_sequences, seq_len, mask_prob, derive_generator(seed, "measure"))

    bayes_sum, n_masked = 0.0, 0
    for block in blocks():
        hidden = int(block.mask.sum())
        bayes_sum += hidden * bayes_masked_loss(chain, block.tokens, block.mask)
        n_masked += hidden
    passes = _passes(arch, asked, seq_len)
    collector = _Collector(network, asked)
    done = 0
    with torch.no_grad():
        for one in passes:
            collector.begin(one)
            size = min(batch_size, _most_sequences(arch, one))
            for batch in _batches(blocks(), size):
                collector.add(batch)
                done += len(batch.tokens)
                if on_progress is not None:
                    on_progress(done / (n_sequences * len(passes)))
            collector.end()
    found = {name: of_one_group(moments) for name, moments in collector.whole.items()}
    if "position" in asked:
        full = slice(arch.context, max(arch.context, seq_len - arch.context))
        found["position"] = of_positions(collector.by_position, n_sequences, full)
    return Measurement(
        loss=collector.loss_sum / n_masked,
        bayes_loss=bayes_sum / n_masked,
        unigram_entropy=chain.unigram_entropy,
        n_masked=n_masked,
        levels={name: found[name] for name in levels},
    )


@dataclass(frozen=True)
class _Pass:
    """One run over all sequences: which positions of them, for what."""

    positions: slice
    levels: frozenset[str]
    with_loss: bool


def _passes(arch: Architecture, levels: frozenset[str], seq_len: int) -> list[_Pass]:
    """One pass; several where the moments of all positions would not fit in memory."""
    size = seq_len
    if "position" in levels:
        size = min(size, max(1, BYTES // (8 * (2 * arch.depth + 1) * arch.width**2)))
    if size == seq_len:
        return [_Pass(slice(None), levels, with_loss=True)]
    passes = [
        _Pass(slice(begin, min(begin + size, seq_len)), levels - {"pooled"}, with_loss=True)
        for begin in range(0, seq_len, size)
    ]
    if "pooled" in levels:  # needs all positions of a sequence at once
        passes.append(_Pass(slice(None), frozenset({"pooled"}), with_loss=False))
    return passes


def _most_sequences(arch: Architecture, one: _Pass) -> int:
    """Sequences whose activations fit: some float64 copies of a stream, two hidden layers."""
    per_stream = 48 * arch.width + 8 * arch.hidden
    streams = 1
    if arch.mixing != "flat":
        streams = len(range(arch.seq_len)[one.positions])
    return max(1, BYTES // (per_stream * streams))


def _blocks(
    chain: Chain, n: int, seq_len: int, mask_prob: float, generator: torch.Generator
) -> Iterator[Batch]:
    """The n sequences; a block without a hidden token gets one hidden."""
    for begin in range(0, n, BLOCK_SEQUENCES):
        block = masked_block(chain, BLOCK_SEQUENCES, seq_len, mask_prob, generator)
        rows = slice(0, min(BLOCK_SEQUENCES, n - begin))
        block = Batch(block.tokens[rows], block.mask[rows], block.inputs[rows])
        yield never_empty(block, chain.n_states, place=begin)


def _batches(blocks: Iterator[Batch], size: int) -> Iterator[Batch]:
    for block in blocks:
        for begin in range(0, len(block.tokens), size):
            rows = slice(begin, begin + size)
            yield Batch(block.tokens[rows], block.mask[rows], block.inputs[rows])


@dataclass
class _Collector:
    """Gathers the moments of all levels from one forward computation."""

    network: ResidualNetwork
    levels: frozenset[str]
    loss_sum: float = 0.0
    whole: dict[str, Moments] = field(default_factory=dict)
    by_position: list[Observed] = field(default_factory=list)
    _positions: Moments | None = None
    _now: _Pass | None = None

    def __post_init__(self) -> None:
        self.device = next(self.network.parameters()).device
        self.whole = {name: self._moments(1) for name in sorted(self.levels - {"position"})}

    def begin(self, one: _Pass) -> None:
        """Start a pass."""
        self._now = one
        if "position" in one.levels:
            seq_len = self.network.arch.seq_len
            self._positions = self._moments(len(range(seq_len)[one.positions]))

    def add(self, batch: Batch) -> None:
        """Run a batch through the network."""
        one = self._now
        assert one is not None
        inputs = batch.inputs.to(self.device)
        mask = batch.mask[:, one.positions].to(self.device)
        stream = inputs
        for layer, stream in enumerate(self.network.streams(inputs, one.positions)):
            for name in one.levels:
                self._take(name, layer, stream, mask)
        if one.with_loss:
            targets = batch.tokens[:, one.positions].to(self.device)[mask]
            logits = self.network.read_masked(stream, mask).double()
            self.loss_sum += float(functional.cross_entropy(logits, targets, reduction="sum"))

    def end(self) -> None:
        """Finish a pass: the positions of it are complete."""
        if self._positions is None:
            return
        self.by_position.append(observe(self._positions))
        if "token" in self.whole:
            self.whole["token"].merge(self._positions.together())
        self._positions = None

    def _take(self, name: str, layer: int, stream: Tensor, mask: Tensor) -> None:
        if name == "position" and self._positions is not None:
            self._positions.add(layer, stream.transpose(0, 1))
        elif name == "token" and self._positions is None:
            self.whole[name].add(layer, stream.flatten(0, 1)[None])
        elif name == "masked":
            self.whole[name].add(layer, stream[mask][None])
        elif name == "pooled":
            self.whole[name].add(layer, stream.double().mean(dim=1)[None])
        elif name == "sequence":
            self.whole[name].add(layer, stream[None])

    def _moments(self, groups: int) -> Moments:
        arch = self.network.arch
        return Moments(arch.depth + 1, groups, arch.width, self.device)
