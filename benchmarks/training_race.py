"""K networks of one shape: RGLab as a worker trains them, beside three ways to do it without.

- the plain loop: logits at all positions, one network after another, a thread per core, or one
  thread where that is faster;
- PyTorch's best: masked rows, fused AdamW, a process per core with one thread;
- JAX: masked rows, members together or in turn, a process per core or one with all threads,
  whichever is the fastest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import jobs, peer_jax
from benchmarks.crew import Crew, Crews
from benchmarks.effort import Effort, Trial
from benchmarks.gate import same_losses
from benchmarks.jobs import Trained
from benchmarks.peers import named
from benchmarks.progress import say
from benchmarks.race import MEMBER_STEP, NoRace, Race, RefusedError
from benchmarks.shapes import SHAPES, Shape
from benchmarks.timing import Contender, interleave

NAME = "train"
PLAIN = "plain PyTorch loop"
BEST = "PyTorch, masked rows, fused AdamW"
JAX = "JAX, jit(vmap(scan))"
PEERS = (PLAIN, BEST, JAX)
TORCH = "torch"
BOUND = "GEMMs of the step"


@dataclass(frozen=True)
class Way:
    """A way to train K members.

    Attributes:
        name: in words.
        crew: who does it.
        work: what each process of it does, see `jobs`.
        seeds: of the members, process by process.
        extra: arguments after those.
    """

    name: str
    crew: Crew
    work: Callable[..., Trained]
    seeds: tuple[tuple[int, ...], ...]
    extra: tuple[object, ...] = ()

    def train(self, shape: Shape, steps: int) -> list[Trained]:
        """Once; from each process."""
        return self.crew.map(
            self.work, [(shape, steps, seeds, *self.extra) for seeds in self.seeds]
        )

    def cost(self, shape: Shape, steps: int) -> float:
        """Seconds per step and member, by the last process to be done."""
        last = max(trained.seconds for trained in self.train(shape, steps))
        return last / (steps * sum(len(seeds) for seeds in self.seeds))

    def losses(self, shape: Shape, steps: int) -> dict[int, list[float]]:
        """Of every step, by seed."""
        return self.by_seed(self.train(shape, steps))

    def by_seed(self, trained: list[Trained]) -> dict[int, list[float]]:
        """The losses of every step."""
        return {
            seed: losses
            for seeds, one in zip(self.seeds, trained, strict=True)
            for seed, losses in zip(seeds, one.losses, strict=True)
        }


def on_each_core(
    name: str,
    crew: Crew,
    work: Callable[..., Trained],
    members: int,
    *extra: object,
    lanes: int | None = None,
) -> Way:
    """The members shared out among the processes of a crew, or among the first `lanes` of them."""
    lanes = min(members, lanes or crew.size)
    seeds = tuple(tuple(range(lane, members, lanes)) for lane in range(lanes))
    return Way(name, crew, work, seeds, extra)


def race(trial: Trial, effort: Effort, crews: Crews) -> list[Race | NoRace]:
    """One row for each of `PEERS`.

    Raises:
        RefusedError: the peers that need no package disagree.
    """
    shape, steps, members = SHAPES[trial.shape], trial.steps, trial.members
    single = crews.single(TORCH)
    ours = on_each_core("", single, jobs.ours, members)
    gemms = on_each_core("", single, jobs.gemms, members)
    plain = [
        Way("a thread per core", crews.wide(TORCH), jobs.plain, ((0,),)),
        Way("one thread", single, jobs.plain, ((0,),)),
    ]
    alone = replace(ours, seeds=((0,),))
    peers = {PLAIN: _fastest(plain, shape, trial.plain_steps)}
    checks = {PLAIN: _agree(alone, peers[PLAIN], shape, trial.plain_steps)}
    others = {BEST: _torch_ways(trial, crews), JAX: _jax_ways(trial, effort, crews)}
    reasons = {}
    for peer, ways in others.items():
        try:
            chosen = _fastest(ways, shape, steps)
            checks[peer] = _agree(ours, chosen, shape, steps)
            peers[peer] = chosen
        except RefusedError as error:
            say(f"no time for {peer}: {error}")
            reasons[peer] = str(error)

    def timed(way: Way, peer: str = "") -> Contender:
        of_it = trial.plain_steps if peer == PLAIN else steps
        return lambda: way.cost(shape, of_it)

    found = interleave(
        {"ours": timed(ours), "gemms": timed(gemms)}
        | {peer: timed(way, peer) for peer, way in peers.items()},
        effort.rounds,
        warm=True,  # they have agreed
    )
    rows: list[Race | NoRace] = []
    for peer in PEERS:
        if peer in reasons:
            rows.append(NoRace(NAME, str(shape), peer, reasons[peer], members))
            continue
        rows.append(
            Race(
                name=NAME,
                shape=str(shape),
                members=members,
                cores=crews.cores,
                unit=MEMBER_STEP,
                peer=_label(peer, peers[peer]),
                ours=found["ours"],
                theirs=found[peer],
                ceiling=found["gemms"],
                bound=BOUND,
                check=checks[peer],
            )
        )
    return rows


def _torch_ways(trial: Trial, crews: Crews) -> list[Way]:
    """Alone, a network may have all threads."""
    each = on_each_core("a process per core", crews.single(TORCH), jobs.masked, trial.members)
    if trial.members >= crews.cores:
        return [each]
    all_seeds = (tuple(range(trial.members)),)
    return [each, Way("a thread per core", crews.wide(TORCH), jobs.masked, all_seeds)]


def _jax_ways(trial: Trial, effort: Effort, crews: Crews) -> list[Way]:
    members, single = trial.members, crews.single("jax")
    rows = peer_jax.rows_needed(SHAPES[trial.shape], trial.steps, range(members))
    all_seeds = (tuple(range(members)),)
    ways = [on_each_core("a process per core, vmap", single, peer_jax.together, members, rows)]
    if effort.all_ways or members < crews.cores:
        wide = crews.wide("jax")
        ways.append(Way("a thread per core, vmap", wide, peer_jax.together, all_seeds, (rows,)))
    if members > crews.cores:
        turns = peer_jax.one_by_one
        ways.append(on_each_core("a process per core, in turn", single, turns, members, rows))
    return ways


def _agree(ours: Way, theirs: Way, shape: Shape, steps: int) -> str:
    """How closely the losses of all members agree, and what else there is to say of theirs."""
    mine, trained = ours.losses(shape, steps), theirs.train(shape, steps)
    other = theirs.by_seed(trained)
    seeds = sorted(mine)
    check = same_losses(
        np.concatenate([mine[seed] for seed in seeds]),
        np.concatenate([other[seed] for seed in seeds]),
    )
    return "; ".join(filter(None, (check, trained[0].note)))


def _fastest(ways: list[Way], shape: Shape, steps: int) -> Way:
    """By the better of two trials of each; what JAX compiles for them does not count."""
    if len(ways) == 1:
        return ways[0]
    costs = []
    for way in ways:
        costs.append(min(way.cost(shape, steps) for _ in range(2)))
        say(f"  {way.name}: {costs[-1] * 1e3:.3g} ms")
    return ways[int(np.argmin(costs))]


def _label(peer: str, way: Way) -> str:
    if peer != JAX:
        return f"{peer}; {way.name}"
    return f"{peer.replace('JAX', named('jax'))}; {way.name}"
