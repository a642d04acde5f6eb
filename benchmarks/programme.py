"""Every race, in the order in which it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks import cka_race, sampling_race, tracking_race, training_race
from benchmarks.crew import Crews
from benchmarks.effort import Effort
from benchmarks.race import NoRace, Race
from benchmarks.shapes import SHAPES


@dataclass(frozen=True)
class Entry:
    """A race to be run.

    Attributes:
        name: what is done.
        shape: of what.
        peers: who else does it.
        run: runs it; one row for each peer.
        members: K.
    """

    name: str
    shape: str
    peers: tuple[str, ...]
    run: Callable[[], Sequence[Race | NoRace]]
    members: int = 1


def entries(effort: Effort, crews: Crews) -> Iterator[Entry]:
    """The races of an effort."""
    for trial in effort.trials:
        yield Entry(
            training_race.NAME,
            str(SHAPES[trial.shape]),
            training_race.PEERS,
            partial(training_race.race, trial, effort, crews),
            trial.members,
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
    yield Entry(
        f"{tracking_race.WRITE}, {tracking_race.SEARCH}",
        f"{effort.tracked} at a time",
        tuple(tracking_race.KINDS),
        partial(tracking_race.race, effort),
    )
