"""Whatever a record holds, no page that reads it is a 500: it is named, and all else is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from kept_database import Copies, KeptDatabase
from measured_study import ask, measure, numbers_of
from pydantic import BaseModel
from sqlalchemy import text

from rgcontract import (
    ChainFacts,
    Experiment,
    ExperimentPage,
    Findings,
    Losses,
    Result,
    Study,
    StudyPage,
)
from rgcontract.reading import read
from rgservice.app import create_app
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token
from rgworker.findings import refresh_findings

EXPERIMENT, RESULT = "/v1/experiments/{experiment}", "/v1/experiments/{experiment}/result"
FACTS = "/v1/experiments/{experiment}/chains/0"
STUDY, FINDINGS = "/v1/studies/{study}", "/v1/studies/{study}/findings"
EXPERIMENTS, STUDIES = "/v1/experiments", "/v1/studies"
READS: dict[str, type[BaseModel]] = {
    EXPERIMENTS: ExperimentPage,
    EXPERIMENT: Experiment,
    RESULT: Result,
    FACTS: ChainFacts,
    STUDIES: StudyPage,
    STUDY: Study,
    FINDINGS: Findings,
}
"""Every page of stored records, and what a client reads it as."""
NO_RECORDS = {"/v1/schema", "/v1/me", "/v1/users", "/v1/tokens", "/v1/audit"}
"""Pages of nothing that was measured."""
WAYS = {
    RESULT: (
        "", "?seeds=0", "?arrays=all", "?arrays=runs&partial=true", "?layers=1&arrays=small",
        "?observables=effective_rank&at=final",
    )
}  # fmt: skip
"""Queries under which a page is made by other code."""

SPEC = "UPDATE experiments SET spec = {} WHERE id = :experiment"
RUN = "(SELECT min(id) FROM runs WHERE experiment_id = :experiment)"
OURS = "run_id IN (SELECT id FROM runs WHERE experiment_id = :experiment)"
GROUPS = "jsonb_set(CAST(findings AS jsonb), '{groups}', '[3]')::json"
NO_EXPERIMENT = """regexp_replace(findings::text, '"experiments": \\[[^]]*\\]',
    '"experiments": []', 'g')::json"""

DAMAGES = {
    # what is damaged: the statement, the pages that say so
    "no chain in a spec": (SPEC.format("(spec::jsonb - 'chain')::json"), [EXPERIMENT, RESULT]),
    "a spec that is a text": (SPEC.format("'\"x\"'"), [EXPERIMENT, RESULT]),
    "a spec that is null": (SPEC.format("'null'"), [EXPERIMENT, RESULT]),
    "a spec that is a list": (SPEC.format("'[]'"), [EXPERIMENT, RESULT]),
    "a spec with a wrong type": (
        SPEC.format("jsonb_set(spec::jsonb, '{model,depth}', '\"deep\"')::json"),
        [EXPERIMENT, RESULT],
    ),
    "a section that is null": (
        SPEC.format("jsonb_set(spec::jsonb, '{data}', 'null')::json"), [EXPERIMENT, RESULT]
    ),
    "tags that are null": (
        "UPDATE experiments SET tags = ARRAY[NULL]::text[] WHERE id = :experiment",
        [EXPERIMENTS, EXPERIMENT],
    ),
    "tags of a request that are null": (
        "UPDATE submissions SET tags = ARRAY[NULL, 'a']::text[] WHERE experiment_id = :experiment",
        [],
    ),
    "no run": (
        "DELETE FROM runs WHERE experiment_id = :experiment", [EXPERIMENTS, EXPERIMENT, RESULT]
    ),
    "more than all of a run": (
        "UPDATE runs SET fraction = 99 WHERE experiment_id = :experiment", [EXPERIMENT]
    ),
    "versions that are a list": (f"UPDATE attempts SET versions = '[]' WHERE {OURS}", [EXPERIMENT]),
    "calibration in words": (
        f"UPDATE attempts SET calibration = '{{\"a\": \"perhaps\"}}' WHERE {OURS}", [EXPERIMENT]
    ),
    "no attempt": (f"DELETE FROM attempts WHERE {OURS}", []),
    "no result": (f"DELETE FROM results WHERE {OURS}", []),
    "a curve of nulls": (
        f"UPDATE results SET curve_steps = ARRAY[NULL]::int[] WHERE {OURS}", [RESULT]
    ),
    "losses that are no numbers": (
        f"UPDATE results SET curve_losses[1] = 'NaN' WHERE {OURS}", [RESULT]
    ),
    "nothing measured of the network": (
        f"DELETE FROM measurements WHERE level = 'network' AND {OURS}", [RESULT + "?seeds=0"]
    ),
    "nothing measured": (f"DELETE FROM measurements WHERE {OURS}", [RESULT + "?seeds=0"]),
    "measured numbers without a value": (
        f"UPDATE measurements SET values = '{{}}' WHERE {OURS}", [RESULT + "?seeds=0"]
    ),
    "measured numbers that are null": (
        f"UPDATE measurements SET values = ARRAY[NULL]::float8[] WHERE {OURS}",
        [RESULT + "?seeds=0"],
    ),
    "last ranks that are null": (
        f"UPDATE measurements SET values[3] = NULL WHERE quantity = 'effective_rank' AND {OURS}",
        [RESULT + "?seeds=0"],
    ),
    "reasons that are a list": (
        f"UPDATE measurements SET reasons = '[1]' WHERE {OURS}", [RESULT + "?seeds=0"]
    ),
    "one run of another shape": (
        ("UPDATE measurements SET shape = ARRAY[2], values = ARRAY[1, 2]::float8[] "
        f"WHERE run_id = {RUN}"),
        [RESULT],
    ),
    "halves that are null": (
        ("UPDATE measurements SET "
        f"half = array_fill(CAST(NULL AS float8), ARRAY[cardinality(values)]) WHERE {OURS}"),
        [RESULT + "?seeds=0"],
    ),
    "summaries without the network": (
        "DELETE FROM summaries WHERE level = 'network' AND experiment_id = :experiment", [RESULT]
    ),
    "no summary": ("DELETE FROM summaries WHERE experiment_id = :experiment", [RESULT]),
    "no summary after training": (
        "DELETE FROM summaries WHERE \"when\" = 'final' AND experiment_id = :experiment", [RESULT]
    ),
    "no loss": (
        "DELETE FROM summaries WHERE quantity = 'loss' AND experiment_id = :experiment", [RESULT]
    ),
    "means that are short": (
        "UPDATE summaries SET mean = mean[2:] WHERE experiment_id = :experiment", [RESULT]
    ),
    "means that are null": (
        "UPDATE summaries SET mean = ARRAY[NULL]::float8[] WHERE experiment_id = :experiment",
        [RESULT],
    ),
    "another shape": (
        "UPDATE summaries SET shape = ARRAY[7] WHERE experiment_id = :experiment", [RESULT]
    ),
    "reasons without indexes": (
        "UPDATE summaries SET reasons = '{\"a\": 1}' WHERE experiment_id = :experiment", [RESULT]
    ),
    "no chain": ("DELETE FROM chains WHERE chain_hash = :chain", [RESULT]),
    "half a chain": (
        "UPDATE chains SET transition = transition[2:] WHERE chain_hash = :chain", [RESULT]
    ),
    "a chain of nulls": (
        "UPDATE chains SET eigenvalues_real = ARRAY[NULL]::float8[] WHERE chain_hash = :chain",
        [RESULT],
    ),
    **{
        f"{name} of a chain that are no numbers": (
            f"UPDATE chains SET {name}[1] = 'Infinity' WHERE chain_hash = :chain", [RESULT]
        )
        for name in (
            "eigenvalues_real", "eigenvalues_imag", "stationary", "transition",
            "mutual_information",
        )
    },
    "axes that are a list": ("UPDATE studies SET axes = '[]' WHERE id = :study", [STUDY]),
    "an axis without values": (
        "UPDATE studies SET axes = '{\"chain.corr_len\": 3}' WHERE id = :study", [STUDY]
    ),
    "a cell that is a list": (
        "UPDATE study_experiments SET cell = '[]' WHERE study_id = :study", [STUDY]
    ),
    "no experiment in a study": (
        "DELETE FROM study_experiments WHERE study_id = :study", [STUDIES, STUDY]
    ),
    "findings that are a list": (
        "UPDATE studies SET findings = '[]' WHERE id = :study", [FINDINGS]
    ),
    "findings that are empty": (
        "UPDATE studies SET findings = '{}' WHERE id = :study", [FINDINGS]
    ),
    "groups that are numbers": (
        f"UPDATE studies SET findings = {GROUPS} WHERE id = :study", [FINDINGS]
    ),
    "findings of seeds that are no numbers": (
        ("UPDATE studies SET findings_due = true, findings = "
        "replace(findings::text, '\"0\":', '\"zero\":')::json WHERE id = :study"),
        [FINDINGS],
    ),
    "findings of no experiment": (
        f"UPDATE studies SET findings_due = true, findings = {NO_EXPERIMENT} WHERE id = :study",
        [FINDINGS],
    ),
}  # fmt: skip


class Lab(NamedTuple):
    """A lab with a damaged record in it."""

    api: TestClient
    database: Database
    names: dict[str, str]
    """What stands in statements and paths -> its value."""
    others: list[str]
    """Experiments and studies that are as they were."""


def _numbers(claim: Any) -> dict[Any, list[float]]:
    network = {(when, "network", name): [0.5] for when in ("initial", "final")
               for name in Losses.model_fields}  # fmt: skip
    return numbers_of(claim) | network


class Measured(NamedTuple):
    """A database with two measured studies, and a token of it."""

    kept: KeptDatabase
    token: str


@pytest.fixture(scope="module")
def measured(copies: Copies) -> Iterator[Measured]:
    """It is whole before each test."""
    with copies.new() as url:
        database = Database(url)
        for lengths in ([1, 7], [2, 3]):
            ask(database, chain={"corr_len": lengths}, model={"depth": 2}, seeds=2)
        measure(database, _numbers)
        refresh_findings(database, attempt_limit=3)
        with database.begin() as session:
            token = make_token(session, "alice")
        database.dispose()
        yield Measured(KeptDatabase(url), token)


@pytest.fixture
def lab(measured: Measured, tmp_path: Path) -> Iterator[Lab]:
    """The first experiment of a study, and the study, are there to be damaged."""
    database = Database(measured.kept.url)
    settings = Settings(
        database_url=measured.kept.url, broker_url="redis://127.0.0.1:1", data_dir=tmp_path,
        allowed_hosts="testserver",
    )  # fmt: skip
    with TestClient(create_app(settings, lambda _: None), raise_server_exceptions=False) as api:
        api.headers["Authorization"] = f"Bearer {measured.token}"
        studies = [item["id"] for item in api.get(STUDIES).json()["items"]]
        experiments = api.get(f"/v1/studies/{studies[0]}").json()["experiments"]
        first = api.get(f"/v1/experiments/{experiments[0]['id']}").json()
        names = {"study": studies[0], "experiment": first["id"], "chain": first["chain_hash"]}
        listed = [item["id"] for item in api.get(EXPERIMENTS).json()["items"]]
        others = [*studies[1:], *(name for name in listed if name != first["id"])]
        yield Lab(api, database, names, others)
    database.dispose()
    assert measured.kept.restore()


def _damage(lab: Lab, statement: str) -> None:
    used = {name: value for name, value in lab.names.items() if f":{name}" in statement}
    with lab.database.begin() as session:
        changed: Any = session.execute(text(statement), used)
        assert changed.rowcount > 0


def _pages() -> Iterator[tuple[str, str]]:
    """(page, query) of all."""
    for page in READS:
        for query in WAYS.get(page, ("",)):
            yield page, query


def test_a_lab_that_is_whole_says_of_nothing_that_it_cannot_be_read(lab: Lab) -> None:
    for page, query in _pages():
        answer = lab.api.get(page.format(**lab.names) + query)
        assert answer.status_code == 200, answer.text
        assert '"unreadable":"' not in answer.text


def test_every_page_of_stored_records_is_looked_at(lab: Lab) -> None:
    paths = lab.api.get("/openapi.json").json()["paths"]
    shown = {path for path, ways in paths.items() if path.startswith("/v1/") and "get" in ways}
    looked_at = {page.replace("{experiment}", "{name}").replace("{study}", "{name}")
                 .replace("/chains/0", "/chains/{chain_seed}") for page in READS}  # fmt: skip
    assert shown - looked_at == NO_RECORDS, "add the new page to READS"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_named_and_all_else_is_shown(lab: Lab, damage: str) -> None:
    statement, say = DAMAGES[damage]
    _damage(lab, statement)
    said = set()
    for page, query in _pages():
        answer = lab.api.get(page.format(**lab.names) + query)
        assert answer.status_code < 500, f"{page}{query}: {answer.text}"
        body = json.loads(answer.content)
        if answer.status_code == 200:
            read(READS[page], answer.content)
            named = '"unreadable":"' in answer.text
        else:
            named = body["code"] in {"unreadable_spec", "unreadable_record"}
            ours = lab.names["study" if page in {STUDY, FINDINGS} else "experiment"]
            assert ours in body["detail"] or not named, body
        if named:
            said |= {page, page + query}
        if page in {EXPERIMENTS, STUDIES}:
            listed = {item["id"] for item in body["items"]}
            there = (
                name for name in lab.others if name[0] == ("e" if page == EXPERIMENTS else "s")
            )
            assert listed >= {*there}
    assert said >= {*say}, f"{damage}: only {said}"


def test_a_field_of_findings_that_nobody_here_knows_is_kept(lab: Lab) -> None:
    _damage(
        lab,
        "UPDATE studies SET findings = replace(CAST((CAST(findings AS jsonb)"
        ' || \'{"tempo": 2}\') AS text), \'"verdict"\', \'"mood": "calm", "verdict"\')::json'
        " WHERE id = :study",
    )
    answer = lab.api.get(FINDINGS.format(**lab.names))
    told = answer.json()
    assert told["tempo"] == 2
    assert {finding["mood"] for group in told["groups"] for finding in group["findings"]} == {
        "calm"
    }
    assert read(Findings, answer.content).extra == {"tempo": 2}


def test_numbers_that_no_claim_can_be_read_from_leave_other_studies_their_findings(
    lab: Lab,
) -> None:
    _damage(lab, "UPDATE measurements SET values = '{}' WHERE " + OURS)
    with lab.database.begin() as session:
        session.execute(text("UPDATE studies SET findings_due = true, findings = NULL"))
    refresh_findings(lab.database, attempt_limit=3)
    (other,) = (name for name in lab.others if name.startswith("s-"))
    assert lab.api.get(f"/v1/studies/{other}/findings").status_code == 200
    assert lab.api.get(FINDINGS.format(**lab.names)).status_code in {200, 409}
