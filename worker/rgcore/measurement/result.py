"""What a measurement says of a network."""

from __future__ import annotations

from dataclasses import dataclass

from rgcore.measurement.bayes_reference import BayesReference
from rgcore.measurement.level import LevelMeasurement

UNDER_TRAINED = 0.05
"""Largest share of what there is to learn that a trained network may still miss of what it sees."""
LEAST_GAP = 0.01
"""Nats. Where there is less to learn, a share of it would be a ratio of two noises."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """Losses and observables of a network on fresh sequences.

    Attributes:
        loss: mean cross-entropy over the masked tokens, in nats.
        bayes: the losses of the best readers of the same masked sequences.
        levels: the observables of each level asked for.
        network: what belongs to no level: `relevance_...` (see `Relevance`), over `n_rows` hidden
            tokens; but for mixing `flat` `corr_len_flow` and `stream_correlation` (see
            `StreamCorrelation`), over all sequences.
    """

    loss: float
    bayes: BayesReference
    levels: dict[str, LevelMeasurement]
    network: LevelMeasurement

    @property
    def bayes_loss(self) -> float:
        """The lowest that any reader of the same masked sequences can expect, in nats."""
        return self.bayes.bayes_loss

    @property
    def visible_bayes_loss(self) -> float:
        """The lowest that a reader of the tokens in the network's view can expect, in nats."""
        return self.bayes.visible_bayes_loss

    @property
    def unigram_entropy(self) -> float:
        """Entropy of the stationary law, in nats: the loss of not looking."""
        return self.bayes.unigram_entropy

    @property
    def n_masked(self) -> int:
        """Masked tokens, over which the losses are means."""
        return self.bayes.n_masked

    @property
    def excess_loss(self) -> float:
        """Loss above the Bayes loss, in nats."""
        return self.loss - self.bayes_loss

    @property
    def gap_fraction(self) -> float:
        """Excess loss over what there is to learn: 0 is Bayes-optimal, 1 is not looking."""
        return self.excess_loss / self._gap

    @property
    def view_fraction(self) -> float:
        """Share of what there is to learn that lies beyond the view of the architecture.

        A mean over the very tokens: where nothing lies beyond, it may fall below 0 by noise.
        """
        return (self.visible_bayes_loss - self.bayes_loss) / self._gap

    @property
    def under_trained(self) -> bool:
        """Whether more than `UNDER_TRAINED` of what there is to learn is missed of what is seen.

        Also where the loss is not finite.
        """
        return not (self.loss - self.visible_bayes_loss) / self._gap <= UNDER_TRAINED

    @property
    def _gap(self) -> float:
        """What there is to learn, unigram_entropy - bayes_loss, at least `LEAST_GAP`; in nats."""
        return max(self.unigram_entropy - self.bayes_loss, LEAST_GAP)
