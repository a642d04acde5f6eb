"""Studies in the database: their name, what is due, what is known of their experiments."""

from __future__ import annotations

import math
import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from blocked import until_blocked
from measured_study import GRID, ask, measure, numbers_of, store_in
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgcontract import IMPLEMENTED, ExperimentSpec, PottsChain, Protocols, State, measurement_hash
from rgstore import further_seeds, judging, studies, study_runs
from rgstore.database import Database
from rgstore.study_runs import CollapseRatios, Part
from rgstore.tables import ExperimentRow, RunRow, StudyExperimentRow, StudyRow

SHORT, LONG = (ExperimentSpec(chain=PottsChain(corr_len=length)) for length in (1.0, 7.0))
OTHER = GRID | {"chain": {"corr_len": [3, 9]}}


def _study(database: Any, name: str) -> StudyRow:
    with database.begin() as session:
        found: StudyRow = session.get_one(StudyRow, name)
        return found


def _due(session: Session, protocols: Protocols = IMPLEMENTED) -> StudyRow:
    """The study whose findings are due, which there is."""
    study = judging.next_due(session, protocols)
    assert study is not None
    return study


def _all_written(database: Any) -> None:
    with database.begin() as session:
        while (study := judging.next_due(session)) is not None:
            judging.keep_findings(
                session, study, None, over=study_runs.count_measured(session, study.id)
            )


def study_of(specs: Any, axes: Any) -> Any:
    return studies.study_id(map(measurement_hash, specs), axes)


def test_the_name_of_a_study_does_not_depend_on_order() -> None:
    forward = study_of([SHORT, LONG], ["chain.corr_len", "model.depth"])
    assert study_of([LONG, SHORT], ["model.depth", "chain.corr_len"]) == forward


def test_other_experiments_are_another_study() -> None:
    assert study_of([SHORT], ["a"]) != study_of([SHORT, LONG], ["a"])


def test_other_axes_are_another_study() -> None:
    assert study_of([SHORT], []) != study_of([SHORT], ["chain.corr_len"])


def test_seeds_that_were_asked_for_before_are_kept(database: Database) -> None:
    name = ask(database, **GRID | {"seeds": [0, 4]})
    assert ask(database, **GRID | {"seeds": [1]}) == name
    assert _study(database, name).seeds == [0, 1, 4]


def test_the_latest_request_steers(database: Database) -> None:
    name = ask(database, **GRID, name="first", target_error=0.1, max_seeds=9)
    ask(database, **GRID, target_error=0.2)
    study = _study(database, name)
    assert (study.name, study.target_error, study.max_seeds) == ("first", 0.2, 16)


def test_the_first_to_ask_stays_the_owner(database: Database) -> None:
    name = ask(database, owner="ada", **GRID)
    ask(database, owner="bob", **GRID)
    assert _study(database, name).owner == "ada"


def test_a_measured_run_makes_the_studies_due_that_contain_it(database: Database) -> None:
    first, second = ask(database, **GRID), ask(database, **OTHER)
    _all_written(database)
    measure(database, most=1)  # the runs of the first study are older
    assert _study(database, first).findings_due
    assert not _study(database, second).findings_due


def test_asking_again_for_what_is_there_makes_nothing_due(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database)
    _all_written(database)
    ask(database, **GRID)
    assert not _study(database, name).findings_due


def test_a_study_is_one_workers_at_a_time(database: Database) -> None:
    ask(database, **GRID)
    with database.begin() as mine:
        assert judging.next_due(mine) is not None
        with database.begin() as theirs:
            assert judging.next_due(theirs) is None


@pytest.mark.parametrize("newer", ["spec_schema", "training_protocol", "protocol"])
def test_what_a_newer_release_measures_is_judged_by_its_workers(
    database: Database, newer: str
) -> None:
    name = ask(database, **GRID)
    older = replace(IMPLEMENTED, **{newer: getattr(IMPLEMENTED, newer) - 1})
    later = replace(IMPLEMENTED, **{newer: getattr(IMPLEMENTED, newer) + 1})
    with database.begin() as session:
        assert judging.next_due(session, older) is None
        assert _due(session, later).id == name


def test_another_study_can_be_had_meanwhile(database: Database) -> None:
    names = {ask(database, **GRID), ask(database, **OTHER)}
    with database.begin() as mine, database.begin() as theirs:
        assert {_due(mine).id, _due(theirs).id} == names


@pytest.mark.by_hand("what is kept are no findings")
def test_findings_stay_due_if_a_run_was_measured_meanwhile(database: Database) -> None:
    name = ask(database, **GRID)
    with database.begin() as session:
        study = _due(session)
        over = study_runs.count_measured(session, name)
        measure(database, most=1)
        judging.keep_findings(session, study, {}, over=over)
    assert _study(database, name).findings_due


