"""`python -m benchmarks.fairness --out DIR`: how long a single run waits beside two large sweeps.

Ada asks for 5,000 runs, Bob for half as many a little later, and Cyd for a single one every five
minutes. Trainers claim from a real Postgres whose clock is set, so that hours pass in minutes and
no timing depends on the machine. It is played twice: as the lab is, and with all that is asked for
in one name, which leaves the age of a run alone to decide. Writes `fair-share.png`.
"""

from __future__ import annotations

import argparse
import heapq
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from matplotlib.figure import Figure
from sqlalchemy import Connection, event, select, text, update
from sqlalchemy.orm import Session

from benchmarks.progress import say
from migrations import upgrade
from rgcontract import Outcome, State, Submission
from rgcontract.files import replacing
from rglab.embedded.postgres import EmbeddedPostgres
from rgstore import clock
from rgstore.among import among
from rgstore.asked import Asked
from rgstore.claiming import Claim, Holder, claim_fleet
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.submissions import submit_all
from rgstore.tables import AttemptRow, RunRow
from rgstore.transitions import move, refresh_experiments

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
TRAINERS = 2
FLEET = 50
FLEET_SECONDS = 90.0
SINGLE_SECONDS = 20.0
"""Of a run that is trained alone."""
EVERY = timedelta(minutes=5)
DEPTHS = {"ada": 2, "bob": 3, "cyd": 4}
"""Shapes; each single run has a depth of its own besides, so that no fleet takes in another."""
WAYS = {"turns": "in turns", "age": "first come, first served"}
COLOURS = dict(zip(WAYS, ("#0072b2", "#d55e00"), strict=True))  # as those of `rgfigures`
SMALLEST = 1 / 60
"""Minutes; an axis of powers has no zero."""


