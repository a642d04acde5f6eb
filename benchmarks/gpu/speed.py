"""Stage `speed`: a step of K networks, and how much of it the device waits for its sequences.

Eager and captured steps take turns on sequences that are there already. Then comes the faster kind
with the sequences that it draws, as in a run: what that costs above the step alone, the device
waits for the CPU. The plain loop trains one network. JAX, where it is installed, comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.gpu.part import Part, milliseconds
from benchmarks.gpu.problems import estimated_bytes, members
from benchmarks.gpu.setting import NOT_HERE, Setting
from benchmarks.gpu.steps import (
    CYCLE,
    ENDLESS,
    in_jax,
    on_batches,
    plain,
    sampling,
    started,
    with_sequences,
)
from benchmarks.race import RefusedError
from benchmarks.shapes import SHAPES, Shape
from benchmarks.timing import Timing, interleave
from rgcore.fleet import Member
from rgcore.fleet.lockstep import fleet_stream

EAGER, CAPTURED, JAX, PLAIN = "eager", "captured", "JAX", "plain loop"
HELD = 4
"""Batches that are held on the device."""
ROUNDS = 5
JAX_STEPS, JAX_ROUNDS = 8, 3
CYCLES, JAX_CYCLES = 4, 8
"""So often are the sequences of a cycle drawn for the rows of one K."""
STEPS = 20
"""So many steps are taken, about, with the rounds of all ways, where a step is long."""
JAX_COMPILES_S = 20
NO_TIME = "not measured: no time left"


@dataclass(frozen=True)
class Trial:
    """Shapes and numbers of networks, and how often each is measured."""

    shapes: tuple[str, ...]
    members: tuple[int, ...]
    rounds: int


@dataclass(frozen=True)
class Costs:
    """Seconds per member and step: of the step alone, and to draw its sequences."""

    alone: float
    drawn: float


FULL = Trial(("S", "M"), (1, 8, 64, 256), ROUNDS)
TOY = Trial(("tiny",), (1, 3), 1)


def run(setting: Setting, part: Part) -> None:
    """A row for each shape, K and way."""
    trial = TOY if setting.toy else FULL
    measured: list[tuple[Shape, int, float]] = []
    for name in trial.shapes:
        shape = SHAPES[name]
        _plain(setting, part, shape, trial.rounds)
        fleet: list[Member] = []
        costs = Costs(0.0, 0.0)  # of the fleet before
        for n in trial.members:
            if n * (CYCLES * CYCLE * costs.drawn + STEPS * costs.alone) > setting.left:
                part.add(shape=str(shape), members=n, way=EAGER, sequences=False, note=NO_TIME)
                continue
            try:
                fleet += members(shape.problem(ENDLESS), range(len(fleet), n), setting.device)
                costs = _fleet(setting, part, shape, fleet, trial.rounds)
                measured.append((shape, n, costs.drawn))
            except torch.OutOfMemoryError as error:
                note = f"not measured: {error}"
                part.add(shape=str(shape), members=n, way=EAGER, sequences=False, note=note)
                torch.cuda.empty_cache()
    del fleet  # JAX needs the memory
    for shape, n, drawn in measured:
        _jax(setting, part, shape, n, drawn)


def _plain(setting: Setting, part: Part, shape: Shape, rounds: int) -> None:
    """One network; more of them, one after another, repeat it."""
    alone = members(shape.problem(CYCLE), [0], setting.device)[0]
    contender = {PLAIN: plain(setting, alone, shape.seq_len)}
    found = interleave(contender, rounds, enough=lambda: setting.left < 0)[PLAIN]
    part.add(shape=str(shape), members=1, way=PLAIN, sequences=True, **_costs(found))


def _fleet(
    setting: Setting, part: Part, shape: Shape, fleet: Sequence[Member], rounds: int
) -> Costs:
    """The rows of one K, and what they cost."""
    n = len(fleet)
    of = {"shape": str(shape), "members": n}
    stream = fleet_stream(fleet, shape.seq_len)
    batches = [stream.next() for _ in range(HELD)]
    running = {EAGER: started(setting, fleet, stream, batches[0], None)}
    if setting.recorder is not None:
        running[CAPTURED] = started(setting, fleet, stream, batches[0], setting.recorder)
    ways = {way: on_batches(setting, one, batches) for way, one in running.items()}
    found = interleave(ways, rounds, enough=lambda: setting.left < 0)
    for way in (EAGER, CAPTURED):
        row = {**of, "way": way, "sequences": False}
        if way not in running:
            part.add(**row, note=NOT_HERE)
            continue
        estimate = n * estimated_bytes(shape.problem(1))
        part.add(**row, **_costs(found[way]), **running[way].facts, estimated_bytes=estimate)
    way = list(running)[-1]
    alone = found[way].median
    drawn = sampling(stream)
    row = {**of, "way": way, "sequences": True, "sampling_ms": 1e3 * drawn}
    if CYCLE * n * (alone + drawn) > setting.left:
        part.add(**row, note=NO_TIME)
        return Costs(alone, drawn)
    least_left = 0.9 * setting.left
    whole = interleave(
        {way: with_sequences(setting, running[way])},
        rounds,
        warm=True,
        enough=lambda: setting.left < least_left,
    )[way]
    part.add(**row, **_costs(whole), waits=max(0.0, 1 - alone / whole.median))
    return Costs(alone, drawn)


def _jax(setting: Setting, part: Part, shape: Shape, n: int, drawn: float) -> None:
    """JAX's rows: the steps alone, and with their sequences; why there are none, if so."""
    row = {"shape": str(shape), "members": n, "way": JAX, "sequences": False}
    if JAX_COMPILES_S + JAX_CYCLES * CYCLE * n * drawn > setting.left:
        part.add(**row, note=NO_TIME)
        return
    try:
        once = in_jax(shape, JAX_STEPS, n)
        once()  # compiles
        alone, whole, notes = zip(*(once() for _ in range(JAX_ROUNDS)), strict=True)
    except RefusedError as error:
        part.add(**row, note=str(error))
    except Exception as error:  # a peer's failure is its row's, and the others go on
        part.add(**row, note=f"{type(error).__name__}: {error}")
    else:
        part.add(**row, **_costs(Timing(alone)), note=notes[0])
        part.add(**{**row, "sequences": True}, **_costs(Timing(whole)))


def _costs(timing: Timing) -> dict[str, Any]:
    return {"ms": milliseconds(timing), "member_steps_per_s": 1 / timing.median}