@pytest.mark.by_hand("what is kept are no findings")
def test_findings_stay_due_if_a_run_is_being_stored_while_they_are_written(
    database: Database, take: Any
) -> None:
    """Who writes them waits for a run that is not committed yet, and then counts it."""
    name = ask(database, **GRID)
    claim = take()

    def written() -> None:
        with database.begin() as session:
            over = study_runs.count_measured(session, name)
            judging.keep_findings(session, session.get_one(StudyRow, name), {}, over=over)

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as storing:
            store_in(storing, claim, numbers_of(claim))
            writing = pool.submit(written)
            until_blocked(database)
        writing.result()
    assert _study(database, name).findings_due


def add_seeds(session: Any, experiment: str, n: int) -> list[int]:
    """Add seeds to an experiment of the one study there is, for its owner."""
    study = session.scalars(select(StudyRow)).one()
    return further_seeds.add_seeds(session, study, {"alice": {experiment: n}}, attempt_limit=2)


def test_the_next_unused_seeds_are_added(database: Database) -> None:
    ask(database, chain={"corr_len": 1}, seeds=[0, 2, 7], priority=4)
    with database.begin() as session:
        (name,) = session.scalars(select(ExperimentRow.id))
        added = add_seeds(session, name, 3)
        runs = session.scalars(select(RunRow).where(RunRow.id.in_(added))).all()
        assert sorted(run.seed for run in runs) == [1, 3, 4]
        assert {(run.state, run.priority, run.attempt_limit) for run in runs} == {
            (State.QUEUED, 4, 2)
        }


def test_a_finished_experiment_runs_again_when_seeds_are_added(database: Database) -> None:
    ask(database, chain={"corr_len": 1}, seeds=1)
    measure(database)
    with database.begin() as session:
        (name,) = session.scalars(select(ExperimentRow.id))
        add_seeds(session, name, 1)
    with database.begin() as session:
        assert session.get_one(ExperimentRow, name).state == State.QUEUED


def test_collapse_ratios_are_those_of_the_stored_ranks(database: Database) -> None:
    name = ask(database, **GRID)
    stored: dict[str, dict[tuple[int, int], float]] = {}

    def remember(claim: Any) -> Any:
        numbers = numbers_of(claim)
        ranks = numbers["final", "position", "effective_rank"]
        stored.setdefault(claim.experiment_id, {})[0, claim.seed] = ranks[-1] / ranks[0]
        return numbers

    measure(database, remember)
    with database.begin() as session:
        found = study_runs.collapse_ratios(session, Part(name))
    # 1e-15: the same quotient of the same doubles
    assert found.keys() == stored.keys()
    for experiment, of_run in stored.items():
        assert found[experiment].of_run == pytest.approx(of_run, rel=1e-15)


def test_the_error_of_one_chain_is_over_its_runs() -> None:
    ratios = CollapseRatios({(0, 0): 0.5, (0, 1): 0.6, (0, 2): 0.8})
    expected = statistics.stdev([0.5, 0.6, 0.8]) / math.sqrt(3)
    assert ratios.standard_error == pytest.approx(expected, rel=1e-12)


def test_the_error_of_several_chains_is_over_their_means() -> None:
    ratios = CollapseRatios({(0, 0): 0.5, (0, 1): 0.7, (4, 0): 0.8, (4, 1): 0.8})
    assert ratios.standard_error == pytest.approx(0.1, rel=1e-12)  # means 0.6 and 0.8


@pytest.mark.parametrize("of_run", [{}, {(0, 0): 0.5}, {(0, 0): 0.5, (0, 1): math.nan}])
def test_there_may_be_no_error(of_run: Any) -> None:
    assert CollapseRatios(of_run).standard_error is None


def test_chains_are_several_where_an_experiment_runs_on_them(database: Database) -> None:
    one = ask(database, chain={"corr_len": [1, 7], "seed": 4}, seeds=1)
    more = ask(database, chain={"corr_len": [1, 7], "seeds": 2}, seeds=1)
    with database.begin() as session:
        assert not study_runs.over_chains(session, one)
        assert study_runs.over_chains(session, more)


def test_members_come_in_the_order_of_the_grid(database: Database) -> None:
    name = ask(database, chain={"corr_len": [7, 1]}, model={"depth": [8, 4]}, seeds=1)
    with database.begin() as session:
        found = studies.members(session, name)
        places = session.scalars(
            select(StudyExperimentRow.place).order_by(StudyExperimentRow.place)
        ).all()
    assert [(m.corr_len, m.cell["model.depth"]) for m in found] == [
        (7.0, 8), (7.0, 4), (1.0, 8), (1.0, 4),
    ]  # fmt: skip
    assert places == [0, 1, 2, 3]
