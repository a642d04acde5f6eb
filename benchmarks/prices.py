"""`python -m benchmarks.prices`: what a unit of work costs on one core of this machine.

Parts of runs of drawn specs are timed one by one, and the prices fitted that tell all of them best
by their counts: non-negative least squares on relative errors, as a time is wrong by a factor. They
are the shipped prices, `worker/rgcore/cost/prices.py`: write them on a quiet machine. Times are of
the processor, not of the clock; it takes three minutes.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from benchmarks.machine import this_machine
from benchmarks.one_thread import on_one_thread
from benchmarks.progress import say
from rgcontract import ExperimentSpec, strictjson
from rgcontract.files import write_text
from rgcore.cost import measured_numbers
from rgcore.cost.counting import (
    measuring_counts,
    reference_counts,
    start_counts,
    training_counts,
)
from rgcore.cost.learning import QUARTILES
from rgcore.cost.work import UNITS, Counts, modelled, of_member
from rgcore.fleet import Member, train_fleet
from rgcore.measurement import bayes_reference, measure
from rgcore.network import build_network
from rgcore.random import derive_generator
from rgcore.sizing import choose_fleet_size
from rgworker import arithmetic, subnormals
from rgworker.record import chain_record, quantities
from rgworker.unpack import architecture_of, chain_of, plan_of

SECONDS = 180.0
"""Of drawing and timing."""
MOST_STEPS, MOST_SECONDS = 60, 1.0
"""Of a training: fewer steps where the shipped prices say that they take longer."""
MEMORY = 8 * 2**30
WEIGHT_OF = {"train": 1.0, "measure": 1.0, "reference": 0.5, "start": 0.3}
"""Part of a run -> how much its errors count: about as much of a run as it is."""
FLOOR = 1e-3
"""Seconds below which a part is not timed well enough."""
ROUNDS = 6
"""Of the fit: each weighs errors by the times of the one before, so that both ways count alike."""
FEWEST = 400
"""Parts, below which some unit was hardly ever met: four of each spec."""
PRICES = Path(__file__).parent.parent / "worker" / "rgcore" / "cost" / "prices.py"


@dataclass(frozen=True)
class Timed:
    """A part of a run: its counts, and the seconds that it took."""

    part: str
    counts: Counts
    seconds: float


def drawn(chance: random.Random) -> ExperimentSpec:
    """A spec of any mixing and of sizes of any order."""
    pick = chance.choice
    seq_len = pick([4, 8, 16, 32, 64, 128])
    model: dict[str, Any] = {
        "mixing": pick(["context", "flat", "mixer", "window"]),
        "depth": pick([1, 2, 4, 8, 16]),
        "width": pick([4, 8, 16, 32, 64, 128, 256]),
        "hidden_ratio": pick([1.0, 4.0]),
        "activation": pick(["gelu", "relu", "silu", "tanh"]),
        "norm": pick(["layer", "none", "rms"]),
    }
    if model["mixing"] == "context":
        model["context"] = min(pick([1, 3]), (seq_len - 1) // 2)
    chain = {
        "family": pick(["potts", "random_reversible"]),
        "n_states": pick([2, 4, 8, 16, 64, 256]),
        "corr_len": pick([1.0, 3.0, 7.0]),
    }
    training = {
        "batch_size": pick([8, 32, 128, 512]),
        "optimizer": pick(["adam", "adamw", "sgd"]),
        "grad_clip": pick([1.0, None]),
        "steps": 1,
    }
    body = {
        "chain": chain,
        "data": {"seq_len": seq_len, "mask_prob": pick([0.15, 0.5])},
        "model": model,
        "training": training,
        "measurement": {"n_sequences": pick([16, 64, 256, 1024, 4096])},
    }
    return ExperimentSpec.model_validate_json(strictjson.dumps(body))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the processor that it took, and what came of it."""
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


def parts(spec: ExperimentSpec, fleet: int) -> Iterator[Timed]:
    """The parts of a run of a spec, the training as one of a fleet."""
    arch, budget = architecture_of(spec), spec.budget
    _, numbers = measured_numbers(arch, budget["arrays"])
    some = {name: budget[name] for name in ("n_sequences", "mask_prob")}

    def begin() -> Any:
        with subnormals.kept():
            chain = chain_of(spec)
            chain_record(chain, spec)
        return chain, build_network(arch, derive_generator(0, "init"))

    started, (chain, network) = timed(begin)
    others = [build_network(arch, derive_generator(seed, "init")) for seed in range(1, fleet)]
    members = [
        Member(one, chain, plan_of(spec), seed, stops=())
        for seed, one in enumerate([network, *others])
    ]
    trained, _ = timed(lambda: train_fleet(members, seq_len=arch.seq_len))
    of_all = {"chain": chain, "seq_len": arch.seq_len, "seed": 0, **some}
    referred, bayes = timed(lambda: bayes_reference(**of_all, view_radius=arch.view_radius))
    read, found = timed(
        lambda: measure(network, **of_all, levels=sorted(budget["levels"]), bayes=bayes)
    )
    recorded, _ = timed(lambda: quantities("final", 1, found))
    step = {name: budget[name] for name in ("steps", "batch_size", "mask_prob")}
    counts = training_counts(arch, **step)
    yield Timed("start", start_counts(arch, numbers=numbers), started + recorded)
    yield Timed("train", of_member(counts, fleet), trained / fleet)
    yield Timed("reference", reference_counts(arch, **some), referred)
    yield Timed("measure", measuring_counts(arch, **some, levels=budget["levels"]), read)


