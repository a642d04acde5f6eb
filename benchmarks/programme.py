"""Every race, in the order in which it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from benchmarks import cka_race, sampling_race, side_by_side, training_race
from benchmarks.effort import Effort
from benchmarks.race import Race
from benchmarks.shapes import SHAPES


@dataclass(frozen=True)
class Entry:
    """A race to be run.

    Attributes:
        name: what is done.
        shape: of what.
        peers: who else does it.
        run: runs it; one row for each peer.
    """

    name: str
    shape: str
    peers: tuple[str, ...]
    run: Callable[[], list[Race]]


def entries(effort: Effort) -> Iterator[Entry]:
    """The races of an effort."""
    shapes = [SHAPES[name] for name in effort.shapes]
    for shape in shapes:
        yield Entry(
            training_race.NAME,
            str(shape),
            (training_race.PEER,),
            partial(training_race.race, shape, effort),
        )
    for shape in shapes:
        yield Entry(
            side_by_side.NAME,
            str(shape),
            (side_by_side.BEST, side_by_side.PLAIN),
            partial(side_by_side.race, shape, effort),
        )
    for n_states, seq_len in sampling_race.SIZES:
        yield Entry(
            sampling_race.NAME,
            sampling_race.shape_of(n_states, seq_len),
            (sampling_race.PEER,),
            partial(sampling_race.race, n_states, seq_len, effort),
        )
    for name in cka_race.PEERS:
        yield Entry(
            cka_race.NAME,
            cka_race.shape_of(cka_race.rows_of(name, effort)),
            (name,),
            partial(cka_race.race, name, effort),
        )
