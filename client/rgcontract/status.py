"""How far an experiment is: states, runs, attempts, as the wire carries them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from rgcontract.about import Shows
from rgcontract.spec import StoredSpec
from rgcontract.unknown import OrAsTold


class State(StrEnum):
    """State of a run, and of an experiment as a whole."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def meaning(self) -> str:
        """The same in words."""
        return _MEANT[self]

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in {State.DONE, State.FAILED, State.CANCELLED}


_MEANT = {
    State.QUEUED: "waits for a worker",
    State.RUNNING: "a worker is at it",
    State.DONE: "measured",
    State.FAILED: "ended without numbers, and is not tried again by itself",
    State.CANCELLED: "nobody wants it any more",
}


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    RELEASED = "released"
    UNREADABLE = "unreadable"

    @property
    def meaning(self) -> str:
        """The same in words."""
        return _ENDED[self]


_ENDED = {
    Outcome.DONE: "it measured what was asked for",
    Outcome.FAILED: "it raised an error",
    Outcome.CANCELLED: "nobody wanted it any more",
    Outcome.LOST: "its worker vanished",
    Outcome.CRASHED: "the process that computed it died",
    Outcome.TIMED_OUT: "it took longer than it may",
    Outcome.RELEASED: "its worker stopped",
    Outcome.UNREADABLE: "the worker could not read what is asked for",
}


class View(BaseModel):
    """Base of what the server answers; frozen, and lenient to fields of a newer server.

    Its numbers are finite, since JSON has no others: where there may be none a field takes null.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @property
    def extra(self) -> dict[str, Any]:
        """What a newer server says beside these fields; of its parts, each has its own."""
        return self.model_extra or {}


class RunCounts(View):
    """Runs by state; those in a state that only a newer release knows stand beside the others."""

    model_config = ConfigDict(extra="allow")

    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All runs, those in a state that only a newer server knows included."""
        return sum(self.by_state.values())

    @property
    def by_state(self) -> dict[str, int]:
        """All that there are; states that only a newer release knows last."""
        known = {state.value: getattr(self, state) for state in State}
        return known | {name: runs for name, runs in self.extra.items() if isinstance(runs, int)}

    @property
    def states(self) -> frozenset[str]:
        """The states that any run is in."""
        return frozenset(state for state, runs in self.by_state.items() if runs)

    @classmethod
    def of(cls, by_state: Mapping[str, int]) -> RunCounts:
        """So many runs in each state; those that only a newer release knows are kept."""
        return cls.model_validate(by_state)

    def __add__(self, other: RunCounts) -> RunCounts:
        """Of both together."""
        return RunCounts.of(Counter(self.by_state) + Counter(other.by_state))


class Acknowledgement(View):
    """The answer to a submission. Once it is given, the submission is not lost."""

    id: str
    """Name of the experiment; the same spec always gets the same one."""
    spec_hash: str
    """SHA-256 of what is measured."""
    seeds: list[int] = Field(default_factory=list)
    """Training seeds that were asked for. Send them back as `seeds`: what is read is then of these,
    whatever others ask for of the same experiment."""
    state: OrAsTold[State]
    """Of those seeds."""
    created: bool
    """False if the lab already had this experiment."""
    added_seeds: list[int]
    """Training seeds that this submission added, on one chain at least; the others were there."""
    runs: RunCounts
    """Of those seeds."""


class Progress(View):
    """How far a run is."""

    phase: str
    """`sampling`, `training`, `measuring`."""
    fraction: float = Field(ge=0, le=1)
    """Of the whole run."""
    step: int
    """Training steps taken."""
    steps: int
    """Training steps to take."""
    loss: float | None
    """Recent training loss, nats per masked token."""


class Attempt(View):
    """One try of one worker at one run."""

    number: int
    worker: str
    host: str
    device: str
    versions: dict[str, str]
    """Versions of the libraries that decide the numbers."""
    protocol: int | None = None
    """The measurement protocol that the worker implements."""
    training_protocol: int | None = None
    """Its training protocol."""
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """How it ended, a value of `Outcome` or of a newer server's; null while it runs."""
    fleet: int = 1
    """Runs that its worker took together with it, itself included; its numbers do not depend on
    them."""
    trained: bool
    """False if it measured stored weights and trained nothing."""
    calibration: dict[str, bool]
    """Known answer -> whether this worker measured it within its tolerance, at its start."""
    error: str | None
    """The cause, in a line."""
    traceback: str | None
    """Where it failed, for whoever repairs it."""


class Run(View):
    """One training seed of an experiment, on one chain."""

    seed: int
    chain_seed: int
    state: OrAsTold[State]
    progress: Progress | None
    error: str | None
    attempts: list[Attempt]


