"""The losses that no reader of the measured sequences can be expected to beat."""

from __future__ import annotations

from dataclasses import dataclass

from rgcore.chain import Chain, bayes_visible_loss
from rgcore.measurement.sequences import Sequences


@dataclass(frozen=True)
class BayesReference:
    """What a measurement is compared with. It does not depend on the network's weights.

    Attributes:
        bayes_loss: the lowest expected loss of a reader of the same masked sequences, in nats.
        visible_bayes_loss: the same for a reader of the tokens within the view of the network.
        unigram_entropy: entropy of the stationary law, in nats: the loss of not looking.
        n_masked: masked tokens.
    """

    bayes_loss: float
    visible_bayes_loss: float
    unigram_entropy: float
    n_masked: int


def bayes_reference(
    chain: Chain,
    *,
    seq_len: int,
    n_sequences: int,
    mask_prob: float,
    seed: int,
    view_radius: int | None,
) -> BayesReference:
    """The reference for all measurements on the same sequences, e.g. along one training.

    Args:
        chain: law of the sequences.
        seq_len: T.
        n_sequences: n.
        mask_prob: probability that a token is hidden.
        seed: of the sequences and masks.
        view_radius: `Architecture.view_radius`; None for the whole sequence.
    """
    total, total_visible, n_masked = 0.0, 0.0, 0
    for block in Sequences(chain, seq_len, n_sequences, mask_prob, seed).blocks():
        hidden = int(block.mask.sum())
        total += hidden * bayes_visible_loss(chain, block.tokens, block.mask, None)
        total_visible += hidden * bayes_visible_loss(chain, block.tokens, block.mask, view_radius)
        n_masked += hidden
    return BayesReference(
        bayes_loss=total / n_masked,
        visible_bayes_loss=total_visible / n_masked,
        unigram_entropy=chain.unigram_entropy,
        n_masked=n_masked,
    )
