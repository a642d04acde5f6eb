"""Stage `speed`: a step of K networks, and how much of it the device waits for its sequences.

Eager and captured steps take turns on sequences that are there already. Then comes the faster kind
with the sequences that it draws, as in a run: what that costs above the step alone, the device
waits for the CPU. JAX, where it is installed, comes right after; the plain loop trains one network.
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
from benchmarks.peers import peer
from benchmarks.race import RefusedError
from benchmarks.shapes import SHAPES, Shape
from benchmarks.timing import Contender, Timing, interleave
from rgcore.fleet import Member
from rgcore.fleet.lockstep import fleet_stream

EAGER, CAPTURED, JAX, PLAIN = "eager", "captured", "JAX", "plain loop"
HELD = 4
"""Batches that are held on the device."""
ROUNDS = 5
JAX_STEPS = 8
NO_TIME = "not measured: no time left"
OUT_OF_MEMORY = "not measured: out of memory"


@dataclass(frozen=True)
class Trial:
    """Shapes and numbers of networks, and how often each is measured."""

    shapes: tuple[str, ...]
    members: tuple[int, ...]
    rounds: int


FULL = Trial(("S", "M"), (1, 8, 64, 256), ROUNDS)
TOY = Trial(("tiny",), (1, 3), 1)


def run(setting: Setting, part: Part) -> None:
    """A row for each shape, K and way."""
    trial = TOY if setting.toy else FULL
    part.set(jax=_why_no_jax())
    for name in trial.shapes:
        shape = SHAPES[name]
        fleet = members(shape.problem(ENDLESS), max(trial.members), setting.device)
        _plain(setting, part, shape, trial.rounds)
        for n in trial.members:
            if setting.left < 0:
                part.add(shape=str(shape), members=n, way=CAPTURED, note=NO_TIME)
                continue
            try:
                _fleet(setting, part, shape, fleet[:n], trial.rounds)
            except torch.OutOfMemoryError:
                part.add(shape=str(shape), members=n, way=CAPTURED, note=OUT_OF_MEMORY)
                torch.cuda.empty_cache()


def _plain(setting: Setting, part: Part, shape: Shape, rounds: int) -> None:
    """One network; more of them, one after another, repeat it."""
    alone = members(shape.problem(CYCLE), 1, setting.device)[0]
    contender = {PLAIN: plain(setting, alone, shape.seq_len)}
    found = interleave(contender, rounds, enough=lambda: setting.left < 0)[PLAIN]
    part.add(shape=str(shape), members=1, way=PLAIN, sequences=True, **_costs(found))


def _fleet(
    setting: Setting, part: Part, shape: Shape, fleet: Sequence[Member], rounds: int
) -> None:
    n, length = len(fleet), shape.seq_len
    stream = fleet_stream(fleet, length)
    batches = [stream.next() for _ in range(HELD)]
    ways: dict[str, Contender] = {}
    facts: dict[str, dict[str, Any]] = {}
    recorded = None
    for way, record in ((EAGER, None), (CAPTURED, setting.recorder)):
        if way == CAPTURED and record is None:
            facts[way] = {"note": NOT_HERE}
            continue
        running = started(setting, fleet, length, record)
        estimate = n * estimated_bytes(shape.problem(1))
        facts[way] = {
            "note": running.note,
            "peak_bytes": running.peak_bytes,
            "reserved_bytes": running.reserved_bytes,
            "estimated_bytes": estimate,
        }
        ways[way] = on_batches(setting, running, batches)
        recorded = running
    found = interleave(ways, rounds, enough=lambda: setting.left < 0)
    for way in (EAGER, CAPTURED):
        row = _costs(found[way]) if way in found else {}
        part.add(shape=str(shape), members=n, way=way, sequences=False, **row, **facts[way])
    assert recorded is not None
    best = found[CAPTURED if CAPTURED in found else EAGER].median
    drawn = sampling(fleet, length)
    row = {"shape": str(shape), "members": n, "way": CAPTURED if CAPTURED in found else EAGER}
    if CYCLE * n * (best + drawn) < setting.left:
        least_left = 0.9 * setting.left
        whole = interleave(
            {"whole": with_sequences(setting, recorded)},
            rounds,
            warm=True,
            enough=lambda: setting.left < least_left,
        )["whole"]
        row |= {"sequences": True, **_costs(whole), "waits": max(0.0, 1 - best / whole.median)}
    else:
        row |= {"sequences": True, "note": NO_TIME}
    part.add(**row, sampling_ms=1e3 * drawn)
    _jax(setting, part, shape, n, best)


def _jax(setting: Setting, part: Part, shape: Shape, n: int, ours: float) -> None:
    """JAX's rows: the steps alone, and with their sequences; why there are none, if so."""
    row = {"shape": str(shape), "members": n, "way": JAX, "sequences": False}
    if JAX_STEPS * n * ours * 10 > setting.left:
        part.add(**row, note=NO_TIME)
        return
    try:
        once = in_jax(shape, JAX_STEPS, n)
        once()  # compiles
        alone, whole, notes = zip(*(once() for _ in range(3)), strict=True)
    except RefusedError as error:
        part.add(**row, note=str(error))
        return
    except Exception as error:  # a peer's failure is a row, and the rest goes on
        part.add(**row, note=f"{type(error).__name__}: {error}")
        return
    part.add(**row, **_costs(Timing(alone)), note=notes[0])
    part.add(**{**row, "sequences": True}, **_costs(Timing(whole)))


def _costs(timing: Timing) -> dict[str, Any]:
    return {"ms": milliseconds(timing), "member_steps_per_s": 1 / timing.median}


def _why_no_jax() -> str | None:
    try:
        peer("jax", "jax")
    except RefusedError as error:
        return str(error)
    return None
