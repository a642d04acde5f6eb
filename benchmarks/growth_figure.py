"""`python -m benchmarks.growth_figure RESULT`: draws the growth of the cost of training.

RESULT is the JSON of a run; the picture goes to `docs/images/performance/growth.png`.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.growth import AXES, BASE
from rgcontract.files import replacing

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "performance" / "growth.png"
OF_ALL = ("K",)
"""Axes along which the cost of all networks is shown; else that of one."""


def draw(points: list[dict[str, Any]], picture: Path) -> None:
    """One panel for each axis: median, least and largest, both scales logarithmic."""
    mpl.use("Agg")
    from matplotlib import pyplot, ticker  # noqa: PLC0415 - after the choice of how to draw

    figure, panels = pyplot.subplots(1, len(AXES), figsize=(2.6 * len(AXES), 2.8), sharey=False)
    for axis, panel in zip(AXES, panels, strict=True):
        of_axis = [point for point in points if point["axis"] == axis]
        kind = "cost" if axis in OF_ALL else "per_member"
        values = [point["value"] for point in of_axis]
        costs = [[1e3 * cost for cost in point[kind]["costs"]] for point in of_axis]
        medians = [statistics.median(found) for found in costs]
        below = [median - min(found) for median, found in zip(medians, costs, strict=True)]
        above = [max(found) - median for median, found in zip(medians, costs, strict=True)]
        panel.errorbar(values, medians, yerr=(below, above), marker="o", capsize=3)
        panel.set(xscale="log", yscale="log", xlabel=axis)
        panel.set_ylabel("ms/step of all" if axis in OF_ALL else "ms/member-step")
        panel.set_xticks(values, [str(value) for value in values])
        panel.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 3, 5)))
        panel.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        panel.minorticks_off()
    figure.suptitle(f"Cost of a training step around {BASE}; median, least and most")
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    with replacing(picture) as file:
        figure.savefig(file, format=picture.suffix[1:], dpi=120)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text())["growth"], PICTURE)
