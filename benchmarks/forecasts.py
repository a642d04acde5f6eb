"""`python -m benchmarks.forecasts`: what runs were forecast to take, and what they took.

Real specs, from tiny to as large as a minute allows, go through the worker's own trainer code, one
fleet after another in this process. Each is forecast twice: from the shipped prices, and as a lab
would that has run all the others. Both are set against the clock, and against the time of the
processor, which other work on the machine touches less.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.machine import this_machine
from benchmarks.markdown import number, table
from benchmarks.one_thread import on_one_thread
from benchmarks.progress import say
from rgcontract import ExperimentSpec, strictjson
from rgcontract.files import write_text
from rgcore.cost import Factor, Modelled, Sample, factor, run_cost
from rgworker import arithmetic
from rgworker.fleet import Fleet
from rgworker.protocol import Event, Finished, Job, Task
from rgworker.unpack import architecture_of
from scripts.marked import filled

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- forecasts: made by benchmarks/forecasts.py -->", "<!-- end of forecasts -->"
WITHIN = 2.0


@dataclass(frozen=True)
class Case:
    """A spec, and how many of its runs go together."""

    name: str
    spec: ExperimentSpec
    fleet: int


@dataclass(frozen=True)
class Measured:
    """A run that speaks for its fleet."""

    case: Case
    modelled: Modelled
    wall: float
    processor: float


@dataclass(frozen=True)
class Told:
    """Seconds of a case on one clock: from the shipped prices, learnt from the others, measured."""

    case: Case
    shipped: float
    learnt: float
    factor: Factor
    measured: float

    @property
    def inside(self) -> bool:
        """Whether the interval holds what was measured."""
        low, high = (self.shipped * end for end in (self.factor.low, self.factor.high))
        return low <= self.measured <= high


def case(name: str, *, fleet: int = 1, **sections: Any) -> Case:
    """A case out of the sections of a spec, with defaults for what is left out."""
    spec = {"chain": {"corr_len": 3.0}, **sections}
    return Case(name, ExperimentSpec.model_validate_json(strictjson.dumps(spec)), fleet)


def cases() -> list[Case]:
    """All of them: each of the sizes and choices from its smallest to its largest."""
    return [*_tiny(), *_mixings(), *_sizes(), *_lengths(), *_chains(), *_measuring(), *_fleets()]


def _small(mixing: str = "context", **model: Any) -> dict[str, Any]:
    context = {"context": 1} if mixing == "context" else {}
    return {"mixing": mixing, "depth": 2, "width": 16, **context, **model}


def _steps(steps: int, **more: Any) -> dict[str, Any]:
    return {"steps": steps, "batch_size": 32, **more}


FEW = {"n_sequences": 256}


def _tiny() -> list[Case]:
    tiny: dict[str, Any] = {
        "data": {"seq_len": 4},
        "chain": {"corr_len": 1.0, "n_states": 2},
        "model": _small(depth=1, width=4),
        "measurement": {"n_sequences": 16},
    }
    return [
        case(f"tiny, {steps} steps", **tiny, training=_steps(steps, batch_size=8))
        for steps in (1, 100, 2000)
    ]


def _mixings() -> list[Case]:
    return [
        case(
            f"{mixing}, L = {depth}, d = {width}",
            model=_small(mixing, depth=depth, width=width),
            training=_steps(steps),
            measurement=FEW,
        )
        for mixing in ("context", "flat", "mixer", "window")
        for depth, width, steps in ((2, 16, 500), (8, 64, 60))
    ]


def _sizes() -> list[Case]:
    by_width = [
        case(f"d = {width}", model=_small(width=width), training=_steps(100), measurement=FEW)
        for width in (4, 32, 128, 256)
    ]
    by_depth = [
        case(f"L = {depth}", model=_small(depth=depth), training=_steps(200), measurement=FEW)
        for depth in (1, 4, 16)
    ]
    rules = [
        case(
            f"{rule}, {norm}, {f}",
            model=_small("window", norm=norm, activation=f),
            training=_steps(200, optimizer=rule, grad_clip=None),
            measurement=FEW,
        )
        for rule, norm, f in (("sgd", "none", "relu"), ("adam", "rms", "tanh"))
    ]
    large: dict[str, Any] = {
        "model": _small(depth=16, width=256),
        "measurement": FEW,
        "data": {"seq_len": 16},
    }
    return [
        *by_width,
        *by_depth,
        *rules,
        case("L = 16, d = 256", **large, training=_steps(20, batch_size=64)),
        case("default, 100 steps", training={"steps": 100}, measurement={"n_sequences": 1024}),
        case("5,000 steps", model=_small(depth=1, width=8), training=_steps(5000), measurement=FEW),
    ]


def _lengths() -> list[Case]:
    by_length = [
        case(
            f"T = {length}, {mixing}",
            data={"seq_len": length},
            model=_small(mixing),
            training=_steps(100),
            measurement=FEW,
        )
        for length, mixing in ((2, "flat"), (8, "window"), (128, "mixer"), (128, "window"))
    ]
    by_batch = [
        case(f"batch of {n}", model=_small(), training=_steps(100, batch_size=n), measurement=FEW)
        for n in (4, 1024)
    ]
    return [*by_length, *by_batch]


def _chains() -> list[Case]:
    chains: list[dict[str, Any]] = [
        {"family": "potts", "n_states": 2, "corr_len": 1.0},
        {"family": "ring", "n_states": 64, "corr_len": 20.0},
        {"family": "potts", "n_states": 256, "corr_len": 7.0},
        {"family": "random_reversible", "n_states": 256, "corr_len": 7.0},
        {"family": "hierarchical", "n_states": 16, "corr_len": 3.0},
    ]
    return [
        case(
            f"{chain['family']}, V = {chain['n_states']}",
            chain=chain,
            model=_small(),
            training=_steps(100),
            measurement=FEW,
        )
        for chain in chains
    ]


def _measuring() -> list[Case]:
    by_n = [
        case(f"n = {n}", model=_small(), training=_steps(20), measurement={"n_sequences": n})
        for n in (16, 1024, 16384)
    ]
    along = {"n_sequences": 256, "at": "log"}
    one_level = {"n_sequences": 1024, "levels": ["masked"]}
    return [
        *by_n,
        case("measured along", model=_small(), training=_steps(1000), measurement=along),
        case("one level", model=_small(width=64), training=_steps(20), measurement=one_level),
        case("flat, d = 256, measured", model=_small("flat", width=256), training=_steps(5)),
        case("positions, d = 128", model=_small(width=128), training=_steps(5), measurement=FEW),
        case(
            "half of the tokens hidden",
            data={"mask_prob": 0.5},
            model=_small("mixer"),
            training=_steps(100),
            measurement=FEW,
        ),
    ]


def _fleets() -> list[Case]:
    return [
        case(
            f"fleet of {k}, {mixing}",
            fleet=k,
            model=_small(mixing, depth=4, width=8),
            training=_steps(200),
            measurement={"n_sequences": 64},
        )
        for k, mixing in ((2, "context"), (8, "flat"), (32, "context"), (8, "mixer"))
    ]


def run(one: Case) -> Measured:
    """See a fleet through as a trainer does, and take the times of its first member.

    Raises:
        RuntimeError: it did not finish.
    """
    task = Task(one.spec.model_dump(mode="json"), one.spec.chain.seed, 0, None)
    members = tuple(Task(task.spec, task.chain_seed, seed, None) for seed in range(one.fleet))
    ends: list[Event] = []
    processor = time.process_time()
    wall = time.perf_counter()
    Fleet(Job(members), torch.device("cpu"), tell=ends.append, asked_to_leave=tuple).see_through()
    wall = time.perf_counter() - wall
    processor = time.process_time() - processor
    done = [end for end in ends if isinstance(end, Finished)]
    if len(done) != one.fleet:
        raise RuntimeError(f"{one.name}: {len(done)} of {one.fleet} finished: {ends[-1]}")
    cost = run_cost(architecture_of(one.spec), **one.spec.budget)
    return Measured(
        one,
        cost.modelled(fleet=one.fleet),
        # as a worker records it; of the processor's time all members have an equal part
        done[0].record.seconds,
        processor / one.fleet,
    )


def told(found: Sequence[Measured], clock: Callable[[Measured], float]) -> list[Told]:
    """Each as a lab forecasts it that has run the others."""
    rows = []
    for one in found:
        others = [other for other in found if other is not one]
        alike = [o for o in others if o.modelled.shape_class is one.modelled.shape_class]
        learnt = factor(_sample(alike, clock), _sample(others, clock))
        seconds = one.modelled.seconds
        rows.append(Told(one.case, seconds, learnt.middle * seconds, learnt, clock(one)))
    return rows


def _sample(found: Sequence[Measured], clock: Callable[[Measured], float]) -> Sample | None:
    if not found:
        return None
    ratios = np.log([clock(one) / one.modelled.seconds for one in found])
    return Sample(len(ratios), *np.quantile(ratios, [0.25, 0.5, 0.75]).tolist())


def within(pairs: Iterable[tuple[float, float]]) -> int:
    """How many are no more than twice or half of each other."""
    return sum(1 / WITHIN <= first / second <= WITHIN for first, second in pairs)


def report(found: Sequence[Measured]) -> str:
    """The table, and how many are within 2x."""
    wall, processor = told(found, lambda one: one.wall), told(found, lambda one: one.processor)
    head = ("run", "spends it on", "shipped, s", "learnt, s", "interval, s", "measured, s",
            "ratio", "processor, s")  # fmt: skip
    body = [
        (
            row.case.name,
            str(one.modelled.shape_class),
            number(row.shipped),
            number(row.learnt),
            f"{number(row.shipped * row.factor.low)} to {number(row.shipped * row.factor.high)}",
            number(row.measured),
            f"{row.measured / row.learnt:.2f}",
            number(one.processor),
        )
        for one, row in zip(found, wall, strict=True)
    ]
    counts = [
        f"By the {name}, {within((row.shipped, row.measured) for row in rows)} of {len(rows)} are "
        f"within 2x from the shipped prices and "
        f"{within((row.learnt, row.measured) for row in rows)} as learnt from the others; the "
        f"interval holds {sum(row.inside for row in rows)}."
        for name, rows in (("clock", wall), ("time of the processor", processor))
    ]
    return "\n\n".join([str(this_machine()) + ", one thread.", *counts, table(head, body)])


def main(arguments: list[str]) -> None:
    """Run the specs; the table goes to stdout, a directory and, if it is asked for, the docs."""
    parser = argparse.ArgumentParser("benchmarks.forecasts", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="every fifth spec")
    parser.add_argument("--out", type=Path, default=RESULTS, help="directory of the table")
    parser.add_argument("--docs", action="store_true", help="write it into the docs, too")
    chosen = parser.parse_args(arguments)
    on_one_thread("benchmarks.forecasts", arguments)
    arithmetic.settle()
    chosen_cases = cases()[:: 5 if chosen.quick else 1]
    run(cases()[0])  # the first training of a process loads what all need
    found = []
    for one in chosen_cases:
        found.append(run(one))
        last = found[-1]
        say(f"{one.name}: {last.modelled.seconds:.3g} modelled, {last.wall:.3g} s, "
            f"{last.processor:.3g} s of the processor")  # fmt: skip
    text = report(found)
    chosen.out.mkdir(parents=True, exist_ok=True)
    write_text(chosen.out / "forecasts.md", text + "\n")
    if chosen.docs:
        write_text(PAGE, filled(PAGE.read_text(), BEGIN, END, f"\n\n{text}\n\n"))
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
