"""RG observables of a layer: how many dimensions it uses, how far it is from the next."""

from rgcore.observables.cka import linear_cka, linear_cka_from_gram
from rgcore.observables.rank import (
    effective_rank,
    effective_rank_from_spectrum,
    participation_ratio,
    participation_ratio_from_spectrum,
    stable_rank,
    stable_rank_from_spectrum,
)
from rgcore.observables.spectrum import normalised_spectrum, spectrum, squared_singular_values

__all__ = [
    "effective_rank",
    "effective_rank_from_spectrum",
    "linear_cka",
    "linear_cka_from_gram",
    "normalised_spectrum",
    "participation_ratio",
    "participation_ratio_from_spectrum",
    "spectrum",
    "squared_singular_values",
    "stable_rank",
    "stable_rank_from_spectrum",
]
