"""The kernels beside torch, in turns, on one thread: `python -m benchmarks.kernels`.

Torch trains as a worker has it, in fleets where they pay. A ratio above 1 says that the kernels are
faster. On an idle machine of two cores it takes under four minutes; `--rounds 1` a minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from benchmarks.jobs import fleet_size, fleets
from benchmarks.machine import this_machine
from benchmarks.markdown import table
from benchmarks.shapes import SHAPES, Shape
from benchmarks.timing import Timing, interleave, threads
from rgcore.cost.training import step_multiply_adds
from rgcore.fleet import Backend
from rgkernels import native

DEFAULT = Shape("default", depth=8, width=64, n_states=16, seq_len=32)
TRIALS = [(SHAPES["S"], 1, 100), (SHAPES["S"], 8, 25), (DEFAULT, 1, 30), (SHAPES["M"], 1, 4)]
"""Shape, members, steps: each takes torch a second or so."""
HEAD = ("(depth, width, V, T)", "K", "torch, ms", "kernels, ms", "torch / kernels", "GF/s")


def cost(shape: Shape, members: int, steps: int, *, size: int, backend: Backend | None) -> float:
    """Seconds per member and step of so many members, in fleets of this size."""
    return fleets(shape, steps, range(members), size, backend).seconds / (members * steps)


def row(shape: Shape, members: int, steps: int, backend: Backend, rounds: int) -> Sequence[str]:
    """One shape, measured in turns."""
    trial = partial(cost, shape, members, steps)
    found = interleave(
        {
            "torch": partial(trial, size=fleet_size(shape), backend=None),
            "kernels": partial(trial, size=members, backend=backend),
        },
        rounds,
    )
    torchs, ours = found["torch"], found["kernels"]
    pairs = zip(torchs.costs, ours.costs, strict=True)
    ratio = Timing(tuple(other / own for other, own in pairs))
    problem = shape.problem(steps)
    work = 2 * step_multiply_adds(
        problem.arch, batch_size=problem.plan.batch_size, mask_prob=problem.plan.mask_prob
    )
    return [
        str(shape),
        str(members),
        *(
            f"{1e3 * one.median:.2f} ({1e3 * one.least:.2f}-{1e3 * one.most:.2f})"
            for one in found.values()
        ),
        f"{ratio.median:.2f} ({ratio.least:.2f}-{ratio.most:.2f})",
        f"{work / ours.median / 1e9:.0f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    backend = native()
    lines = [f"{this_machine()}; kernels: {backend.detail}; per member and step", ""]
    with threads(1):
        lines.append(table(HEAD, [row(*trial, backend, rounds) for trial in TRIALS]))
    print("\n".join(lines))  # noqa: T201 - that is its work


if __name__ == "__main__":
    main()
