"""Observables of a layer of activations, in float64 whatever comes in."""

from rgcore.observables.centring import centred_gram, gram_spectrum
from rgcore.observables.effective_rank import effective_rank, effective_rank_from_spectrum
from rgcore.observables.linear_cka import linear_cka, linear_cka_from_grams
from rgcore.observables.participation_ratio import (
    participation_ratio,
    participation_ratio_from_spectrum,
)
from rgcore.observables.spectrum import spectrum, spectrum_from_spectrum
from rgcore.observables.stable_rank import stable_rank, stable_rank_from_spectrum

__all__ = [
    "centred_gram",
    "effective_rank",
    "effective_rank_from_spectrum",
    "gram_spectrum",
    "linear_cka",
    "linear_cka_from_grams",
    "participation_ratio",
    "participation_ratio_from_spectrum",
    "spectrum",
    "spectrum_from_spectrum",
    "stable_rank",
    "stable_rank_from_spectrum",
]
