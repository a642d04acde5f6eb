"""How far the kernels move what is measured, beside torch's own rounding and the seeds' spread.

    python scripts/backend_agreement.py [--body JSON] [--seeds 8]

Every seed is trained three times: by torch alone, by torch in a fleet of all seeds, by the kernels.
For each quantity of the final network, over all its entries and seeds:

- spread: standard deviation over the seeds, the root of its mean square over the entries;
- fleet, kernels: the same root of the difference from torch alone.

The share of the spread is what a backend adds to an error bar: 1 % of it adds 0.005 %.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rgcontract import ExperimentSpec
from rgcore.fleet import Backend, Member, train_fleet
from rgcore.measurement import Measurement, measure
from rgcore.network import build_network
from rgcore.training import derive_generator
from rgkernels import native
from rgworker import arithmetic
from rgworker.record import quantities
from rgworker.unpack import architecture_of, chain_of, plan_of

Found = dict[str, NDArray[np.float64]]
"""Quantity with its level -> (seeds, entries)."""


def member(spec: ExperimentSpec, seed: int) -> Member:
    """A run before its training."""
    network = build_network(architecture_of(spec), derive_generator(seed, "init"))
    return Member(network, chain_of(spec), plan_of(spec), seed)


def measured(spec: ExperimentSpec, one: Member) -> Measurement:
    """As a worker measures it."""
    return measure(
        one.network,
        one.chain,
        seq_len=spec.data.seq_len,
        n_sequences=spec.measurement.n_sequences,
        mask_prob=spec.data.mask_prob,
        levels=[str(level) for level in spec.measurement.levels or ()],
        kernel=spec.measurement.kernel,
        seed=one.seed,
    )


def trained(
    spec: ExperimentSpec, fleets: Sequence[Sequence[int]], backend: Backend | None
) -> Found:
    """What is measured of the seeds after training in these fleets."""
    found: dict[str, list[list[float]]] = {}
    for seeds in fleets:
        members = [member(spec, seed) for seed in seeds]
        train_fleet(members, seq_len=spec.data.seq_len, backend=backend)
        for one in members:
            for quantity in quantities("final", spec.training.steps, measured(spec, one)):
                name = f"{quantity.quantity} ({quantity.level})"
                found.setdefault(name, []).append(quantity.values)
    return {name: np.array(rows) for name, rows in found.items()}


def size(values: NDArray[np.float64]) -> float:
    """Root of the mean square of the entries that are numbers."""
    kept = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(kept**2))) if kept.size else 0.0


def table(alone: Found, fleet: Found, kernels: Found) -> Iterator[tuple[str, float, float, float]]:
    """Quantity, spread, and the differences of both as shares of it."""
    for name, values in alone.items():
        finite = np.isfinite(values).all(axis=0)
        spread = size(values[:, finite].std(axis=0, ddof=1))
        if spread:
            of_fleet, of_kernels = (
                size((other[name] - values)[:, finite]) / spread for other in (fleet, kernels)
            )
            yield name, spread, of_fleet, of_kernels


def main() -> None:
    """Print the table, the largest share of the kernels first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--body", default="{}", help="the experiment, as JSON")
    parser.add_argument("--seeds", type=int, default=8)
    arguments = parser.parse_args()
    arithmetic.settle()
    spec = ExperimentSpec.model_validate(json.loads(arguments.body))
    seeds, kernels = list(range(arguments.seeds)), native()
    alone = [[seed] for seed in seeds]
    rows = list(
        table(
            trained(spec, alone, None),
            trained(spec, [seeds], None),
            trained(spec, alone, kernels),
        )
    )
    lines = [f"{kernels.detail}; {arguments.seeds} seeds; {arguments.body}"]
    lines += [f"{'quantity (level)':44} {'spread':>9} {'fleet':>9} {'kernels':>9}"]
    for name, spread, fleet, own in sorted(rows, key=lambda row: -row[3]):
        lines.append(f"{name:44} {spread:9.2e} {fleet:8.4%} {own:8.4%}")
    print("\n".join(lines))  # noqa: T201 - that is its work


if __name__ == "__main__":
    main()
