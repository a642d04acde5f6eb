"""The measurement of an experiment, put together from its stored summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import prod

from sqlalchemy.orm import Session

from rgcontract import (
    ChainFacts,
    Estimate,
    LevelResult,
    Losses,
    Result,
    Snapshot,
    State,
    TrainingCurve,
)
from rgcontract.result import Numbers
from rgcontract.strictjson import number_or_none
from rgservice.errors import NotReady
from rgstore import experiments, measurements
from rgstore.records import CONFIDENCE, INTERVAL_METHOD, NETWORK_LEVEL
from rgstore.submissions import loaded_spec
from rgstore.tables import ChainRow, ExperimentRow, SummaryRow

PerSeed = Mapping[tuple[str, str, str], dict[int, list[float]]]


def result_view(session: Session, row: ExperimentRow, *, all_arrays: bool, partial: bool) -> Result:
    """The result over the seeds measured so far.

    Args:
        session: the transaction to read in.
        row: the experiment.
        all_arrays: also spectra and position-by-position arrays, not only per-layer ones.
        partial: also before every seed is measured for the first time.

    Raises:
        NotReady: it is not there; carries the state.
    """
    results = measurements.results_of(session, row.id)
    chain = measurements.chain_of(session, row)
    if not results or chain is None or (row.completed_at is None and not partial):
        raise _not_ready(session, row, len(results))
    summaries = [
        summary
        for summary in measurements.summaries_of(session, row.id)
        if all_arrays or len(summary.shape) <= 1
    ]
    per_seed = measurements.layer_values_of(session, row.id)
    snapshots = [
        _snapshot(when, list(group), per_seed)
        for when, group in groupby(summaries, key=lambda summary: summary.when)
    ]
    seeds = [seed for seed, _ in results]
    return Result(
        id=row.id,
        spec_hash=row.spec_hash,
        protocol=row.protocol,
        state=State(row.state),
        spec=loaded_spec(row.spec, seeds),
        seeds=seeds,
        confidence=CONFIDENCE,
        interval_method=INTERVAL_METHOD,
        chain=_chain_facts(chain),
        snapshots=snapshots,
        training=[
            TrainingCurve(seed=seed, steps=result.curve_steps, losses=result.curve_losses)
            for seed, result in results
        ],
        under_trained=snapshots[-1].under_trained,
    )


def _not_ready(session: Session, row: ExperimentRow, measured: int) -> NotReady:
    state = State(row.state)
    advice = {
        State.FAILED: "see the causes in the runs, then POST .../retry",
        State.CANCELLED: "submit it again or POST .../retry",
    }.get(state, "ask again later, or follow the progress of the experiment")
    if measured:
        advice += f"; {measured} seeds are there already with ?partial=true"
    runs = experiments.runs_of(session, [row.id])
    causes = sorted({run.error for run in runs if run.error and run.state == State.FAILED})
    return NotReady(f"the experiment is {state}: {advice}", state=state, causes=causes)


def _snapshot(when: str, summaries: Sequence[SummaryRow], per_seed: PerSeed) -> Snapshot:
    by_level: dict[str, dict[str, Estimate]] = {}
    rows: dict[str, int] = {}
    for summary in summaries:
        key = (summary.when, summary.level, summary.quantity)
        by_level.setdefault(summary.level, {})[summary.quantity] = _estimate(
            summary, per_seed.get(key)
        )
        rows[summary.level] = summary.n_rows
    network = by_level.pop(NETWORK_LEVEL)
    return Snapshot(
        when=when,
        step=summaries[0].step,
        losses=Losses(**{name: network[name] for name in Losses.model_fields}),
        under_trained=bool(network["under_trained"].mean),
        levels=[
            LevelResult(level=level, n_rows=rows[level], quantities=quantities)
            for level, quantities in by_level.items()
        ],
    )


def _estimate(summary: SummaryRow, per_seed: dict[int, list[float]] | None) -> Estimate:
    shape = summary.shape
    return Estimate(
        shape=shape,
        mean=_nested(summary.mean, shape),
        standard_error=_nested(summary.standard_error, shape),
        low=_nested(summary.low, shape),
        high=_nested(summary.high, shape),
        per_seed=per_seed
        and {str(seed): _nested(values, shape) for seed, values in per_seed.items()},
        reasons=summary.reasons,
    )


def _nested(flat: Sequence[float], shape: Sequence[int]) -> Numbers:
    """A flat array as nested lists, null where it is not a number."""
    if not shape:
        return number_or_none(flat[0])
    stride = prod(shape[1:])
    return [
        _nested(flat[start : start + stride], shape[1:])
        for start in range(0, shape[0] * stride, stride)
    ]


def _chain_facts(row: ChainRow) -> ChainFacts:
    return ChainFacts(
        family=row.family,
        n_states=row.n_states,
        corr_len=row.corr_len,
        eigenvalues_real=row.eigenvalues_real,
        eigenvalues_imag=row.eigenvalues_imag,
        stationary=row.stationary,
        transition=_nested(row.transition, [row.n_states, row.n_states]),
        entropy_rate=row.entropy_rate,
        unigram_entropy=row.unigram_entropy,
    )
