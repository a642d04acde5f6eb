"""All that was measured, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks import table
from benchmarks.growth import AXES
from benchmarks.markdown import number
from benchmarks.markdown import table as markdown
from benchmarks.race import MEMBER_STEP
from benchmarks.serving.report import tables as of_serving
from benchmarks.session import Found
from benchmarks.sweep import Sweep
from benchmarks.ways import WAYS, Compared

SWEEP = (
    "runs",
    "steps",
    "cores",
    "the sweep, s",
    "one after another, s",
    "ratio",
    "single runs measured",
)
COMPARED = ("(depth, width, V, T)", *(f"{way}, ms/member-step" for way in WAYS), "K of a fleet")
GROWTH = ("varied", "values", "ms/step of all members", "ms/member-step")


def as_markdown(found: Found) -> str:
    """Every table under a heading."""
    parts = {
        "Races": table.races(found.races),
        "Ceilings": table.ceilings(found.ceilings),
        "A sweep": sweep(found.sweep),
        "Ways to train several networks": compared(found.ways),
        "Growth": growth(found),
        "Where the time of a run goes": table.shares(found.shares),
        "Storing and serving": "\n\n".join(of_serving(found.serving)),
    }
    head = f"{found.machine}; median [least, most] of {found.rounds} rounds"
    body = "\n\n".join(f"### {heading}\n\n{text}" for heading, text in parts.items())
    return f"{head}\n\n{body}\n"


def as_json(found: Found) -> str:
    """Every number that was measured."""
    return json.dumps(asdict(found), indent=1)


def sweep(found: Sweep | str) -> str:
    """A lab's sweep beside single runs, or why there is none."""
    if isinstance(found, str):
        return markdown(SWEEP, [[f"no time: {found}", *[""] * (len(SWEEP) - 1)]])
    row = [
        str(found.runs),
        str(found.steps),
        str(found.cores),
        number(found.seconds),
        number(found.in_turn),
        f"{found.ratio:.2f}",
        f"{len(found.singles)} of {found.runs}",
    ]
    return markdown(SWEEP, [row])


def compared(found: Sequence[Compared]) -> str:
    """Ways to train, by shape."""
    return markdown(
        COMPARED,
        [
            [one.shape, *(table.spread(MEMBER_STEP, way) for way in one.timings), str(one.chosen)]
            for one in found
        ],
    )


def growth(found: Found) -> str:
    """A row for each axis, values from left to right."""
    rows = []
    for axis in AXES:
        points = [point for point in found.growth if point.axis == axis]
        rows.append(
            [
                axis,
                ", ".join(str(point.value) for point in points),
                ", ".join(number(1e3 * point.cost.median) for point in points),
                ", ".join(number(1e3 * point.per_member.median) for point in points),
            ]
        )
    return markdown(GROWTH, rows)
