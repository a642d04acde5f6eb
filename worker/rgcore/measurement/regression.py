"""What a linear read-out of each layer finds of given targets, out of sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rgcore.measurement.reasons import CODE, Codes
from rgcore.measurement.rounding import does_not_vary
from rgcore.observables import RegressionMoments, ridge_r2_from_moments

LEAST_VARIANCE = 1e-26
"""Of a target of order one: below it the target is a constant and its rounding."""
ROWS_PER_DIMENSION = 4
"""Below it the read-out is mostly fitted to noise."""


class Regression:
    """Second moments of K layers of width d with q targets, kept apart in several folds.

    About a reference as `Moments`: the mean of the first batch. Folds are then put together by
    adding sums.

    Args:
        n_folds: how many.
        n_layers: K.
        width: d.
        n_targets: q.
        device: of the layers.
    """

    def __init__(
        self, n_folds: int, n_layers: int, width: int, n_targets: int, device: torch.device
    ) -> None:
        def zeros(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=device)

        self.n_rows = [0] * n_folds
        self.reference_x = zeros(n_layers, width)
        self.reference_y = zeros(n_targets)
        self.total_x = zeros(n_folds, n_layers, width)
        self.total_y = zeros(n_folds, n_targets)
        self.gram_xx = zeros(n_folds, n_layers, width, width)
        self.gram_xy = zeros(n_folds, n_layers, width, n_targets)
        self.power_y = zeros(n_folds, n_targets)
        self._targets = zeros(0, n_targets)

    def begin(self, fold: int, targets: Tensor) -> None:
        """Start a batch: the targets (m, q) of its rows; then `add` its layers in order."""
        if len(targets) > 0 and sum(self.n_rows) == 0:
            self.reference_y = _mean(targets)
        self._targets = targets - self.reference_y
        self.total_y[fold] += self._targets.sum(dim=0)
        self.power_y[fold] += self._targets.square().sum(dim=0)

    def add(self, fold: int, layer: int, rows: Tensor) -> None:
        """Add the rows of a layer.

        Args:
            fold: as in `begin`.
            layer: l = 0, 1, ..., L, in this order.
            rows: (m, d) float64, those of the targets.
        """
        if len(rows) == 0:
            return
        if sum(self.n_rows) == 0:
            self.reference_x[layer] = _mean(rows)
        x = rows - self.reference_x[layer]
        self.total_x[fold, layer] += x.sum(dim=0)
        self.gram_xx[fold, layer].addmm_(x.T, x)
        self.gram_xy[fold, layer].addmm_(x.T, self._targets)
        if layer == len(self.reference_x) - 1:
            self.n_rows[fold] += len(rows)

    def rows(self, folds: Sequence[int]) -> int:
        """Rows of some folds."""
        return sum(self.n_rows[fold] for fold in folds)

    def moments(self, folds: Sequence[int]) -> RegressionMoments:
        """The centred moments of some folds together; leading axis K."""
        which = list(folds)
        n = self.rows(folds)
        mean_x = self.total_x[which].sum(dim=0) / max(n, 1)  # (K, d)
        mean_y = (self.total_y[which].sum(dim=0) / max(n, 1)).expand(len(mean_x), -1)  # (K, q)
        gram_xx = self.gram_xx[which].sum(dim=0) - n * mean_x[:, :, None] * mean_x[:, None, :]
        gram_xy = self.gram_xy[which].sum(dim=0) - n * mean_x[:, :, None] * mean_y[:, None, :]
        power_y = self.power_y[which].sum(dim=0) - n * mean_y.square()  # (K, q)
        return RegressionMoments(
            n,
            *(
                tensor.cpu().numpy()
                for tensor in (mean_x, mean_y, gram_xx, gram_xy, power_y.clamp(min=0.0))
            ),
        )

    def codes(self, folds: Sequence[int], precision: float) -> Codes:
        """Why a layer has no read-out, as far as the layer is to blame: (K,).

        Args:
            folds: which are read.
            precision: epsilon of the arithmetic that the layers were computed in.
        """
        both = self.moments(folds)
        power = np.trace(both.gram_xx, axis1=1, axis2=2)  # (K,)
        mean2 = self.reference_x.square().sum(dim=-1).cpu().numpy()
        codes = np.zeros(len(power), dtype=np.uint8)
        codes[does_not_vary(power / max(both.n_rows, 1), mean2, precision)] = CODE["constant_layer"]
        codes[~np.isfinite(power)] = CODE["not_finite"]
        if self.rows(folds) < ROWS_PER_DIMENSION * both.mean_x.shape[1]:
            codes[:] = CODE["too_few_rows"]
        return codes


def two_fold_r2(
    first: RegressionMoments, second: RegressionMoments, targets: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """R^2 of groups of targets together, 1 - sum SSE / sum SST; mean over both ways of the fit.

    Args:
        first: of K layers and q targets, in one half of the samples.
        second: in the other half.
        targets: for each group the indexes of its targets.

    Returns:
        (K, number of groups); nan where the read-out does not exist, or no target varies.
    """
    there = _together(first, second, targets)
    back = _together(second, first, targets)
    return np.asarray((there + back) / 2.0)


def _together(
    train: RegressionMoments, test: RegressionMoments, targets: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    score = ridge_r2_from_moments(train, test)  # (K, q)
    least = min(LEAST_VARIANCE * train.n_rows, LEAST_VARIANCE * test.n_rows)
    varies = np.minimum(train.power_y, test.power_y) > least
    weight = np.where(varies & np.isfinite(score), test.power_y, 0.0)
    weighted = weight * np.where(weight > 0, score, 0.0)
    sums = [(weighted[:, one].sum(axis=1), weight[:, one].sum(axis=1)) for one in targets]
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
        return np.stack([found / total for found, total in sums], axis=1)


def _mean(rows: Tensor) -> Tensor:
    """Mean of (m, q) rows, exact where all are equal."""
    return rows[0] + (rows - rows[0]).mean(dim=0)