def sample(seconds: float, prices: Counts, seed: int = 0) -> list[Timed]:
    """The parts of as many drawn specs as there is time for, those left out that take too long."""
    chance = random.Random(seed)  # noqa: S311 - it draws sizes, no secrets
    found: list[Timed] = []
    warm = False
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        spec = drawn(chance)
        arch, budget = architecture_of(spec), spec.budget
        step = {name: budget[name] for name in ("batch_size", "mask_prob")}
        some = {name: budget[name] for name in ("n_sequences", "mask_prob", "levels")}
        most = choose_fleet_size(arch, **step, device="cpu", memory=MEMORY)
        fleet = min(most, chance.choice([1, 1, 1, 2, 4, 16, 64]))
        of_a_step = fleet * modelled(training_counts(arch, steps=1, **step), prices).seconds
        if max(of_a_step, modelled(measuring_counts(arch, **some), prices).seconds) > MOST_SECONDS:
            continue
        steps = max(1, min(MOST_STEPS, round(MOST_SECONDS / of_a_step)))
        training = spec.training.model_copy(update={"steps": steps})
        timings = list(parts(spec.model_copy(update={"training": training}), fleet))
        if warm or fleet > 1:
            found += timings
        warm |= fleet == 1  # the first training by itself loads what all need
    return found


def fitted(found: Sequence[Timed]) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Prices, and ln(measured / modelled) of each part that they were fitted to."""
    names = list(UNITS)
    kept = [one for one in found if one.seconds > FLOOR]
    counts = np.array([[one.counts.get(name, 0.0) for name in names] for one in kept])
    seconds = np.array([one.seconds for one in kept])
    part = np.array([WEIGHT_OF[one.part] for one in kept])
    told = seconds
    for _ in range(ROUNDS):
        weight = part / np.sqrt(seconds * np.maximum(told, 0.05 * seconds))
        weighed = counts * weight[:, None]
        scale = np.maximum(weighed.max(axis=0), np.finfo(float).tiny)
        price = nnls(weighed / scale, seconds * weight)[0] / scale
        told = counts @ price
    return dict(zip(names, price.tolist(), strict=True)), np.log(seconds / told)


def written(prices: Counts, spread: float, n: int) -> str:
    """The module that ships them."""
    rows = "".join(f'    "{name}": {price:.3g},\n' for name, price in prices.items())
    return f'''"""Seconds of a unit of work on a core: written by `python -m benchmarks.prices`."""

from __future__ import annotations

ONE_CORE: dict[str, float] = {{
{rows}}}
"""Name of a unit -> seconds. Fitted to {n} parts of runs on {this_machine().cpu}."""
SPREAD = {spread:.2f}
"""Standard deviation of ln(measured / modelled) over those parts."""
'''


def main(arguments: list[str]) -> None:
    """Time parts of runs, fit the prices and write the module that ships them."""
    parser = argparse.ArgumentParser("benchmarks.prices", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of timing")
    parser.add_argument("--out", type=Path, default=PRICES, help="the module to write")
    chosen = parser.parse_args(arguments)
    on_one_thread("benchmarks.prices", arguments)
    from rgcore.cost.prices import ONE_CORE  # noqa: PLC0415 - what is about to be replaced

    arithmetic.settle()
    say(str(this_machine()))
    found = sample(chosen.seconds, ONE_CORE)
    prices, errors = fitted(found)
    quarter, three = np.quantile(errors, [0.25, 0.75])
    spread = max(float(three - quarter) / QUARTILES, 0.1)
    within = float((np.abs(errors) < np.log(2)).mean())
    say(f"{len(errors)} parts, {within:.0%} of them within 2x, spread {spread:.2f}")
    free = [name for name, price in prices.items() if price == 0]
    if len(errors) < FEWEST or free:
        sys.exit(
            f"{len(errors)} parts; units that seem to cost nothing: {', '.join(free) or 'none'}. "
            f"Nothing is written; allowed: {FEWEST} parts or more, and a price of each unit. "
            "Give more --seconds"
        )
    write_text(chosen.out, written(prices, spread, len(errors)))


if __name__ == "__main__":
    main(sys.argv[1:])
