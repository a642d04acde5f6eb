"""Where along the depth the drift sits: few transitions, and plateaus between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from rgcore.observables.registry import OF_DRIFT, measured


def effective_transitions(drift: ArrayLike) -> NDArray[np.float64]:
    """exp(H(D / sum D)), the number of transitions that carry the drift; shape (...).

    Between 1, all of it in one transition, and L, the same in each.

    Args:
        drift: (..., L), between each layer and the next. Below zero counts as zero.

    Returns:
        nan where nothing drifts, as there is no drift to place, or an entry is not finite.

    Example:
        >>> effective_transitions([[0.2, 0.2, 0.2, 0.2], [0.8, 0.0, 0.0, 0.0]]).round(9)
        array([4., 1.])
    """
    share = _shares(drift)
    return np.asarray(np.exp(entr(share).sum(axis=-1)))


def top_two_share(drift: ArrayLike) -> NDArray[np.float64]:
    """The share of the two largest transitions in the whole drift; shape (...).

    Between 2 / L and 1.

    Args:
        drift: (..., L), between each layer and the next. Below zero counts as zero.

    Returns:
        nan where nothing drifts, as there is no drift to place, or an entry is not finite.

    Example:
        >>> float(top_two_share([0.1, 0.5, 0.1, 0.3]).round(9))
        0.8
    """
    return np.asarray(np.sort(_shares(drift), axis=-1)[..., -2:].sum(axis=-1))


def plateau_layers(drift: ArrayLike, fraction: float = 0.1) -> NDArray[np.float64]:
    """1 for each transition that drifts less than a fraction of the largest, else 0; (..., L).

    A transition without any drift always counts, so where nothing drifts all of them do.

    Args:
        drift: (..., L), between each layer and the next. Below zero counts as zero.
        fraction: of the largest drift, above 0, at most 1.

    Returns:
        nan in all L transitions where one of them is not finite.

    Raises:
        ValueError: fraction is out of range.

    Example:
        >>> plateau_layers([0.5, 0.01, 0.02, 0.4])
        array([0., 1., 1., 0.])
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction is {fraction}; allowed: above 0, at most 1")
    kept = _kept(drift)
    flat = (kept == 0) | (kept < fraction * kept.max(axis=-1, keepdims=True, initial=0.0))
    return np.where(np.isnan(kept), np.nan, flat)


def plateau_runs(drift: ArrayLike, fraction: float = 0.1) -> list[tuple[int, int]]:
    """The plateaus: first and last layer of each longest run of transitions of `plateau_layers`.

    Args:
        drift: (L,), between each layer and the next.
        fraction: of the largest drift, above 0, at most 1.

    Returns:
        Layers counted from 0; one without a flat transition beside it is in none. Empty where an
        entry is not finite.

    Raises:
        ValueError: drift is not one list of numbers, or fraction is out of range.

    Example:
        >>> plateau_runs([0.5, 0.01, 0.02, 0.4])  # layers 1, 2 and 3 are alike
        [(1, 3)]
    """
    if np.ndim(drift) != 1:
        raise ValueError(f"drift has shape {np.shape(drift)}; allowed: (L,)")
    flat = plateau_layers(drift, fraction) == 1
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(int)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _kept(drift: ArrayLike) -> NDArray[np.float64]:
    """The drift (..., L), not below zero; nan in all of L where one is not finite."""
    given = np.asarray(drift, dtype=np.float64)
    finite = np.isfinite(given).all(axis=-1, keepdims=True)
    return np.where(finite, np.maximum(given, 0.0), np.nan)


def _shares(drift: ArrayLike) -> NDArray[np.float64]:
    kept = _kept(drift)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
        return np.asarray(kept / kept.sum(axis=-1, keepdims=True))


measured(OF_DRIFT, "effective_transitions")(effective_transitions)
measured(OF_DRIFT, "top_two_share")(top_two_share)
measured(OF_DRIFT, "plateau_layers")(plateau_layers)
