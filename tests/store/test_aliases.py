"""What was stored before names were made of what was sent alone is found by today's names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, text

from migrations import alembic_config, upgrade
from rgcontract import StudyRequest, Submission, chain_hash, measurement_hash, training_hash
from rgservice.experiments.completing import completed
from rgservice.experiments.pricing import priced
from rgservice.studies.asking import grid_of
from rgstore import experiments, studies, trainings
from rgstore.asked import Asked, under_kept_names
from rgstore.chains import chains_of
from rgstore.database import Database
from rgstore.records import Training, Weights
from rgstore.runs import missing_runs
from rgstore.settings import Settings
from rgstore.submissions import submit_all
from rgstore.tables import AliasRow, ChainRow, ExperimentRow

pytestmark = pytest.mark.by_hand("rows of a release before, without attempts")

RENAMED = json.loads((Path(__file__).parents[1] / "contract/golden/renamed.json").read_text())
TRAINING = Training([1, 2], [0.5, 0.25], [Weights(2, b"last")])
SEEDS = (0, 1, 2)
by_spec = pytest.mark.parametrize("kept", RENAMED, ids=lambda kept: json.dumps(kept["spec"])[:60])


def _name(kept: Any) -> str:
    return f"e-{kept['measurement'][:16]}"


def _experiment(kept: Any, **changed: Any) -> dict[str, Any]:
    """A row of the release before, as it wrote it."""
    stored = kept["stored"]
    chain, model = stored["chain"], stored["model"]
    columns = {
        "id": _name(kept), "spec_hash": kept["measurement"], "training_hash": kept["training"],
        "chain_hash": kept["chain"], "protocol": 3, "spec": json.dumps(stored),
        "family": chain["family"], "corr_len": chain["corr_len"], "mixing": model["mixing"],
        "depth": model["depth"], "width": model["width"], "flops_per_run": 1.0, "tags": [],
        "priority": 0, "owner": "alice", "state": "done",
    }  # fmt: skip
    return columns | changed


@pytest.fixture
def migrated(database_url: str, database: Database) -> Any:
    """Store rows of the release before, as done, and bring the database to today's schema."""

    def _insert(session: Any, table: str, columns: dict[str, Any]) -> None:
        names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
        session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), columns)

    def _migrated(*experiments: dict[str, Any], chains: Iterable[dict[str, Any]] = ()) -> None:
        config = alembic_config(database_url)
        before = ScriptDirectory.from_config(config).get_revision("0007").down_revision
        assert isinstance(before, str)
        command.downgrade(config, before)
        with database.begin() as session:
            for columns in experiments:
                _insert(session, "experiments", columns)
                for seed in SEEDS:
                    run = {
                        "experiment_id": columns["id"], "seed": seed, "state": "done",
                        "chain_seed": json.loads(columns["spec"])["chain"]["seed"],
                        "priority": 0, "attempt_limit": 3,
                    }  # fmt: skip
                    _insert(session, "runs", run)
            for facts in chains:
                _insert(session, "chains", facts)
        upgrade(database_url)

    return _migrated


def _today(kept: Any) -> Submission:
    body = {**kept["today"], "seeds": len(SEEDS)}
    return completed(Submission.model_validate_json(json.dumps(body)))


def _asked(database: Any, kept: Any) -> Asked:
    with database.begin() as session:
        (asked,) = under_kept_names(session, [Asked.of(_today(kept), flops_per_run=1.0)])
    return asked


@by_spec
def test_an_experiment_is_found_with_all_its_runs(
    database: Database, migrated: Any, kept: Any
) -> None:
    migrated(_experiment(kept))
    asked = _asked(database, kept)
    assert (asked.name, asked.spec_hash) == (_name(kept), kept["measurement"])
    with database.begin() as session:
        assert missing_runs(session, {asked.name: asked.submission.runs}) == {asked.name: []}
        (told,) = submit_all(session, [asked], owner="bob", attempt_limit=3)
        assert (told.created, told.added_seeds, told.run_ids) == (False, [], [])


@by_spec
def test_weights_are_found(database: Database, migrated: Any, kept: Any) -> None:
    migrated(_experiment(kept))
    spec = _today(kept)
    with database.begin() as session:
        trainings.keep(session, kept["training"], 1, TRAINING, device="cpu", versions={})
    with database.begin() as session:
        assert training_hash(spec) != kept["training"]
        found = trainings.find(session, training_hash(spec), 1, (2,))
        assert found == TRAINING
        assert trainings.find(session, training_hash(spec), 2, (2,)) is None


@by_spec
def test_what_is_known_of_the_chain_is_found(database: Database, migrated: Any, kept: Any) -> None:
    migrated(_experiment(kept))
    with database.begin() as session:
        session.execute(insert(ChainRow).values(_chain_row(kept, [[0.5, 0.5]] * 2)))
        experiment = session.get_one(ExperimentRow, _name(kept))
        (found,) = chains_of(session, experiment, [0])
        assert found.chain_hash == kept["chain"]


@by_spec
def test_a_list_is_narrowed_to_its_chain_by_the_hash_of_today_and_by_that_of_before(
    database: Database, migrated: Any, kept: Any
) -> None:
    migrated(_experiment(kept))
    today = chain_hash(_today(kept).chain)
    with database.begin() as session:
        for digest, found in ((today, [_name(kept)]), (kept["chain"], [_name(kept)]), ("0", [])):
            page = experiments.page(session, {"chain_hash": digest}, after=None, limit=9)
            assert [row.id for row in page] == found


