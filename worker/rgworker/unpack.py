"""A spec unpacked into what the physics core takes.

The one place where the fields of a spec meet the names of `rgcore`.
"""

from __future__ import annotations

import rgcontract
from rgcontract import ExperimentSpec
from rgcontract.about import abouts
from rgcore.chain import Chain, make_chain
from rgcore.network import Architecture
from rgcore.training import TrainingPlan


def chain_of(spec: ExperimentSpec) -> Chain:
    """The chain of a spec on one draw."""
    chain = spec.chain
    own = chain.model_dump(exclude={*rgcontract.Chain.model_fields, "family", "seeds"})
    # what was worked out from a matrix, maybe by another linear algebra, is worked out anew
    derived = abouts(type(chain))["corr_len"].derived
    corr_len = None if derived else chain.corr_len
    return make_chain(chain.family, chain.n_states, corr_len, seed=chain.seed, **own)


def architecture_of(spec: ExperimentSpec) -> Architecture:
    """The network of a spec."""
    return Architecture(**spec.architecture)


def plan_of(spec: ExperimentSpec) -> TrainingPlan:
    """The training budget of a spec."""
    return TrainingPlan(mask_prob=spec.data.mask_prob, **spec.training.model_dump())
