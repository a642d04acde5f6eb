"""What needs pandas or matplotlib."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from rgclient import MissingExtra, Result
from rgclient._extras import optional
from rgclient._frame import COLUMNS, INDEXES, _index

mpl.use("Agg")  # before pyplot: a display may be there, or not


@pytest.fixture
def axes() -> Iterator[Any]:
    """Axes that are closed after the test."""
    import matplotlib.pyplot as plt

    yield plt.subplots()[1]
    plt.close("all")


def test_the_frame_has_the_columns(result: Result) -> None:
    assert list(result.to_frame().columns) == COLUMNS == [
        "when", "step", "level", "quantity", "layer", "transition", "mode",
        "mean", "standard_error", "low", "high", "n_seeds", "n", "half_shift",
    ]  # fmt: skip


def test_the_frame_has_a_row_for_each_number(result: Result) -> None:
    frame = result.to_frame()
    # moments; levels with three ranks and a drift; the relevance of the network
    assert len(frame) == 2 * (2 * (3 * 3 + 2) + 3)
    assert set(frame.quantity) == {
        "effective_rank", "participation_ratio", "stable_rank", "kernel_drift",
        "relevance_posterior",
    }  # fmt: skip


def test_a_row_of_the_frame(result: Result) -> None:
    frame = result.to_frame()
    row = frame[
        (frame.when == "final")
        & (frame.level == "position")
        & (frame.quantity == "effective_rank")
        & (frame.layer == 2)
    ].iloc[0]
    assert (row.step, row["mean"], row.n_seeds) == (1500, 7.0, 2)
    assert row.standard_error == pytest.approx(2.0)
    assert (row.low, row.high) == (pytest.approx(3.0), pytest.approx(11.0))


def test_the_columns_of_the_frame_are_numbers(make_result: Any) -> None:
    frame = make_result(ranks={0: [10.0, None, 5.0]}).to_frame()
    kinds = {name: frame[name].dtype.kind for name in COLUMNS[4:]}
    counts = dict.fromkeys([*INDEXES, "n_seeds", "n"], "i")
    assert kinds == dict.fromkeys([*COLUMNS[7:11], "half_shift"], "f") | counts
    final = frame[(frame.when == "final") & (frame.layer == 1)]
    assert math.isnan(final.iloc[0]["mean"])


def test_an_index_stands_in_the_column_of_what_it_counts(result: Result) -> None:
    frame = result.to_frame()
    drift = frame[frame.quantity == "kernel_drift"]
    assert set(drift.transition) == {0, 1}
    assert drift[["layer", "mode"]].isna().all(axis=None)
    assert set(frame[frame.quantity == "effective_rank"].layer) == {0, 1, 2}
    assert (frame[list(INDEXES)].notna().sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("quantity", "column"),
    [("relevance_eigenvectors_ceiling", "mode"), ("kernel_drift", "transition"), ("new", "layer")],
)
def test_the_row_of_an_observable_says_what_its_index_counts(quantity: str, column: str) -> None:
    assert _index(quantity, 3) == [3 if name == column else None for name in INDEXES]


def test_a_plot_has_both_moments_with_bands(result: Result, axes: Any) -> None:
    assert result.plot(axes=axes) is axes
    assert [line.get_label() for line in axes.lines] == ["initial", "final"]
    assert list(np.asarray(axes.lines[1].get_ydata())) == [11.0, 8.5, 7.0]
    assert list(np.asarray(axes.lines[1].get_xdata())) == [0, 1, 2]
    assert len(axes.collections) == 2


def test_a_band_is_the_interval(result: Result, axes: Any) -> None:
    result.plot(axes=axes)
    corners = axes.collections[1].get_paths()[0].vertices[:, 1]
    assert corners.min() == pytest.approx(3.0)
    assert corners.max() == pytest.approx(13.0)


def test_a_plot_says_what_it_is(result: Result, axes: Any) -> None:
    result.plot(level="pooled", axes=axes)
    assert axes.get_xlabel() == "layer"
    assert axes.get_ylabel() == "effective rank (pooled)"
    assert "xi = 7" in axes.get_title()
    assert axes.get_legend().get_title().get_text() == "95% interval over seeds"


def test_a_plot_makes_axes_of_its_own(result: Result, axes: Any) -> None:
    assert result.plot() is not axes


def test_a_plot_of_one_seed_draws_without_a_warning(make_result: Any, axes: Any) -> None:
    make_result(ranks={0: [10.0, None, 5.0]}).plot(axes=axes)
    axes.figure.canvas.draw()
    assert len(axes.lines) == 2


@pytest.mark.parametrize("extra", ["frame", "plot"])
def test_a_missing_library_says_how_to_install_it(extra: str) -> None:
    with pytest.raises(MissingExtra, match=rf"no_such_library.*'rgclient\[{extra}\]'"):
        optional("no_such_library.part", extra)


def test_a_library_that_is_there_is_given() -> None:
    assert optional("matplotlib.ticker", "plot").MaxNLocator