@dataclass
class Lab:
    """A database at a moment, and the trainers that claim from it."""

    database: Database
    in_turns: bool
    now: datetime = NOON
    asked: dict[int, datetime] = field(default_factory=dict)
    """Single run -> when it was asked for."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    """Minutes from noon at which a single run was asked for, and that it waited."""

    def __post_init__(self) -> None:
        """Have every transaction read this moment."""
        event.listen(self.database.engine, "begin", self._set)

    def _set(self, connection: Connection) -> None:
        setting = {"name": clock.SETTING, "moment": self.now.isoformat()}
        connection.execute(text("SELECT set_config(:name, :moment, true)"), setting)

    def ask(self, who: str, lengths: Sequence[float], seeds: int, deeper: int = 0) -> list[int]:
        """Submit an experiment for each correlation length; returns the runs."""
        spec = {"seeds": seeds, "model": {"depth": DEPTHS[who] + deeper}}
        asked = [
            Asked.of(
                Submission.model_validate({**spec, "chain": {"corr_len": length}}),
                flops_per_run=1.0,
            )
            for length in lengths
        ]
        owner = who if self.in_turns else "everybody"
        with self.database.begin() as session:
            stored = submit_all(session, asked, owner=owner, attempt_limit=1)
        return [run_id for one in stored for run_id in one.run_ids]

    def claim(self, trainer: int) -> list[Claim]:
        """The next fleet."""
        holder = Holder(f"t{trainer}/1", f"t{trainer}", "host", "cpu", {}, {})
        with self.database.begin() as session:
            claims = claim_fleet(
                session, holder, lease_seconds=1e6, size_of=lambda _: FLEET, share=1
            )
        for claim in claims:
            asked_at = self.asked.pop(claim.run_id, None)
            if asked_at is not None:
                of = (asked_at - NOON, self.now - asked_at)
                self.waits.append((of[0].total_seconds() / 60, of[1].total_seconds() / 60))
        return claims

    def end(self, claims: Sequence[Claim]) -> None:
        """The fleet is trained; nothing is measured here."""
        with self.database.begin() as session:
            _end(session, claims)


def _end(session: Session, claims: Sequence[Claim]) -> None:
    run_ids = [claim.run_id for claim in claims]
    move(session, State.RUNNING, State.FAILED, among(RunRow.id, run_ids), error="not measured")
    session.execute(
        update(AttemptRow)
        .where(among(AttemptRow.run_id, run_ids))
        .values(outcome=Outcome.FAILED, ended_at=clock.now())
    )
    refresh_experiments(session, {claim.experiment_id for claim in claims})


def played(database: Database, runs: int, *, in_turns: bool) -> list[tuple[float, float]]:
    """One lab from noon until all is trained: what each single run waited."""
    lab = Lab(database, in_turns)
    lab.ask("ada", [2 + number / 64 for number in range(runs // FLEET)], FLEET)
    last = NOON + timedelta(seconds=FLEET_SECONDS * 1.5 * runs / FLEET / TRAINERS)
    arrivals = [(NOON + timedelta(minutes=9), "bob")]
    moment = NOON + EVERY
    while moment < last:
        arrivals.append((moment + timedelta(seconds=7), "cyd"))
        moment += EVERY
    arrivals.sort(reverse=True)
    trainers = [(NOON, trainer, list[Claim]()) for trainer in range(TRAINERS)]
    while trainers:
        lab.now, trainer, claims = heapq.heappop(trainers)
        _arrive(lab, arrivals, runs)
        if claims:
            lab.end(claims)
        claims = lab.claim(trainer)
        seconds = FLEET_SECONDS if len(claims) > 1 else SINGLE_SECONDS
        if claims or arrivals:
            free_at = lab.now + timedelta(seconds=seconds if claims else 1)
            heapq.heappush(trainers, (free_at, trainer, claims))
    with database.begin() as session:
        if session.scalars(select(RunRow.id).where(RunRow.state == State.QUEUED)).first():
            raise RuntimeError("runs were left in line")
    return sorted(lab.waits)


def _arrive(lab: Lab, arrivals: list[tuple[datetime, str]], runs: int) -> None:
    """What has been asked for until now, each at its own moment."""
    until = lab.now
    while arrivals and arrivals[-1][0] <= until:
        lab.now, who = arrivals.pop()
        if who == "bob":
            lab.ask(who, [2 + number / 64 for number in range(runs // FLEET // 2)], FLEET)
        else:
            (run_id,) = lab.ask(who, [2], 1, deeper=len(arrivals))
            lab.asked[run_id] = lab.now
    lab.now = until


def drawn(found: dict[str, list[tuple[float, float]]], runs: int) -> Figure:
    """Waiting time of the single runs over the time at which they were asked for."""
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.subplots()
    for way, marker in zip(WAYS, ("o", "s"), strict=True):
        minutes, waits = zip(*found[way], strict=True)
        label = f"{WAYS[way]}: median {statistics.median(waits):.1f} min, most {max(waits):.1f} min"
        drawn_waits = [max(wait, SMALLEST) for wait in waits]
        axes.plot(
            minutes, drawn_waits, marker=marker, markersize=4, color=COLOURS[way], label=label
        )
    axes.axhline(FLEET_SECONDS / 60, color="grey", linestyle=":", label="a fleet of the sweeps")
    axes.set(
        yscale="log",
        xlabel="asked for, minutes after the first sweep",
        ylabel="waits, minutes",
        title=(
            f"A single run beside sweeps of {runs:,} and {runs // 2:,} runs of two others,\n"
            f"{TRAINERS} trainers, fleets of {FLEET}"
        ),
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", frameon=False)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Play both, draw them."""
    parser = argparse.ArgumentParser("benchmarks.fairness", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where the picture goes")
    parser.add_argument("--runs", type=int, default=5000, help="of the larger sweep")
    chosen = parser.parse_args(arguments)
    found = {}
    with tempfile.TemporaryDirectory(prefix="rglab-", dir="/tmp") as directory:  # a short path
        for way, called in WAYS.items():
            say(called)
            with closing(_Server(Path(directory) / way)) as server:
                found[way] = played(server.database, chosen.runs, in_turns=way == "turns")
            waits = [wait for _, wait in found[way]]
            say(f"  {len(waits)} single runs waited {statistics.median(waits):.2f} min, "
                f"at most {max(waits):.2f}")  # fmt: skip
    chosen.out.mkdir(parents=True, exist_ok=True)
    picture = chosen.out / "fair-share.png"
    with replacing(picture) as file:
        drawn(found, chosen.runs).savefig(file, format="png", dpi=120)


class _Server:
    """A Postgres of its own, migrated."""

    def __init__(self, directory: Path) -> None:
        self._postgres = EmbeddedPostgres(directory)
        url = Settings(database_url=self._postgres.url).database
        upgrade(url)
        self.database = Database(url)

    def close(self) -> None:
        self.database.dispose()
        self._postgres.stop()


if __name__ == "__main__":
    main()