@by_spec
def test_what_is_stored_under_the_hash_of_today_is_found_by_that_of_before(
    database: Database, migrated: Any, kept: Any
) -> None:
    migrated(_experiment(kept))
    spec = _today(kept)
    with database.begin() as session:
        row = session.get_one(ExperimentRow, _name(kept))
        row.chain_hash = chain_hash(spec.chain)
        session.flush()
        page = experiments.page(session, {"chain_hash": kept["chain"]}, after=None, limit=9)
        assert [one.id for one in page] == [_name(kept)]


def test_of_two_that_were_one_the_first_to_be_completed_is_it(
    database: Database, migrated: Any
) -> None:
    one, other = [
        kept for kept in RENAMED if kept["today"]["chain"].get("matrix", [[0]])[0][0] == 0.75
    ]
    migrated(_experiment(one), _experiment(other, completed_at="2026-01-01T00:00:00Z"))
    assert _asked(database, one).name == _name(other)


def test_a_spec_that_has_an_experiment_of_its_own_name_keeps_it(
    database: Database, migrated: Any
) -> None:
    (kept,) = [kept for kept in RENAMED if kept["spec"]["chain"]["family"] == "potts"]
    own = measurement_hash(_today(kept))
    migrated(_experiment(kept), _experiment(kept, id=f"e-{own[:16]}", spec_hash=own))
    assert _asked(database, kept).spec_hash == own


def test_numbers_of_another_protocol_go_by_no_name_of_today(
    database: Database, migrated: Any
) -> None:
    kept = RENAMED[0]
    migrated(_experiment(kept, protocol=2), _experiment(RENAMED[1], training_hash="of protocol 1"))
    with database.begin() as session:
        stored = set(session.scalars(select(AliasRow.stored)))
    assert kept["measurement"] not in stored
    assert kept["training"] in stored
    assert RENAMED[1]["chain"] in stored
    assert "of protocol 1" not in stored


def test_a_study_of_it_keeps_its_name(database: Database, migrated: Any) -> None:
    kept = RENAMED[0]
    migrated(_experiment(kept))
    family, length = kept["today"]["chain"]["family"], kept["stored"]["chain"]["corr_len"]
    body = {"chain": {"family": family, "corr_len": [length]}, "seeds": len(SEEDS)}
    request = StudyRequest.model_validate_json(json.dumps(body))
    with database.begin() as session:
        grid = grid_of(request, Settings())
        found = priced(session, grid.items)
        assert list(found.prices) == list(grid.cells_of(found)) == [_name(kept)]
        assert grid.study(found) == studies.study_id([kept["measurement"]], request.axes())


def _chain_row(kept: Any, matrix: Any, **changed: Any) -> dict[str, Any]:
    size = len(matrix)
    facts = {
        "chain_hash": kept["chain"], "seq_len": 32, "seed": 0, "family": "explicit",
        "n_states": size, "corr_len": 1.0, "entropy_rate": 1.0, "unigram_entropy": 1.0,
        "eigenvalues_real": [1.0] * size, "eigenvalues_imag": [0.0] * size,
        "stationary": [1 / size] * size, "transition": [float(p) for row in matrix for p in row],
        "reversible": True, "mutual_information": [0.0] * 31,
    }  # fmt: skip
    return facts | changed


def _of_matrix(matrix: Any, length: float) -> dict[str, Any]:
    """A kept spec of this matrix, of the length that the service had for it."""
    (*_, kept) = RENAMED
    chain = {"matrix": matrix, "n_states": len(matrix), "corr_len": length}
    of_matrix: dict[str, Any] = kept | {
        "stored": kept["stored"] | {"chain": kept["stored"]["chain"] | chain}
    }
    return of_matrix


def test_a_length_that_the_service_had_wrong_is_set_right(
    database: Database, migrated: Any
) -> None:
    tosses = [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5], [0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]
    kept = _of_matrix(tosses, 0.0536)
    migrated(_experiment(kept), chains=[_chain_row(kept, tosses, corr_len=0.0536)])
    with database.begin() as session:
        row = session.get_one(ExperimentRow, _name(kept))
        assert (row.corr_len, row.spec["chain"]["corr_len"]) == (0.0, 0.0)
        assert row.spec["chain"]["matrix"] == tosses
        chain = session.scalars(select(ChainRow)).one()
        assert (chain.corr_len, chain.reversible) == (0.0, False)
        assert chain.eigenvalues_real == [1.0, 0.0, 0.0, 0.0]
        assert chain.corr_len_error is not None
        assert chain.corr_len_error > 0


def test_a_length_that_was_right_keeps_its_last_digits(database: Database, migrated: Any) -> None:
    lazy, length = [[0.75, 0.25], [0.25, 0.75]], 1.4426950408889636
    kept = _of_matrix(lazy, length)
    facts = _chain_row(kept, lazy, corr_len=length, eigenvalues_real=[1.0, 0.49999999999999994])
    migrated(_experiment(kept), chains=[facts])
    with database.begin() as session:
        assert session.get_one(ExperimentRow, _name(kept)).corr_len == length
        chain = session.scalars(select(ChainRow)).one()
        assert (chain.corr_len, chain.eigenvalues_real[1]) == (length, 0.49999999999999994)
        assert chain.corr_len_error is not None
        assert chain.corr_len_error < 1e-14