class Waiting(View):
    """Why an experiment is not running yet."""

    reason: str
    place: int
    """Runs ahead of the first one of this experiment."""


class Experiment(View):
    """An experiment: its spec with defaults filled in, and how far it is.

    State, progress, waiting, counts and runs are those of the seeds that were asked about.
    """

    id: str
    spec_hash: str
    training_hash: str
    chain_hash: str = ""
    """SHA-256 of its chain, or of the draws of it; a list can be narrowed to it."""
    protocol: int
    spec: OrAsTold[StoredSpec] | None
    """With the seeds that were asked about: those in `seeds` of the query, else all that anybody
    asked for. Null where this server cannot read it: see `unreadable`."""
    unreadable: str | None = None
    """What of its spec or state this server cannot read; null where it reads all."""
    state: OrAsTold[State]
    progress: float = Field(ge=0, le=1)
    """Of these runs together."""
    waiting: Waiting | None
    """Null unless the state is queued."""
    run_counts: RunCounts
    runs: list[Run]
    label: str | None
    """The reader's own, from their first request that has one; else that of who asked first."""
    tags: list[str]
    """The reader's own, of all their requests; if they gave none, those of who asked first."""
    note: str | None = None
    """The reader's own, else that of who asked first."""
    priority: int
    """The largest that anybody gave who wants it; a run is as urgent as the most urgent wish for
    it."""
    owner: str
    """Who asked first."""
    owners: list[str] = Field(default_factory=list)
    """Whose it is: who wants any of it, or who has asked for it where nobody wants it any more."""
    created_at: datetime
    updated_at: datetime


class ExperimentSummary(View):
    """An experiment in a list. Each field is the row of a column: see `rgcontract.columns`."""

    id: str
    """Its name."""
    spec_hash: str
    """SHA-256 of what is measured."""
    chain_hash: str = ""
    """SHA-256 of its chain, or of the draws of it: experiments on the same have the same."""
    state: OrAsTold[State]
    """Of all its runs together."""
    family: Annotated[str, Shows("chain.family")]
    corr_len: Annotated[float, Shows("chain.corr_len")]
    mixing: Annotated[str, Shows("model.mixing")]
    depth: Annotated[int, Shows("model.depth")]
    width: Annotated[int, Shows("model.width")]
    run_counts: RunCounts
    """All its runs by state."""
    label: str | None
    """As in `Experiment`."""
    tags: list[str]
    """Label and tags as in `Experiment`; a list finds it by the tags of any request."""
    owner: str
    """Who asked first."""
    created_at: datetime
    """When it was asked for first."""
    updated_at: datetime
    """When its state changed last."""
    unreadable: str | None = None
    """What of it this server cannot read, since another release stored it; null where it can."""
    stuck: str | None = None
    """Why no worker that is running can take its queued runs; null where one can."""


SHOWN: dict[str, str] = {
    name: said.path
    for name, field in ExperimentSummary.model_fields.items()
    for said in field.metadata
    if isinstance(said, Shows)
}
"""Column of a list -> the path of the field of a spec that it shows."""


class ExperimentPage(View):
    """A page of a list."""

    items: list[ExperimentSummary]
    next_cursor: str | None
    """Send it back as `cursor` for the next page; null on the last one."""


class Forecast(View):
    """What an experiment would cost, before anything is stored."""

    cached: bool
    """Whether every run asked for is there already."""
    missing_seeds: list[int]
    """Training seeds that are missing on one chain at least."""
    missing_runs: int
    parameters: int
    """Trainable numbers of the network."""
    flops: float
    """Floating-point operations of the missing runs."""
    seconds: float
    """Expected working time of the missing runs on one worker: of their operations one by one, of
    the numbers that they move and of their arithmetic."""
    seconds_low: float | None = None
    """Nine times in ten they take more than this, and less than `seconds_high`."""
    seconds_high: float | None = None
    """The other end of where nine in ten are."""
    flops_per_second: float | None = None
    """`flops` over `seconds`; of all runs that are asked for where none is missing."""
    rate_measured: bool | None = None
    """Whether this lab's workers have shown how fast they are; else it is one core, about."""
    rate_from: str | None = None
    """Where the speed is from: `shape`, runs that spend their time on the same; `backend`, any
    runs on the same backend; `default`, one core. The weakest of them over all missing runs."""
    rate_attempts: int | None = None
    """Attempts that have shown it, at least, for each missing run."""
    rate_backend: str | None = None
    """What these attempts ran on, as they recorded it; null where there are none."""
    memory_bytes: int
    """Expected peak memory of a run."""
    stored_bytes: int
    """What the missing runs add to the database."""
