#!/usr/bin/env python
"""The pictures of docs/chains.md: `.venv/bin/python scripts/chain_pictures.py [folder]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rgcontract.files import replacing
from rgcore.chain import Chain, make_chain

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "chains"
N_STATES = 16
LAGS = 30
COLOURS = ("#0072b2", "#d55e00")  # told apart by colour-blind readers too (Okabe & Ito)
MARKERS = ("o", "s")  # and in black and white


def examples() -> dict[str, dict[str, Chain]]:
    """For each family the two chains of its picture, by label."""
    tunable = {
        family: {
            f"xi = {corr_len:g}": make_chain(family, N_STATES, corr_len) for corr_len in (7.0, 1.0)
        }
        for family in ("potts", "ring", "random_reversible")
    }
    rates = 1.0 - np.cos(np.pi * np.arange(1, N_STATES) / N_STATES)
    rates /= rates[0]
    slowest = np.exp(-1.0 / 7.0)
    around = np.roll(np.eye(6), 1, axis=1)
    return tunable | {
        "hierarchical": {
            "xi = 7, halving": make_chain("hierarchical", N_STATES, 7.0),
            "xi = 0, 0, 0, 7": make_chain("hierarchical", scales=(0.0, 0.0, 0.0, 7.0)),
        },
        "spectrum": {
            "slow tail": make_chain(
                "spectrum", eigenvalues=(1.0 + (slowest**-2 - 1.0) * rates) ** -0.5
            ),
            "heat": make_chain("spectrum", eigenvalues=slowest**rates),
        },
        "explicit": {
            "drift": make_chain(
                "explicit", matrix=0.2 * np.eye(6) + 0.75 * around + 0.05 * around.T
            ),
            "no drift": make_chain(
                "explicit", matrix=0.2 * np.eye(6) + 0.4 * around + 0.4 * around.T
            ),
        },
    }


def picture(chains: dict[str, Chain]) -> Figure:
    """The first chain's matrix, and the eigenvalues and the decay of two."""
    figure = Figure(figsize=(9.6, 3.0), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 1.2))
    label, shown = next(iter(chains.items()))
    _matrix(figure, left, shown.transition, f"P, {label}")
    plane = any(np.iscomplexobj(chain.eigenvalues) for chain in chains.values())
    for (label, chain), colour, marker in zip(chains.items(), COLOURS, MARKERS, strict=True):
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": label}
        _eigenvalues(middle, chain, style, plane=plane)
        _decay(right, chain, style)
    right.legend(loc="upper right", fontsize=8, frameon=False)
    return figure


def _matrix(figure: Figure, axes: Axes, transition: NDArray[np.float64], title: str) -> None:
    image = axes.imshow(transition, vmin=0.0, cmap="Blues")
    axes.set(title=title, xlabel="next state", ylabel="state")
    figure.colorbar(image, ax=axes, shrink=0.85)


def _eigenvalues(axes: Axes, chain: Chain, style: dict[str, Any], *, plane: bool) -> None:
    values = chain.eigenvalues
    if plane:
        circle = np.exp(2j * np.pi * np.linspace(0.0, 1.0, 200))
        axes.plot(circle.real, circle.imag, color="0.8", linewidth=0.8)
        axes.plot(values.real, values.imag, markersize=5, **style)
        axes.set(title="eigenvalues, complex plane", aspect="equal")
    else:
        axes.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
        axes.plot(range(1, len(values) + 1), values, markersize=5, **style)
        axes.set(title="eigenvalues", xlabel="rank by modulus")


def _decay(axes: Axes, chain: Chain, style: dict[str, Any]) -> None:
    lags = np.arange(1, LAGS + 1)
    second = abs(chain.eigenvalues[1])
    axes.plot(lags, chain.mutual_information(LAGS), markersize=3.5, **style)
    axes.plot(lags, second**lags, color=style["color"], linewidth=1.0)
    axes.plot(lags, second ** (2 * lags), color=style["color"], linewidth=0.8, linestyle="--")
    axes.set(yscale="log", ylim=(1e-7, 5.0), xlim=(0, LAGS + 1), xlabel="distance r (tokens)")
    axes.set_title("I(r) in nats; lines |l2|^r, dashes |l2|^2r", fontsize=9)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for family, chains in examples().items():
        with replacing(folder / f"{family}.png") as file:
            picture(chains).savefig(file, format="png", dpi=100)
