"""How each quantity is estimated from n sequences, and its known bias."""

from __future__ import annotations

_PLUG_IN_RANK = "plug-in, biased low for small n"
_PLUG_IN_DRIFT = "plug-in; spurious alignment of about d/n biases it low for small n"
_RIDGE = "two-fold out-of-sample ridge, without structure about -2d/n"
_MEAN = "sample mean"
_RATIO = "ratio of sample means"
_TRANSITIONS = "plug-in from kernel_drift"

ESTIMATORS: dict[str, str] = {
    "loss": _MEAN,
    "bayes_loss": "sample mean of the exact conditional law",
    "visible_bayes_loss": "sample mean of the exact conditional law",
    "excess_loss": "difference of sample means over the same tokens",
    "gap_fraction": _RATIO,
    "view_fraction": _RATIO,
    "under_trained": "threshold on a ratio of sample means",
    "effective_rank": _PLUG_IN_RANK,
    "effective_rank_by_position": _PLUG_IN_RANK,
    "participation_ratio": _PLUG_IN_RANK,
    "participation_ratio_corrected": "ratio of U-statistics (Himeno & Yamada 2014)",
    "stable_rank": _PLUG_IN_RANK,
    "spectrum": "plug-in, spread too wide for small n",
    "kernel_drift": _PLUG_IN_DRIFT,
    "kernel_drift_by_position": _PLUG_IN_DRIFT,
    "kernel_drift_debiased": "debiased HSIC_1 (Song et al. 2012)",
    "frobenius_drift": _PLUG_IN_DRIFT,
    "procrustes_distance": "plug-in, biased low for small n",
    "subspace_angle": "plug-in, 90 % of the variance of the earlier layer",
    "cka": "plug-in, biased high by about d/n",
    "cka_debiased": "debiased HSIC_1 (Song et al. 2012)",
    "effective_transitions": _TRANSITIONS,
    "top_two_share": _TRANSITIONS,
    "plateau_layers": _TRANSITIONS,
    "corr_len_flow": "least-squares line through the logarithm of stream_correlation",
    "stream_correlation": "plug-in covariance over sequences, mean over positions",
    "relevance_posterior": _RIDGE,
    "relevance_irrelevant": _RIDGE,
    "relevance_eigenvectors": _RIDGE,
    "relevance_eigenvectors_ceiling": "sample mean of the exact posterior variance",
}
"""Every quantity of a measurement by name."""
