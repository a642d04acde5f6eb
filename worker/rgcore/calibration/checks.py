"""The checks. Each sets up a case with a known answer and measures it as an experiment is."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rgcore.calibration.check import Check
from rgcore.calibration.networks import linear_network, one_hot_tables, posterior_tables
from rgcore.chain import make_chain
from rgcore.measurement import measure
from rgcore.observables import (
    effective_rank,
    linear_cka,
    participation_ratio_corrected,
)
from rgcore.random import derive_generator

CPU = torch.device("cpu")
MASK_PROB = 0.15
N_SEQUENCES = 2048
FLOAT32 = 1e-6
"""Activations are float32: one rounding of a logit of a few nats is 2e-7."""
FLOAT64 = 1e-10
"""What is left of float64 after sums over the rows."""


def linear_spectrum(device: torch.device) -> list[Check]:
    """A linear network on a Potts chain: its stream has a covariance in closed form.

    Visible tokens as one-hot vectors of a window of three, hidden with probability m: with
    l = exp(-1 / xi) the covariance is [(1 - m)^2 l^|i - j|, (1 - m) on the diagonal] / V on the
    V - 1 directions orthogonal to the constant, and m (1 - m) / V on the constant one.
    """
    n_states, radius = 4, 1
    chain = make_chain("potts", n_states, 2.0)
    network = linear_network(chain, 12, radius, one_hot_tables(n_states, radius)).to(device)
    found = measure(
        network, chain, seq_len=12, n_sequences=N_SEQUENCES, mask_prob=MASK_PROB,
        levels=["position"], seed=0,
    )  # fmt: skip
    seen = 1.0 - MASK_PROB
    slots = np.arange(2 * radius + 1)
    window = seen**2 * np.exp(-np.abs(slots[:, None] - slots) / chain.corr_len)
    np.fill_diagonal(window, seen)
    values = np.concatenate(
        [np.repeat(np.linalg.eigvalsh(window), n_states - 1), np.full(3, MASK_PROB * seen)]
    )
    shares = np.sqrt(values) / np.sqrt(values).sum()
    measured = found.levels["position"].arrays
    return [
        Check(
            "effective rank of a linear network on a Potts chain",
            float(measured["effective_rank"][0]),
            float(np.exp(-(shares * np.log(shares)).sum())),
            0.042,
            f"three standard deviations (0.012) and the bias (0.006) at {N_SEQUENCES} sequences",
        ),
        Check(
            "kernel drift of blocks that do nothing",
            float(measured["kernel_drift"].max()),
            0.0,
            FLOAT64,
            "float64 sums",
        ),
    ]


def gaussian_rows() -> list[Check]:
    """Gaussian rows of known covariance: participation ratio (sum v)^2 / sum v^2 of it."""
    scales = 1.0 / np.arange(1, 25)
    rows = _normal(1000, len(scales), "rows") * scales
    expected = float((scales**2).sum() ** 2 / (scales**4).sum())
    few = rows[:100]
    return [
        Check(
            "corrected participation ratio of 1000 Gaussian rows",
            participation_ratio_corrected(rows),
            expected,
            0.22,
            "three standard deviations (0.071) and the bias (0.007) at 1000 rows",
        ),
        Check(
            "corrected participation ratio of 100 Gaussian rows",
            participation_ratio_corrected(few),
            expected,
            0.71,
            "three standard deviations (0.22) and the bias (0.06) at 100 rows",
        ),
    ]


def alike_layers() -> list[Check]:
    """A layer and its rotation are one to CKA and to every rank."""
    rows = _normal(400, 16, "layer") @ np.diag(np.linspace(0.1, 2.0, 16))
    turn = np.linalg.qr(_normal(16, 16, "turn"))[0]
    turned = 3.0 * rows @ turn + 1.0
    return [
        Check("CKA of identical layers", linear_cka(rows, rows), 1.0, FLOAT64, "float64 sums"),
        Check("CKA of rotated layers", linear_cka(rows, turned), 1.0, FLOAT64, "float64 sums"),
        Check(
            "effective rank of a rotated layer",
            effective_rank(turned),
            effective_rank(rows),
            1e-8,
            "float64 singular values, entropy of 16 of them",
        ),
    ]


def exact_posterior(device: torch.device) -> list[Check]:
    """A network that outputs the exact posterior has no excess loss.

    With two tokens a window of radius 1 sees everything; with more, all that it can see.
    """
    chain = make_chain("random_reversible", 5, 2.0)
    tables = posterior_tables(chain)
    both = measure(
        linear_network(chain, 2, 1, tables).to(device), chain, seq_len=2,
        n_sequences=N_SEQUENCES, mask_prob=0.4, levels=["token"], seed=0,
    )  # fmt: skip
    window = measure(
        linear_network(chain, 8, 1, tables).to(device), chain, seq_len=8,
        n_sequences=N_SEQUENCES, mask_prob=0.4, levels=["token"], seed=0,
    )  # fmt: skip
    return [
        Check("excess loss of the exact posterior", both.excess_loss, 0.0, FLOAT32, "float32"),
        Check(
            "excess loss of the exact posterior of a window",
            window.loss - window.visible_bayes_loss,
            0.0,
            FLOAT32,
            "float32",
        ),
    ]


def calibrate(device: torch.device = CPU) -> list[Check]:
    """Run all checks, in under a second or two; the same process gives the same numbers.

    Args:
        device: where the networks that are measured compute.
    """
    return [
        *linear_spectrum(device),
        *gaussian_rows(),
        *alike_layers(),
        *exact_posterior(device),
    ]


def _normal(n: int, d: int, stream: str) -> NDArray[np.float64]:
    generator = derive_generator(0, f"calibration {stream}")
    return torch.randn(n, d, dtype=torch.float64, generator=generator).numpy()
