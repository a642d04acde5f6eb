"""A result as JSON, read of the database and written quantity by quantity, chain by chain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import Session

from rgcontract import ChainFacts, Estimate, Losses, TrainingCurve
from rgcontract.observables import NETWORK
from rgcore.statistics import summarise_runs
from rgservice.experiments.selecting import Selection
from rgservice.http.pieces import Value, a_list, an_object, beside, text
from rgstore.among import among
from rgstore.chains import transition_of
from rgstore.damaged import DamagedRecordError
from rgstore.estimates import estimate, nested
from rgstore.measured import curves_of, values_of
from rgstore.records import Key, RunKey, Summary
from rgstore.summaries import summaries_of, summarised
from rgstore.tables import ChainRow, MeasurementRow, SummaryRow

FINAL = "final"
UNDER_TRAINED, TOO_FEW_SAMPLES = "under_trained", "too_few_samples"
OfRuns = Iterator[tuple[RunKey, list[float]]]


@dataclass
class Writing:
    """A result on its way out. What it says of the trained network is known once that is read."""

    session: Session
    name: str
    """Of the experiment."""
    selection: Selection
    seeds: Sequence[int]
    """Training seeds that it is about."""
    several_chains: bool
    stored: bool
    """Whether it is over all that is measured, as the stored summaries are."""
    _up: dict[str, bool] = field(
        default_factory=lambda: {UNDER_TRAINED: False, TOO_FEW_SAMPLES: False}
    )

    def pieces(self, head: Mapping[str, Any], chains: Sequence[ChainRow]) -> Iterator[bytes]:
        """All of it.

        Args:
            head: the fields that are known before.
            chains: that it is over.

        Raises:
            DamagedRecordError, ValidationError: what is stored cannot be read.
        """
        return an_object(self._members(head, chains))

    def _members(
        self, head: Mapping[str, Any], chains: Sequence[ChainRow]
    ) -> Iterator[tuple[str, Value]]:
        for name, value in head.items():
            yield name, text(value)
        first = self._chain(chains[0])
        yield "chain", first
        yield "chains", a_list(chain([first], map(self._chain, chains[1:])))
        yield "snapshots", a_list(self._snapshots())
        yield "training", a_list(self._curves())
        for name, is_up in self._up.items():
            yield name, text(is_up)
        yield "layers", text(self.selection.layers)
        yield "left_out", a_list(map(text, self.selection.left_out))

    def _chain(self, row: ChainRow) -> bytes:
        matrix = transition_of(self.session, row) if self.selection.transition else None
        return text(chain_facts(row, matrix))

    def _curves(self) -> Iterator[bytes]:
        for (chain_seed, seed), steps, losses in curves_of(self.session, self.name, self.seeds):
            yield text(TrainingCurve(chain_seed=chain_seed, seed=seed, steps=steps, losses=losses))

    def _snapshots(self) -> Iterator[Value]:
        estimates = _Estimates(self.selection, self._of_runs(), self.several_chains)
        for when, summaries in groupby(self._shown(), key=lambda one: one.when):
            yield an_object(_snapshot(when, summaries, estimates))

    def _shown(self) -> Iterator[Summary]:
        """The summaries that are in the answer; the flags of the trained network are noted."""
        for summary in self._summaries():
            if summary.when == FINAL and summary.quantity in self._up:
                of_network = summary.quantity == UNDER_TRAINED
                if of_network is (summary.level == NETWORK):
                    self._up[summary.quantity] |= _is_up(summary)
            if summary.key in self.selection.parts:
                yield summary

    def _summaries(self) -> Iterator[Summary]:
        session, name = self.session, self.name
        if self.stored:
            return summaries_of(session, name, self._chosen(SummaryRow))
        chosen = self._chosen(MeasurementRow)
        return summarised(session, name, summarise_runs, chosen, seeds=self.seeds)

    def _chosen(self, row: type[SummaryRow | MeasurementRow]) -> ColumnElement[bool]:
        flags = and_(row.when == FINAL, among(row.quantity, self._up))
        return or_(_among(row, self.selection.parts), flags)

    def _of_runs(self) -> Iterator[tuple[Key, OfRuns]]:
        of_runs = self.selection.of_runs
        wanted = [key for key, part in self.selection.parts.items() if of_runs(part)]
        chosen = _among(MeasurementRow, wanted)
        return values_of(self.session, self.name, chosen, seeds=self.seeds)


class _Estimates:
    """Summaries as the wire has them, each with the values of its runs, where they are there."""

    def __init__(
        self, selection: Selection, of_runs: Iterator[tuple[Key, OfRuns]], several_chains: bool
    ) -> None:
        """Both are read in the same order."""
        self._selection, self._of_runs = selection, of_runs
        self._place = {key: place for place, key in enumerate(selection.parts)}
        self._ahead = next(of_runs, None)
        self._several = several_chains

    def model(self, summary: Summary) -> Estimate:
        """A small one."""
        values = {self._name(run): values for run, values in self._runs(summary)}
        return self._alone(summary).model_copy(update={"per_seed": values or None})

    def json(self, summary: Summary) -> Value:
        """One of any size."""
        runs = self._runs(summary)
        first = next(runs, None)
        if first is None:
            return text(self._alone(summary))
        named = ((self._name(run), text(values)) for run, values in chain([first], runs))
        return beside(self._alone(summary), "per_seed", an_object(named))

    def _alone(self, summary: Summary) -> Estimate:
        return estimate(self._selection.parts[summary.key].summary(summary))

    def _runs(self, summary: Summary) -> Iterator[tuple[RunKey, Any]]:
        part = self._selection.parts[summary.key]
        if not self._selection.of_runs(part):
            return
        here = self._place[summary.key]
        while self._ahead is not None and self._place.get(self._ahead[0], -1) < here:
            self._ahead = next(self._of_runs, None)
        if self._ahead is None or self._ahead[0] != summary.key:
            return
        shape = [len(of_index) for of_index in part.kept]
        for run, values in self._ahead[1]:
            yield run, nested(part.values(values), shape)

    def _name(self, run: RunKey) -> str:
        chain_seed, seed = run
        return f"{chain_seed}/{seed}" if self._several else str(seed)


@dataclass
class _Level:
    """The quantities of a level on their way out, one by one."""

    level: str
    summaries: Iterator[Summary]
    estimates: _Estimates
    n_rows: int = 0
    too_few_samples: bool = False

    def members(self) -> Iterator[tuple[str, Value]]:
        """In the order in which they are known."""
        yield "level", text(self.level)
        yield "quantities", an_object(self.quantities())
        yield "n_rows", text(self.n_rows)
        yield "too_few_samples", text(self.too_few_samples)

    def quantities(self) -> Iterator[tuple[str, Value]]:
        """But for the flags, which are noted."""
        for summary in self.summaries:
            self.n_rows = summary.n_rows
            if summary.quantity == TOO_FEW_SAMPLES:
                self.too_few_samples = _is_up(summary)
            else:
                yield summary.quantity, self.estimates.json(summary)


@dataclass
class _Network(_Level):
    """The same of the whole network: its losses stand beside the levels."""

    losses: dict[str, Estimate] = field(default_factory=dict)
    under_trained: bool = False

    def quantities(self) -> Iterator[tuple[str, Value]]:
        """But for losses and flags, which are noted."""
        self.summaries = self._others(self.summaries)
        yield from super().quantities()

    def _others(self, summaries: Iterator[Summary]) -> Iterator[Summary]:
        for summary in summaries:
            self.n_rows = summary.n_rows
            if summary.quantity == UNDER_TRAINED:
                self.under_trained = _is_up(summary)
            elif summary.quantity in Losses.model_fields:
                self.losses[summary.quantity] = self.estimates.model(summary)
            else:
                yield summary


def _snapshot(
    when: str, summaries: Iterator[Summary], estimates: _Estimates
) -> Iterator[tuple[str, Value]]:
    """A moment; what is of the whole network is read last."""
    first = next(summaries)
    by_level = groupby(chain([first], summaries), key=lambda one: one.level)
    yield "when", text(when)
    yield "step", text(first.step)
    network = _Network(NETWORK, iter(()), estimates)
    yield "levels", a_list(_levels(by_level, network))
    yield "network", an_object(network.members())
    if not network.losses:
        raise DamagedRecordError(f"nothing of the network itself is stored at {when!r}")
    yield "losses", text(Losses(**network.losses))
    yield "under_trained", text(network.under_trained)


def _levels(
    by_level: Iterator[tuple[str, Iterator[Summary]]], network: _Network
) -> Iterator[Value]:
    """All levels but the last, which is of the network and is handed to it."""
    for level, group in by_level:
        if level == network.level:
            network.summaries = group
            return
        yield an_object(_Level(level, group, network.estimates).members())


def chain_facts(row: ChainRow, matrix: Sequence[float] | None) -> ChainFacts:
    """What is known exactly of a chain.

    Args:
        row: as it is stored.
        matrix: row by row; None to leave it out.

    Raises:
        DamagedRecordError, ValidationError: it cannot be read.
    """
    return ChainFacts(
        seed=row.seed,
        family=row.family,
        n_states=row.n_states,
        corr_len=row.corr_len,
        corr_len_error=row.corr_len_error,
        reversible=row.reversible,
        scale_corr_lens=row.scale_corr_lens,
        mutual_information=row.mutual_information,
        eigenvalues_real=row.eigenvalues_real,
        eigenvalues_imag=row.eigenvalues_imag,
        stationary=row.stationary,
        transition=None if matrix is None else nested(matrix, [row.n_states, row.n_states]),
        entropy_rate=row.entropy_rate,
        unigram_entropy=row.unigram_entropy,
    )


def _among(row: type[SummaryRow | MeasurementRow], keys: Collection[Key]) -> ColumnElement[bool]:
    """Whether a quantity may be one of these; all of them are, and few others."""
    whens, levels, names = ({key[place] for key in keys} for place in range(3))
    return and_(among(row.when, whens), among(row.level, levels), among(row.quantity, names))


def _is_up(summary: Summary) -> bool:
    """Whether a flag is, in any run."""
    return bool(nested(summary.mean, summary.shape))
