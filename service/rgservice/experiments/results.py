"""The measurement of an experiment, put together from its summaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rgcontract import ChainFacts, FieldProblem, State
from rgservice.experiments.selecting import Asked, Selection, selected
from rgservice.experiments.steering import Found
from rgservice.experiments.writing import FINAL, Writing, chain_facts
from rgservice.http.errors import NotFound, NotReady, OverLimit
from rgservice.http.of_before import without_form
from rgservice.http.other_releases import needed
from rgservice.http.seeds import listed
from rgstore.chains import chains_of, transition_of
from rgstore.damaged import DamagedRecordError
from rgstore.measured import count_measured, kept_of_runs, measured_runs
from rgstore.records import CONFIDENCE, INTERVAL_METHOD, RunKey
from rgstore.runs import runs_of
from rgstore.stored_specs import loaded_spec
from rgstore.summaries import kept_summaries
from rgstore.tables import ChainRow, RunRow
from rgstore.transitions import combined

OVER_SEEDS = "training seeds; the chain is held fixed"
OVER_CHAINS = "chains, each averaged over its training seeds; nothing is held fixed"
MOST_NUMBERS = 2**25
"""In an answer: about 700 MB."""


@dataclass(frozen=True)
class Answer:
    """A result that is there, before any of its numbers is read."""

    numbers: int
    """That it has, about."""
    name: str
    """Of the experiment."""
    _pieces: Iterator[bytes]

    def pieces(self) -> Iterator[bytes]:
        """Its JSON, read of the database as it is asked for, once.

        Raises:
            UnreadableSpec, UnreadableRecord: another release stored it, or it is damaged.
        """
        with needed(f"experiment {self.name}"):
            yield from self._pieces


def result_of(session: Session, found: Found, asked: Asked, *, of_before: bool) -> Answer:
    """The result over the runs that are measured, of the seeds that are asked about.

    Args:
        session: the transaction to read in, until the last piece is read.
        found: the experiment and its seeds.
        asked: how much of it.
        of_before: whether it is for a client of before there was a `schema`.

    Raises:
        UnreadableSpec, UnreadableRecord: another release stored it, or it is damaged.
        NotReady: it is not there; carries the state.
        InvalidQuery: it has not what is asked for.
        OverLimit: it is too much at once.
    """
    with needed(f"experiment {found.row.id}"):
        return _result(session, found, asked, of_before=of_before)


def _result(session: Session, found: Found, asked: Asked, *, of_before: bool) -> Answer:
    row = found.row
    spec = loaded_spec(row.spec, found.seeds)
    runs = measured_runs(session, row.id, found.seeds)
    wanted = runs_of(session, row.id, found.seeds)
    if not runs or (len(runs) < len(wanted) and not asked.partial):
        raise _not_ready(wanted, len(runs))
    chain_seeds = sorted({chain_seed for chain_seed, _ in runs})
    chains = chains_of(session, row, chain_seeds)
    if len(chains) < len(chain_seeds):
        raise DamagedRecordError(f"{len(chains)} of its {len(chain_seeds)} chains are stored")
    stored = not found.named or len(runs) == count_measured(session, row.id)
    there = (
        kept_summaries(session, row.id) if stored else kept_of_runs(session, row.id, found.seeds)
    )
    if all(one.when != FINAL for one in there):
        raise DamagedRecordError("nothing that was measured after training is stored")
    selection = selected(
        asked,
        there,
        n_layers=spec.model.depth + 1,
        transition=sum(chain.n_states**2 for chain in chains),
        path=f"/v1/experiments/{row.id}",
        seeds=",".join(map(str, found.seeds)) if found.named else None,
    )
    seeds = sorted({seed for _, seed in runs})
    told = spec.model_copy(update={"seeds": tuple(seeds)}).model_dump(mode="json", by_alias=True)
    head = {
        "id": row.id,
        "spec_hash": row.spec_hash,
        "protocol": row.protocol,
        "state": combined({run.state for run in wanted}),
        "spec": without_form(told) if of_before else told,
        "seeds": seeds,
        "chain_seeds": chain_seeds,
        "confidence": CONFIDENCE,
        "interval_method": INTERVAL_METHOD,
        "error_bar": OVER_CHAINS if len(chain_seeds) > 1 else OVER_SEEDS,
    }
    writing = Writing(
        session, row.id, selection, found.seeds, several_chains=len(chain_seeds) > 1, stored=stored
    )
    numbers = _numbers(selection, runs, chains)
    return Answer(numbers, row.id, writing.pieces(head, chains))


def chain_of(session: Session, found: Found, chain_seed: int) -> ChainFacts:
    """What is known exactly of a chain of an experiment, with its matrix.

    Raises:
        UnreadableSpec, UnreadableRecord: another release stored it, or it is damaged.
        NotFound: it has no such chain. NotReady: none of its runs is measured.
    """
    row = found.row
    runs = runs_of(session, row.id, found.seeds)
    draws = sorted({run.chain_seed for run in runs})
    if chain_seed not in draws:
        raise NotFound(
            f"experiment {row.id} has no chain of seed {chain_seed}; there are {listed(draws)}"
        )
    with needed(f"experiment {row.id}"):
        if all(one != chain_seed for one, _ in measured_runs(session, row.id)):
            raise _not_ready([run for run in runs if run.chain_seed == chain_seed], 0)
        chains = chains_of(session, row, [chain_seed])
        if not chains:
            raise DamagedRecordError(f"its chain of seed {chain_seed} is not stored")
        return chain_facts(chains[0], transition_of(session, chains[0]))


def _numbers(selection: Selection, runs: Sequence[RunKey], chains: Sequence[ChainRow]) -> int:
    """How many there are, about.

    Raises:
        OverLimit: more than an answer may have.
    """
    matrices = sum(chain.n_states**2 for chain in chains) if selection.transition else 0
    numbers = selection.numbers(len(runs)) + matrices
    if numbers > MOST_NUMBERS:
        raise OverLimit.of(
            [
                FieldProblem(
                    field="arrays",
                    message=f"is of about {numbers:.3g} numbers; ask for them in parts, by "
                    "observables, levels, at, layers or seeds",
                    allowed=f"at most {MOST_NUMBERS} at once",
                )
            ]
        )
    return numbers


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
