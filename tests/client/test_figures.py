"""Figures by name: what is asked for is drawn, and what cannot be drawn is said."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from rgclient import Result
from rgcontract.measured import NotThere
from rgfigures import FIGURES, drawn
from rgfigures._registry import DRAWN_BY


def test_each_figure_that_is_told_is_drawn_by_something_and_nothing_else_is() -> None:
    assert list(DRAWN_BY) == list(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_from_as_many_results_as_its_row_says(
    name: Any, make_result: Any
) -> None:
    results = [make_result().data for _ in range(FIGURES[name].results)]
    figure = drawn(name, results)
    assert isinstance(figure, Figure)
    figure.savefig(picture := io.BytesIO(), format="png")
    assert picture.getvalue().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=f"of {FIGURES[name].results} results; these are 3"):
        drawn(name, results[:1] * 3)


@pytest.mark.parametrize("name", FIGURES)
def test_a_row_says_what_the_figure_shows_and_what_it_needs(name: Any, make_result: Any) -> None:
    row = FIGURES[name]
    assert (row.name, row.meaning[-1]) == (name, ".")
    data = make_result().data
    for quantity in row.needs:
        lacking = data.model_copy(deep=True)
        for snapshot in lacking.snapshots:
            for level in snapshot.levels:
                del level.quantities[quantity]
        with pytest.raises(NotThere, match=f"no quantity {quantity!r}"):
            drawn(name, [lacking] * row.results)
    unneeded = {"participation_ratio", "stable_rank", "spectrum", "kernel_drift"} - {*row.needs}
    for snapshot in data.snapshots:
        for level in snapshot.levels:
            for quantity in unneeded:
                del level.quantities[quantity]
    drawn(name, [data] * row.results)


def test_a_name_that_is_none_gets_the_nearest(result: Result) -> None:
    with pytest.raises(ValueError, match="no figure 'contrasts'; did you mean contrast"):
        drawn("contrasts", [result.data])
    with pytest.raises(ValueError, match="there are ranks, contrast"):
        drawn("x", [result.data])


def test_the_contrast_shows_ranks_at_both_levels_and_drift_between_layers(make_result: Any) -> None:
    position, pooled, drift = drawn("contrast", [make_result().data] * 2).axes
    for axes in (position, pooled):
        assert list(np.asarray(axes.lines[0].get_ydata())) == [11.0, 8.5, 7.0]
    assert list(np.asarray(drift.lines[0].get_xdata())) == [0.5, 1.5]
    assert list(np.asarray(drift.lines[0].get_ydata())) == [0.5, 0.25]


def test_the_picture_of_ranks_is_the_one_that_the_client_draws(result: Result) -> None:
    import matplotlib.pyplot as plt

    (by_name,) = drawn("ranks", [result.data]).axes
    by_client = result.plot(axes=plt.subplots()[1])
    for one, other in zip(by_name.lines, by_client.lines, strict=True):
        assert np.array_equal(one.get_xydata(), other.get_xydata())
    plt.close("all")
