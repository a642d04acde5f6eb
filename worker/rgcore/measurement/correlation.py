"""How far apart two positions of a layer still move together."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rgcore.cost.passes import MOST_LAG
from rgcore.measurement.observe import Observed, with_codes
from rgcore.measurement.reasons import CODE, Codes
from rgcore.measurement.rounding import does_not_vary
from rgcore.observables import decay_length


class StreamCorrelation:
    """Sums over sequences of h(t) . h(t') for positions up to R = min(T - 1, 32) apart.

    About a reference as `Moments`: the first batch's mean of each layer and position. Positions
    are taken in blocks of 32, each with itself and the next.

    Args:
        n_layers: K.
        seq_len: T.
        width: d.
        device: of the streams.
        precision: epsilon of the arithmetic that they are computed in.
    """

    def __init__(
        self, n_layers: int, seq_len: int, width: int, device: torch.device, precision: float
    ) -> None:
        self.n_sequences = 0
        self.precision = precision
        self.total = torch.zeros(
            n_layers, seq_len, width, dtype=torch.float64, device=device
        )  # (K, T, d)
        self.reference = torch.zeros_like(self.total)
        n_blocks = -(-seq_len // MOST_LAG)
        self.product = self.total.new_zeros(n_layers, n_blocks, MOST_LAG, 2 * MOST_LAG)

    @property
    def most_lag(self) -> int:
        """R."""
        return min(self.total.shape[1] - 1, MOST_LAG)

    def add(self, layer: int, stream: Tensor) -> None:
        """Add a batch; call for layer 0, 1, ..., L in this order with the same sequences.

        Args:
            layer: l.
            stream: (n, T, d), of any float type.
        """
        x = stream.transpose(0, 1).to(torch.float64, copy=True)  # (T, n, d)
        if self.n_sequences == 0:
            self.reference[layer] = x[:, 0] + (x - x[:, :1]).mean(dim=1)
        x -= self.reference[layer][:, None]
        self.total[layer] += x.sum(dim=1)
        flat = x.reshape(len(x), -1)  # (T, n d)
        for block, begin in enumerate(range(0, len(x), MOST_LAG)):  # not all T x T
            rows, near = flat[begin : begin + MOST_LAG], flat[begin : begin + 2 * MOST_LAG]
            self.product[layer, block, : len(rows), : len(near)] += rows @ near.T
        if layer == len(self.total) - 1:
            self.n_sequences += stream.shape[0]

    def correlation(self) -> NDArray[np.float64]:
        """C(r), r = 0..R: mean over positions t of tr Cov(h(t), h(t + r)); (K, R + 1)."""
        n = max(self.n_sequences, 1)
        mean = self.total / n
        seq_len = mean.shape[1]
        found = []
        for lag in range(self.most_lag + 1):
            t = torch.arange(seq_len - lag, device=mean.device)
            block, row = t // MOST_LAG, t % MOST_LAG
            product = self.product[:, block, row, row + lag] / n  # (K, T - lag)
            offset = (mean[:, : seq_len - lag] * mean[:, lag:]).sum(dim=-1)
            found.append((product - offset).mean(dim=1))
        return np.asarray(torch.stack(found, dim=1).cpu().numpy())

    def observed(self) -> Observed:
        """`stream_correlation` C(r) / C(0), (K, R + 1), and its `corr_len_flow` (K,), in tokens."""
        correlation = self.correlation()
        layer = self._codes(correlation)  # (K,)
        usable = np.where((layer == 0)[:, None], correlation, np.nan)
        relative = usable / usable[:, :1]
        length = np.full(len(layer), np.nan)
        why = np.full(len(layer), CODE["too_few_lags"])
        if self.most_lag >= 2:
            decay = decay_length(relative)
            length = decay.length
            codes = [CODE.get(reason, np.uint8(0)) for reason in decay.code.tolist()]
            why = np.array(codes, np.uint8)
        flow = with_codes(
            {"corr_len_flow": length}, np.where(layer > 0, layer, why), "does_not_decay"
        )
        return flow | with_codes({"stream_correlation": relative}, layer[:, None], "not_finite")

    def _codes(self, correlation: NDArray[np.float64]) -> Codes:
        """Why a layer has no correlation: (K,)."""
        mean2 = self.reference.square().sum(dim=-1).mean(dim=-1).cpu().numpy()
        codes = np.zeros(len(correlation), dtype=np.uint8)
        codes[does_not_vary(correlation[:, 0], mean2, self.precision)] = CODE["constant_layer"]
        codes[~np.isfinite(correlation).all(axis=1)] = CODE["not_finite"]
        if self.n_sequences < 2:
            codes[:] = CODE["too_few_rows"]
        return codes
