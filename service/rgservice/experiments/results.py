"""The measurement of an experiment, put together from its summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal

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
from rgcontract.observables import NETWORK
from rgcore.statistics import summarise_runs
from rgservice.experiments.steering import Found
from rgservice.http.errors import NotReady
from rgservice.http.other_releases import needed
from rgstore.chains import chains_of
from rgstore.damaged import DamagedRecordError
from rgstore.estimates import estimate, nested
from rgstore.measured import count_measured, results_of, values_of
from rgstore.records import CONFIDENCE, INTERVAL_METHOD, RunKey, Summary
from rgstore.runs import runs_of
from rgstore.stored_specs import loaded_spec
from rgstore.summaries import summaries_of, summarised
from rgstore.tables import ChainRow, RunRow
from rgstore.transitions import combined

OVER_SEEDS = "training seeds; the chain is held fixed"
OVER_CHAINS = "chains, each averaged over its training seeds; nothing is held fixed"

PerRun = Mapping[tuple[str, str, str], dict[RunKey, list[float]]]


Arrays = Literal["layers", "all", "runs"]
"""How much: quantities of one index; all; all, those of several indexes for each run too."""


def result_view(session: Session, found: Found, *, arrays: Arrays, partial: bool) -> Result:
    """The result over the runs that are measured, of the seeds that are asked about.

    Args:
        session: the transaction to read in.
        found: the experiment and its seeds.
        arrays: how much of it.
        partial: also before all of these are measured.

    Raises:
        UnreadableSpec, UnreadableRecord: another release stored it, or it is damaged.
        NotReady: it is not there; carries the state.
    """
    with needed(f"experiment {found.row.id}"):
        return _result(session, found, arrays, partial=partial)


def _result(session: Session, found: Found, arrays: Arrays, *, partial: bool) -> Result:
    row = found.row
    spec = loaded_spec(row.spec, found.seeds)
    results = results_of(session, row.id, found.seeds)
    asked = runs_of(session, row.id, found.seeds)
    if not results or (len(results) < len(asked) and not partial):
        raise _not_ready(asked, len(results))
    runs = [run for run, _ in results]
    chain_seeds = sorted({chain_seed for chain_seed, _ in runs})
    chains = [_chain_facts(chain) for chain in chains_of(session, row, chain_seeds)]
    if len(chains) < len(chain_seeds):
        raise DamagedRecordError(f"{len(chains)} of its {len(chain_seeds)} chains are stored")
    summaries = _summaries(session, found, runs, most_indexes=1 if arrays == "layers" else None)
    per_run = values_of(
        session, row.id, seeds=found.seeds, most_indexes=None if arrays == "runs" else 1
    )
    snapshots = [
        _snapshot(when, list(group), per_run)
        for when, group in groupby(summaries, key=lambda summary: summary.when)
    ]
    final = next((snapshot for snapshot in snapshots if snapshot.when == "final"), None)
    if final is None:
        raise DamagedRecordError("nothing that was measured after training is stored")
    seeds = sorted({seed for _, seed in runs})
    return Result(
        id=row.id,
        spec_hash=row.spec_hash,
        protocol=row.protocol,
        state=combined({run.state for run in asked}),
        spec=spec.model_copy(update={"seeds": tuple(seeds)}),
        seeds=seeds,
        chain_seeds=chain_seeds,
        confidence=CONFIDENCE,
        interval_method=INTERVAL_METHOD,
        error_bar=OVER_CHAINS if len(chain_seeds) > 1 else OVER_SEEDS,
        chain=chains[0],
        chains=chains,
        snapshots=snapshots,
        training=[
            TrainingCurve(
                chain_seed=chain_seed,
                seed=seed,
                steps=result.curve_steps,
                losses=result.curve_losses,
            )
            for (chain_seed, seed), result in results
        ],
        under_trained=final.under_trained,
        too_few_samples=any(level.too_few_samples for level in final.levels),
    )


def _summaries(
    session: Session, found: Found, runs: Sequence[RunKey], *, most_indexes: int | None
) -> list[Summary]:
    """As the worker stored them, if these are all runs that are measured; else worked out anew."""
    name = found.row.id
    if found.named and len(runs) < count_measured(session, name):
        return summarised(
            session, name, summarise_runs, seeds=found.seeds, most_indexes=most_indexes
        )
    return summaries_of(session, name, most_indexes=most_indexes)


def _not_ready(runs: Sequence[RunRow], measured: int) -> NotReady:
    state = combined({run.state for run in runs})
    advice = {
        State.FAILED: "see the causes in the runs, then POST .../retry",
        State.CANCELLED: "submit it again or POST .../retry",
    }.get(state, "ask again later, or follow the progress of the experiment")
    if measured:
        advice += f"; {measured} runs are there already with ?partial=true"
        advice += ", and ?seeds= gives the result of those seeds alone"
    causes = sorted({run.error for run in runs if run.error and run.state == State.FAILED})
    return NotReady(f"the experiment is {state}: {advice}", state=state, causes=causes)


def _snapshot(when: str, summaries: Sequence[Summary], per_run: PerRun) -> Snapshot:
    by_level: dict[str, dict[str, Estimate]] = {}
    rows: dict[str, int] = {}
    for summary in summaries:
        key = (summary.when, summary.level, summary.quantity)
        by_level.setdefault(summary.level, {})[summary.quantity] = estimate(
            summary, per_run.get(key)
        )
        rows[summary.level] = summary.n_rows
    if NETWORK not in by_level:
        raise DamagedRecordError(f"nothing of the network itself is stored at {when!r}")
    network = by_level[NETWORK]
    losses = Losses(**{name: network.pop(name) for name in Losses.model_fields if name in network})
    under_trained = _flag(network, "under_trained")
    levels = {
        level: LevelResult(
            level=level,
            n_rows=rows[level],
            too_few_samples=_flag(quantities, "too_few_samples"),
            quantities=quantities,
        )
        for level, quantities in by_level.items()
    }
    return Snapshot(
        when=when,
        step=summaries[0].step,
        losses=losses,
        under_trained=under_trained,
        network=levels.pop(NETWORK),
        levels=list(levels.values()),
    )


def _flag(quantities: dict[str, Estimate], name: str) -> bool:
    """Whether a flag is up in any run; earlier protocols did not have all of them."""
    flag = quantities.pop(name, None)
    return bool(flag is not None and flag.mean)


def _chain_facts(row: ChainRow) -> ChainFacts:
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
        transition=nested(row.transition, [row.n_states, row.n_states]),
        entropy_rate=row.entropy_rate,
        unigram_entropy=row.unigram_entropy,
    )
