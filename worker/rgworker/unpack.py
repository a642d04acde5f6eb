"""A spec unpacked into what the physics core takes.

The one place where the fields of a spec meet the names of `rgcore`.
"""

from __future__ import annotations

from rgcontract import ExperimentSpec, ExplicitChain
from rgcore.chain import Chain, make_chain
from rgcore.network import Architecture
from rgcore.training import TrainingPlan


def chain_of(spec: ExperimentSpec) -> Chain:
    """The chain of a spec on one draw."""
    chain = spec.chain
    own = chain.model_dump(exclude={"family", "n_states", "corr_len", "seed", "seeds"})
    # that of a matrix of one's own was worked out from it, maybe by another linear algebra
    corr_len = None if isinstance(chain, ExplicitChain) else chain.corr_len
    return make_chain(chain.family, chain.n_states, corr_len, seed=chain.seed, **own)


def architecture_of(spec: ExperimentSpec) -> Architecture:
    """The network of a spec."""
    return Architecture(**spec.architecture)


def plan_of(spec: ExperimentSpec) -> TrainingPlan:
    """The training budget of a spec."""
    training = spec.training
    return TrainingPlan(
        steps=training.steps,
        batch_size=training.batch_size,
        mask_prob=spec.data.mask_prob,
        optimizer=training.optimizer,
        lr=training.lr,
        schedule=training.schedule,
        weight_decay=training.weight_decay,
        grad_clip=training.grad_clip,
    )
