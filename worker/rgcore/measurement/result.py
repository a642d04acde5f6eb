"""What a measurement says of a network."""

from __future__ import annotations

from dataclasses import dataclass

from rgcore.measurement.observe import LevelMeasurement

UNDER_TRAINED = 0.05
"""Largest gap fraction of a network that counts as trained."""
LEAST_GAP = 0.01
"""Nats. Where there is less to learn, the gap fraction would be a ratio of two noises."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """Losses and observables of a network on fresh sequences.

    Attributes:
        loss: mean cross-entropy over the masked tokens, in nats.
        bayes_loss: the lowest that any reader of the same masked sequences can expect, in nats.
        unigram_entropy: entropy of the stationary law, in nats: the loss of not looking.
        n_masked: masked tokens.
        levels: the observables of each level asked for.
    """

    loss: float
    bayes_loss: float
    unigram_entropy: float
    n_masked: int
    levels: dict[str, LevelMeasurement]

    @property
    def excess_loss(self) -> float:
        """Loss above the Bayes loss, in nats."""
        return self.loss - self.bayes_loss

    @property
    def gap_fraction(self) -> float:
        """Excess loss over what there is to learn, unigram_entropy - bayes_loss.

        A gap below `LEAST_GAP` counts as `LEAST_GAP`. 0 is Bayes-optimal, 1 is not looking.
        """
        return self.excess_loss / max(self.unigram_entropy - self.bayes_loss, LEAST_GAP)

    @property
    def under_trained(self) -> bool:
        """Whether the gap fraction is above `UNDER_TRAINED`, or the loss not finite."""
        return not self.gap_fraction <= UNDER_TRAINED
