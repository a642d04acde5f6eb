"""Choices of a network and of its training: one row for each, with what it means.

Values come here and into their function in `rgcore`; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Level(StrEnum):
    """Which rows of the residual stream one matrix is made of."""

    POSITION = "position"
    TOKEN = "token"  # noqa: S105 - a token of a sequence, not a secret
    MASKED = "masked"
    POOLED = "pooled"
    SEQUENCE = "sequence"


class Mixing(StrEnum):
    """How tokens reach the residual stream of a position."""

    CONTEXT = "context"
    FLAT = "flat"
    MIXER = "mixer"
    WINDOW = "window"


Activation = Literal["relu", "gelu", "tanh", "silu"]
Norm = Literal["none", "layer", "rms"]
Optimizer = Literal["adamw", "adam", "sgd"]
Schedule = Literal["constant", "cosine", "one_cycle"]
Kernel = Literal["linear"]


@dataclass(frozen=True)
class Choice:
    """A value that a field may have, and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True)
class MixingChoice(Choice):
    """How tokens reach a stream, and what follows from it."""

    levels: tuple[Level, ...]
    """The levels that exist: where there is one stream for a sequence there are no positions."""
    windowed: bool = False
    """Whether `model.context` is the radius of its window."""


_BY_POSITION = (Level.POSITION, Level.TOKEN, Level.MASKED, Level.POOLED)
MIXINGS = {
    Mixing(one.name): one
    for one in (
        MixingChoice("context", "a window around each position, once", _BY_POSITION, windowed=True),
        MixingChoice("flat", "the whole sequence in one stream", (Level.SEQUENCE,)),
        MixingChoice("mixer", "a token-mixing MLP in every block", _BY_POSITION),
        MixingChoice("window", "every block reads the streams at t - 1, t and t + 1", _BY_POSITION),
    )
}


def has_window(mixing: object) -> bool:
    """Whether `model.context` means something for what was sent as `model.mixing`."""
    return any(row.windowed and row.name == mixing for row in MIXINGS.values())


LEVELS_OF = {mixing: row.levels for mixing, row in MIXINGS.items()}
"""The levels that exist for each mixing."""
DECIDING_LEVELS: tuple[str, ...] = (Level.POSITION.value, Level.SEQUENCE.value)
"""The levels that claims are about; an experiment has one of them at most."""

CHOICES: dict[str, tuple[Choice, ...]] = {
    "model.mixing": tuple(MIXINGS.values()),
    "model.activation": (
        Choice("relu", "max(x, 0)"),
        Choice("gelu", "x Phi(x), Phi the normal distribution function"),
        Choice("tanh", "tanh x"),
        Choice("silu", "x / (1 + exp(-x))"),
    ),
    "model.norm": (
        Choice("none", "the stream as it is"),
        Choice("layer", "mean 0 and variance 1 over the channels, with a gain and a bias"),
        Choice("rms", "mean square 1 over the channels, with a gain"),
    ),
    "training.optimizer": (
        Choice("adamw", "Adam, the decay apart from the gradient (Loshchilov and Hutter 2019)"),
        Choice("adam", "Adam, the decay as a part of the gradient (Kingma and Ba 2015)"),
        Choice("sgd", "gradient descent with momentum 0.9"),
    ),
    "training.schedule": (
        Choice("constant", "the peak all along"),
        Choice("cosine", "from the peak to 0 along half a cosine"),
        Choice("one_cycle", "up to the peak, then down to almost 0 (Smith and Topin 2017)"),
    ),
    "measurement.kernel": (Choice("linear", "the inner product of two rows"),),
    "measurement.at": (
        Choice("final", "after the last step"),
        Choice("log", "also along training, at log-spaced steps"),
    ),
    "measurement.levels": (
        Choice("position", "one position, over sequences"),
        Choice("token", "all positions of all sequences"),
        Choice("masked", "all hidden positions"),
        Choice("pooled", "each sequence, averaged over its positions"),
        Choice("sequence", "the one stream of each sequence"),
    ),
}
"""Path of a field -> its values, with what each means."""
