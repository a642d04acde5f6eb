"""What there is to say of an observable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rgcontract.networks import Level, Mixing

NETWORK = "network"
"""The level of what belongs to the network as a whole and to no one kind of rows."""
AT_EVERY_LEVEL = tuple(level.value for level in Level)
OF_ALL_PAIRS = (Level.MASKED.value, Level.POOLED.value, Level.SEQUENCE.value)
"""Levels at which every layer is compared with every other."""
OF_INDEPENDENT = 10
"""Directions of equal variance, of which `Observable.of_independent` speaks."""


class Axis(StrEnum):
    """What one index of an array counts. L blocks, width d, T positions, V states."""

    LAYER = "layer"
    """0..L: the stream before any block, and after each."""
    TRANSITION = "transition"
    """0..L - 1: from layer l to layer l + 1."""
    DIMENSION = "dimension"
    """0..d - 1."""
    POSITION = "position"
    """0..T - 1."""
    MODE = "mode"
    """0..V - 2: the eigenvectors of P but the constant one."""
    LAG = "lag"
    """0..min(T - 1, 32), tokens."""


class Need(StrEnum):
    """What an observable is read off."""

    MOMENTS = "moments"
    """Gram matrices of the layers, and fourth moments of their rows."""
    ROWS = "rows"
    """The streams of whole sequences, position by position: not with mixing `flat`."""
    LABELS = "labels"
    """The streams at hidden tokens, beside the exact law of each and the token itself."""
    LOGITS = "logits"
    """What the network answers at hidden tokens, beside the exact laws."""


class Law(StrEnum):
    """What changes a number by rounding alone."""

    ROTATION = "rotation"
    """Another orthonormal basis of each layer."""
    SCALE = "scale"
    """Another unit of each layer."""
    OFFSET = "offset"
    """One vector added to all rows, however long beside their spread."""
    PERMUTATION = "permutation"
    """Another order of the sequences."""
    BATCHES = "batches"
    """Other sizes of the batches that the sequences come in."""


ALL_LAWS = frozenset(Law)


class Tends(StrEnum):
    """To which side few samples move a number."""

    LOW = "low"
    HIGH = "high"
    NEITHER = "neither"
    """The bias is of order 1/n, of the order of the spread or below."""


class Group(StrEnum):
    """The table of docs/observables.md that a row stands in."""

    RANKS = "ranks"
    TRANSITIONS = "transitions"
    NETWORK = "network"
    LOSSES = "losses"
    FLAGS = "flags"


@dataclass(frozen=True)
class Range:
    """Where a number lies, whatever is measured: beyond it, but for rounding, it is wrong."""

    least: float | None = None
    """None for no end."""
    most: float | Axis | None = None
    """The same. An axis stands for how many it counts: of `DIMENSION`, the width of the network."""

    def holds(self, value: float, sizes: Mapping[Axis, int]) -> bool:
        """Whether a finite number lies in it, up to `ROUNDING`."""
        most = sizes[self.most] if isinstance(self.most, Axis) else self.most
        above = self.least is None or self.least - ROUNDING <= value
        return above and (most is None or value <= most + ROUNDING * max(1.0, abs(most)))


ROUNDING = 1e-9
"""By which a number may pass an end of its range; relative to what is above 1."""
ANY = Range()
SHARE = Range(0.0, 1.0)
NOT_NEGATIVE = Range(0.0)


@dataclass(frozen=True)
class Observable:
    """All there is to say of an observable.

    Attributes:
        name: in results, columns and files.
        label: in words, for an axis of a figure.
        symbol: in formulas.
        unit: empty for a pure number.
        meaning: what it says, in a sentence.
        formula: how it is worked out.
        source: where it comes from; empty for what is defined here.
        group: of which table it is.
        levels: at which it exists.
        axes: what the indexes of its array count; none for one number.
        needs: what it is read off.
        estimator: how it is estimated from the samples, as stored with each number.
        bias: what few samples do to it, in words.
        null: when it does not exist, in words.
        reasons: why it may not exist, names of `REASONS`.
        laws: what changes it by rounding alone.
        range: where it lies, whatever is measured.
        on_itself: its value where all layers are the same; None if that depends on the layer.
        resolution: how far from `on_itself` rounding alone may take it.
        of_independent: its value for the law of independent layers of `OF_INDEPENDENT` equal normal
            directions each, without end many samples; None where that is not stated.
        tends: to which side of it few samples move it; None where that is not stated.
    """

    name: str
    label: str
    symbol: str
    unit: str
    meaning: str
    formula: str
    source: str
    group: Group
    levels: tuple[str, ...]
    axes: tuple[Axis, ...]
    needs: Need
    estimator: str
    bias: str
    null: str
    reasons: tuple[str, ...]
    laws: frozenset[Law]
    range: Range = ANY
    on_itself: float | None = None
    resolution: float = 1e-12
    of_independent: float | None = None
    tends: Tends | None = None

    @property
    def axis_label(self) -> str:
        """For an axis of a figure: in words, with the unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def exists(self, level: str, mixing: Mixing) -> bool:
        """Whether it is measured at a level of a network."""
        return level in self.levels and not (self.needs is Need.ROWS and mixing is Mixing.FLAT)
