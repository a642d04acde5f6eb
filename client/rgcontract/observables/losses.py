"""Losses of the network and of the best readers, and flags: what may be believed."""

from __future__ import annotations

from dataclasses import replace

from rgcontract.observables.observable import (
    ANY,
    AT_EVERY_LEVEL,
    NETWORK,
    NOT_NEGATIVE,
    SHARE,
    Group,
    Law,
    Need,
    Observable,
)

_RATIO = "ratio of sample means"
_EXACT = "sample mean of the exact conditional law"

_LOSS = Observable(
    name="loss",
    label="loss",
    symbol="",
    unit="nats",
    meaning="What the network pays for a hidden token.",
    formula="mean cross-entropy over the hidden tokens",
    source="",
    group=Group.LOSSES,
    levels=(NETWORK,),
    axes=(),
    needs=Need.LOGITS,
    estimator="sample mean",
    bias="none",
    null="an overflow",
    reasons=("not_finite",),
    laws=frozenset({Law.BATCHES}),
    range=NOT_NEGATIVE,
)
LOSSES = (
    _LOSS,
    replace(
        _LOSS,
        name="bayes_loss",
        label="Bayes loss",
        meaning="The least that any reader of the very same masked sequences can expect.",
        formula="forward-backward over the chain",
        estimator=_EXACT,
        null="never",
        reasons=(),
    ),
    replace(
        _LOSS,
        name="visible_bayes_loss",
        label="Bayes loss of the view",
        meaning="The least that a reader of the tokens within the network's view can expect.",
        formula="the same over the tokens in view",
        estimator=_EXACT,
        null="never",
        reasons=(),
    ),
    replace(
        _LOSS,
        name="excess_loss",
        label="excess loss",
        meaning="What the network pays above the least.",
        formula="`loss` - `bayes_loss`",
        estimator="difference of sample means over the same tokens",
        range=ANY,
    ),
    replace(
        _LOSS,
        name="gap_fraction",
        label="share of the gap",
        unit="",
        meaning="The share of what there is to learn that is missed: 0 is optimal, 1 knows only "
        "frequencies.",
        formula="`excess_loss` / max(unigram entropy - `bayes_loss`, 0.01)",
        estimator=_RATIO,
        null="an overflow, a chain without memory",
        reasons=("not_finite", "no_memory"),
        range=ANY,
    ),
    replace(
        _LOSS,
        name="view_fraction",
        label="share beyond the view",
        unit="",
        meaning="The share of what there is to learn that the architecture cannot see.",
        formula="(`visible_bayes_loss` - `bayes_loss`) / max(unigram entropy - `bayes_loss`, 0.01)",
        estimator=_RATIO,
        null="a chain without memory",
        reasons=("no_memory",),
        range=ANY,
    ),
)

FLAGS = (
    replace(
        _LOSS,
        name="under_trained",
        label="under-trained",
        unit="",
        meaning="Whether too much of what the network sees is missed to believe its rank: 1 or 0.",
        formula="`loss` above `visible_bayes_loss` by more than 5 % of (unigram entropy - "
        "`bayes_loss`)",
        group=Group.FLAGS,
        estimator="threshold on a ratio of sample means",
        null="never; 1 after an overflow",
        reasons=(),
        range=SHARE,
    ),
    replace(
        _LOSS,
        name="too_few_samples",
        label="too few samples",
        unit="",
        meaning="Whether more sequences would move the ranks: 1 or 0.",
        formula="fewer than ten rows per dimension, or an effective rank that moves by more than "
        "1 % between n/2 and n",
        group=Group.FLAGS,
        levels=(*AT_EVERY_LEVEL, NETWORK),
        needs=Need.MOMENTS,
        estimator="",
        null="never",
        reasons=(),
        range=SHARE,
    ),
)
