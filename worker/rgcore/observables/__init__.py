"""Observables of a layer of activations, in float64 whatever comes in."""

from importlib import import_module
from pkgutil import iter_modules

from rgcore.observables.centring import centred_gram, gram_decomposition, gram_spectrum
from rgcore.observables.cka_matrix import cka_matrix_debiased_from_moments, cka_matrix_from_moments
from rgcore.observables.decay import Decay, decay_length
from rgcore.observables.effective_rank import effective_rank, effective_rank_from_spectrum
from rgcore.observables.frobenius_drift import frobenius_drift, frobenius_drift_from_cka
from rgcore.observables.linear_cka import linear_cka, linear_cka_from_grams
from rgcore.observables.linear_cka_debiased import (
    linear_cka_debiased,
    linear_cka_debiased_from_moments,
)
from rgcore.observables.participation_ratio import (
    participation_ratio,
    participation_ratio_from_spectrum,
)
from rgcore.observables.participation_ratio_corrected import (
    participation_ratio_corrected,
    participation_ratio_corrected_from_moments,
)
from rgcore.observables.plateau import (
    effective_transitions,
    plateau_layers,
    plateau_runs,
    top_two_share,
)
from rgcore.observables.procrustes_distance import (
    procrustes_distance,
    procrustes_distance_from_moments,
)
from rgcore.observables.ridge import (
    RegressionMoments,
    ridge_r2_from_moments,
    ridge_r2_two_fold_from_moments,
)
from rgcore.observables.spectrum import spectrum, spectrum_from_spectrum
from rgcore.observables.stable_rank import stable_rank, stable_rank_from_spectrum
from rgcore.observables.subspace_angle import (
    subspace_angle,
    subspace_angle_from_decompositions,
    subspace_angle_from_moments,
)

for _file in iter_modules(__path__):  # those that register a function are measured
    import_module(f"{__name__}.{_file.name}")

__all__ = [
    "Decay",
    "RegressionMoments",
    "centred_gram",
    "cka_matrix_debiased_from_moments",
    "cka_matrix_from_moments",
    "decay_length",
    "effective_rank",
    "effective_rank_from_spectrum",
    "effective_transitions",
    "frobenius_drift",
    "frobenius_drift_from_cka",
    "gram_decomposition",
    "gram_spectrum",
    "linear_cka",
    "linear_cka_debiased",
    "linear_cka_debiased_from_moments",
    "linear_cka_from_grams",
    "participation_ratio",
    "participation_ratio_corrected",
    "participation_ratio_corrected_from_moments",
    "participation_ratio_from_spectrum",
    "plateau_layers",
    "plateau_runs",
    "procrustes_distance",
    "procrustes_distance_from_moments",
    "ridge_r2_from_moments",
    "ridge_r2_two_fold_from_moments",
    "spectrum",
    "spectrum_from_spectrum",
    "stable_rank",
    "stable_rank_from_spectrum",
    "subspace_angle",
    "subspace_angle_from_decompositions",
    "subspace_angle_from_moments",
    "top_two_share",
]
