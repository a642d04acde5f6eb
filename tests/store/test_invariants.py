"""Each invariant, broken by hand, is named with the row that breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from measured_study import ask, measure
from sqlalchemy import select, text

from rgcore.statistics import summarise_runs
from rgstore import judging, study_runs, trainings
from rgstore.database import Database
from rgstore.invariants import INVARIANTS, Scope
from rgstore.invariants.invariant import MOST_BREACHES
from rgstore.records import Training, Weights
from rgstore.tables import ExperimentRow, StudyRow

ALL = Scope(summarise_runs)
SMALL: dict[str, Any] = {"chain": {"corr_len": [1, 7]}, "model": {"depth": 2}, "seeds": 1}
A_DONE_RUN = "(SELECT min(id) FROM runs WHERE state = 'done')"
THE_QUEUED = "(SELECT experiment_id FROM runs WHERE state = 'queued')"
A_WORKER = (
    "INSERT INTO workers (name, host, concurrency, started_at)"
    " VALUES ('w', 'h', 1, now() - interval '1 hour') RETURNING name"
)
SECOND_WELL = (
    "INSERT INTO attempts (run_id, number, worker, host, device, versions, calibration, ended_at,"
    " outcome) SELECT run_id, 2, worker, host, device, versions, calibration, ended_at, outcome"
    f" FROM attempts WHERE run_id = {A_DONE_RUN} RETURNING run_id"
)
DEEPER = """jsonb_set(CAST(spec AS jsonb), '{model,depth}', '5')::json"""

BREAKS = [
    # the invariant, the column that names the row, what breaks it and returns that name
    ("lease", "run", "UPDATE runs SET lease_owner = 'w9' WHERE state = 'queued' RETURNING id"),
    ("lease", "run", "UPDATE runs SET lease_until = now() WHERE state = 'queued' RETURNING id"),
    ("freed", "run", f"""WITH alive AS ({A_WORKER})
        UPDATE runs SET lease_until = now() - interval '6 minutes'
        WHERE state = 'running' RETURNING id"""),
    ("attempts", "run",
     f"UPDATE attempts SET number = 2 WHERE run_id = {A_DONE_RUN} RETURNING run_id"),
    ("attempts", "run", f"UPDATE runs SET attempt = 2 WHERE id = {A_DONE_RUN} RETURNING id"),
    ("attempts", "run", f"DELETE FROM attempts WHERE run_id = {A_DONE_RUN} RETURNING run_id"),
    ("open_attempt", "run",
     f"UPDATE attempts SET ended_at = NULL WHERE run_id = {A_DONE_RUN} RETURNING run_id"),
    ("open_attempt", "run",
     f"UPDATE attempts SET outcome = NULL WHERE run_id = {A_DONE_RUN} RETURNING run_id"),
    ("open_attempt", "run",
     ("UPDATE attempts SET ended_at = now(), outcome = 'lost' WHERE ended_at IS NULL"
     " RETURNING run_id")),
    ("attempts_left", "run",
     "UPDATE runs SET attempt_limit = 0 WHERE state = 'queued' RETURNING id"),
    ("done", "run", f"DELETE FROM results WHERE run_id = {A_DONE_RUN} RETURNING run_id"),
    ("done", "run",
     f"UPDATE attempts SET outcome = 'lost' WHERE run_id = {A_DONE_RUN} RETURNING run_id"),
    ("done", "run", f"UPDATE results SET attempt = 2 WHERE run_id = {A_DONE_RUN} RETURNING run_id"),
    ("done", "run", SECOND_WELL),
    ("done", "run", f"UPDATE runs SET state = 'failed' WHERE id = {A_DONE_RUN} RETURNING id"),
    ("measured", "run",
     (f"WITH gone AS (DELETE FROM measurements WHERE run_id = {A_DONE_RUN} RETURNING run_id)"
     " SELECT DISTINCT run_id FROM gone")),
    ("measured", "run", f"UPDATE runs SET state = 'failed' WHERE id = {A_DONE_RUN} RETURNING id"),
    ("state", "experiment",
     f"UPDATE experiments SET state = 'cancelled' WHERE id = {THE_QUEUED} RETURNING id"),
    ("completed", "experiment",
     ("UPDATE experiments SET completed_at = NULL WHERE state = 'done'"
     " AND id = (SELECT min(id) FROM experiments WHERE state = 'done') RETURNING id")),
    ("seeds", "request",
     f"UPDATE submissions SET seeds = '{{0,99}}' WHERE experiment_id = {THE_QUEUED} RETURNING id"),
    ("seeds", "request",
     f"UPDATE submissions SET wanted = '{{0,99}}' WHERE experiment_id = {THE_QUEUED} RETURNING id"),
    ("wanted", "experiment",
     (f"UPDATE submissions SET wanted = '{{}}' WHERE experiment_id = {THE_QUEUED}"
     " RETURNING experiment_id")),
    ("wanted_by", "run",
     "UPDATE runs SET wanted_by = '{nobody}' WHERE state = 'queued' RETURNING id"),
    ("findings", "study",
     (f"WITH late AS (UPDATE results SET measured_at = now() + interval '1 hour'"
     f" WHERE run_id = {A_DONE_RUN} RETURNING run_id) SELECT id FROM studies")),
    ("findings", "study", "UPDATE studies SET findings_at = NULL RETURNING id"),
    ("hashes", "experiment",
     f"UPDATE experiments SET spec = {DEEPER} WHERE id = {THE_QUEUED} RETURNING id"),
    ("hashes", "experiment",
     f"UPDATE experiments SET training_hash = 'x' WHERE id = {THE_QUEUED} RETURNING id"),
    ("hashes", "experiment",
     f"UPDATE experiments SET spec_hash = 'x' WHERE id = {THE_QUEUED} RETURNING id"),
    ("hashes", "experiment",
     f"UPDATE experiments SET chain_hash = 'x' WHERE id = {THE_QUEUED} RETURNING id"),
    *(
        ("columns", "experiment",
         f"UPDATE experiments SET {name} = {value} WHERE id = {THE_QUEUED} RETURNING id")
        for name, value in [
            ("family", "'x'"), ("corr_len", 9), ("mixing", "'x'"), ("depth", 9), ("width", 9),
        ]
    ),
    *(
        ("readable", "experiment",
         f"UPDATE experiments SET spec = {spec} WHERE id = {THE_QUEUED} RETURNING id")
        for spec in ("'[]'", "(CAST(spec AS jsonb) - 'chain')::json")
    ),
    ("readable", "experiment",
     ("UPDATE summaries SET mean = ARRAY[NULL]::float8[] WHERE ctid ="
     " (SELECT ctid FROM summaries LIMIT 1) RETURNING experiment_id")),
    ("readable", "experiment",
     ("UPDATE summaries SET reasons = '[1]' WHERE ctid = (SELECT ctid FROM summaries LIMIT 1)"
     " RETURNING experiment_id")),
    ("readable", "study", "UPDATE studies SET axes = '[]' RETURNING id"),
    ("readable", "study", "UPDATE studies SET findings = '{}' RETURNING id"),
    ("readable", "experiment",
     ("UPDATE study_experiments SET cell = '[]' WHERE place = 0 RETURNING experiment_id")),
    ("weights", "training", "UPDATE weights SET data = 'x' WHERE step = 2 RETURNING training_hash"),
    ("summaries", "experiment",  # by one digit, the last
     ("UPDATE summaries SET mean[1] = mean[1] * 1.0000000000000002 WHERE ctid ="
     " (SELECT ctid FROM summaries WHERE quantity = 'effective_rank' LIMIT 1)"
     " RETURNING experiment_id")),
    ("summaries", "experiment",
     ("UPDATE summaries SET n_runs = 9 WHERE ctid = (SELECT ctid FROM summaries LIMIT 1)"
     " RETURNING experiment_id")),
    ("summaries", "experiment",
     ("DELETE FROM summaries WHERE ctid = (SELECT ctid FROM summaries LIMIT 1)"
     " RETURNING experiment_id")),
    ("summaries", "experiment",
     ("WITH damaged AS (UPDATE measurements SET values = ARRAY[NULL]::float8[]"
     f" WHERE run_id = {A_DONE_RUN} RETURNING run_id)"
     " SELECT experiment_id FROM runs JOIN damaged ON run_id = runs.id LIMIT 1")),
    ("summaries", "experiment",
     ("INSERT INTO summaries SELECT experiment_id, \"when\", level, 'unmeasured', step, n_rows,"
     " estimator, shape, n_runs, mean, standard_error, low, high, half_shift, reasons"
     " FROM summaries LIMIT 1 RETURNING experiment_id")),
    ("summaries", "experiment",
     (f"WITH gone AS (UPDATE measurements SET reasons = '[1]' WHERE run_id = {A_DONE_RUN}"
     f" RETURNING run_id) SELECT experiment_id FROM runs WHERE id = {A_DONE_RUN}")),
]  # fmt: skip


@pytest.fixture
def populated(database: Database, put: Any, take: Any) -> Any:
    """A lab with something of everything: measured, judged, trained, running and queued."""
    study = ask(database, **SMALL)
    measure(database)
    with database.begin() as session:
        due = judging.next_due(session)
        assert due is not None
        judging.keep_findings(session, due, None, over=study_runs.count_measured(session, study))
    put(seeds=1)
    assert take() is not None
    put(seeds=1, chain={"corr_len": 3.0})
    training = Training([1, 2], [0.5, 0.25], [Weights(1, b"first"), Weights(2, b"last")])
    with database.begin() as session:
        trainings.keep(session, "net", 3, training, device="cpu", versions={"torch": "2"})
    return database


def _broken(database: Any, name: str, scope: Scope = ALL) -> list[dict[str, Any]]:
    (invariant,) = (one for one in INVARIANTS if one.name == name)
    return invariant.breaches(database, scope)


def test_all_hold_of_a_lab_in_which_everything_happens(populated: Any) -> None:
    with populated.begin() as session:
        assert session.scalars(select(StudyRow.findings_due)).all() == [False]
    assert {one.name: one.breaches(populated, ALL) for one in INVARIANTS} == {
        one.name: [] for one in INVARIANTS
    }


@pytest.mark.by_hand("that is the test")
@pytest.mark.parametrize(("name", "column", "statement"), BREAKS)
def test_what_breaks_an_invariant_is_named(
    populated: Any, name: Any, column: Any, statement: Any
) -> None:
    with populated.begin() as session:
        (row,) = session.scalars(text(statement)).all()
    assert {breach[column] for breach in _broken(populated, name)} == {row}


def test_each_is_broken_by_a_test() -> None:
    assert {name for name, _, _ in BREAKS} == {one.name for one in INVARIANTS}


def test_each_has_a_name_of_its_own_and_says_a_sentence() -> None:
    assert len({one.name for one in INVARIANTS}) == len(INVARIANTS)
    assert all(one.says.endswith(".") and "  " not in one.says for one in INVARIANTS)


@pytest.mark.by_hand("a lab with more wrong rows than are shown")
def test_so_many_rows_are_shown_at_most(database: Database, put: Any) -> None:
    for corr_len in (1.0, 2.0):
        put(seeds=MOST_BREACHES // 2 + 1, chain={"corr_len": corr_len})
    with database.begin() as session:
        session.execute(text("UPDATE runs SET attempt_limit = 0"))
    assert len(_broken(database, "attempts_left")) == MOST_BREACHES


@pytest.mark.by_hand("a damaged experiment, older than another")
def test_of_what_takes_long_the_newest_are_looked_at(database: Database, put: Any) -> None:
    put()
    with database.begin() as session:
        session.execute(text("UPDATE experiments SET training_hash = 'x'"))
    put(chain={"corr_len": 3.0})
    assert len(_broken(database, "hashes")) == 1
    assert _broken(database, "hashes", replace(ALL, newest=1)) == []


@pytest.mark.by_hand("a spec of a release that knows more")
@pytest.mark.parametrize("column", ["spec_schema", "training_protocol", "protocol"])
def test_what_a_newer_release_stored_breaks_nothing(
    database: Database, put: Any, column: Any
) -> None:
    put()
    with database.begin() as session:
        (row,) = session.query(ExperimentRow).all()
        row.spec = {**row.spec, "tempo": 3}
        setattr(row, column, getattr(row, column) + 1)
    assert not any(_broken(database, name) for name in ("readable", "hashes", "columns"))


@pytest.mark.by_hand("a spec that is damaged")
def test_what_cannot_be_read_is_named_once_and_says_why(database: Database, put: Any) -> None:
    put()
    with database.begin() as session:
        (row,) = session.query(ExperimentRow).all()
        row.spec = {**row.spec, "tempo": 3}
    assert _broken(database, "readable") == [{"experiment": row.id, "spec": "tempo: unknown field"}]
    assert not any(_broken(database, name) for name in ("hashes", "columns"))
