"""/v1/studies: grids shared with what is there, refused as a whole or stored as a whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from claims import claim_one
from fastapi import FastAPI
from fastapi.testclient import TestClient
from measured_study import GRID, measure, numbers_of
from sqlalchemy import event, func, select

from rgcontract import PRESETS, Findings, Outcome, StudyRequest
from rgservice.http.errors import OverLimit
from rgservice.studies.asking import grid_of
from rgstore import claiming, endings
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tables import ExperimentRow, RunRow, StudyRow
from rgworker.findings import refresh_findings


def _count(database: Any, table: Any) -> int:
    with database.begin() as session:
        found: int = session.scalar(select(func.count()).select_from(table))
        return found


def _refused(answer: Any, code: str, field: str) -> dict[str, Any]:
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    assert [error["field"] for error in body["errors"]] == [field]
    assert body["errors"][0]["allowed"]
    error: dict[str, Any] = body["errors"][0]
    return error


def test_a_new_grid_is_a_study_with_a_location(api: TestClient) -> None:
    answer = api.post("/v1/studies", json=GRID | {"name": "two lengths"})
    assert answer.status_code == 201
    study = answer.json()
    assert answer.headers["Location"] == f"/v1/studies/{study['id']}"
    assert (study["created"], study["added_runs"], study["state"]) == (True, 6, "queued")
    assert study["axes"] == {"chain.corr_len": [1, 7]}
    assert [member["cell"] for member in study["experiments"]] == [
        {"chain.corr_len": 1.0}, {"chain.corr_len": 7.0},
    ]  # fmt: skip
    assert (study["name"], study["owner"], study["seeds"]) == ("two lengths", "alice", [0, 1, 2])


def test_the_workers_are_told_of_every_run(
    api: TestClient, announcer: Any, database: Database
) -> None:
    api.post("/v1/studies", json=GRID)
    with database.begin() as session:
        assert sorted(announcer.told) == sorted(session.scalars(select(RunRow.id)))


def test_the_same_grid_in_another_order_is_the_same_study(
    api: TestClient, database: Database
) -> None:
    grid = {"chain": {"corr_len": [1, 7]}, "model": {"depth": [4, 6]}, "seeds": 1}
    first = api.post("/v1/studies", json=grid).json()
    other = {"model": {"depth": [6, 4]}, "seeds": [0], "chain": {"corr_len": [7.0, 1.0]}}
    again = api.post("/v1/studies", json=other)
    assert again.status_code == 200
    found = again.json()
    assert (found["id"], found["created"], found["added_runs"]) == (first["id"], False, 0)
    assert _count(database, RunRow) == 4


def test_more_seeds_add_only_the_missing_runs(api: TestClient) -> None:
    api.post("/v1/studies", json=GRID)
    study = api.post("/v1/studies", json=GRID | {"seeds": 5}).json()
    assert (study["created"], study["added_runs"], study["seeds"]) == (False, 4, [0, 1, 2, 3, 4])


def test_what_is_measured_already_is_not_measured_again(
    api: TestClient, database: Database
) -> None:
    body = {"chain": {"corr_len": 1}, "model": GRID["model"], "seeds": 3}
    name = api.post("/v1/experiments", json=body).json()["id"]
    measure(database)
    study = api.post("/v1/studies", json=GRID).json()
    assert study["added_runs"] == 3
    assert (study["experiments"][0]["id"], study["experiments"][0]["state"]) == (name, "done")
    assert study["progress"] == 0.5


def test_cells_that_are_one_experiment_are_one_member(api: TestClient) -> None:
    model = {"mixing": ["context", "flat"], "context": [1, 2]}
    study = api.post("/v1/studies", json={"model": model, "seeds": 1}).json()
    assert [member["cell"] for member in study["experiments"]] == [
        {"model.mixing": "context", "model.context": 1},
        {"model.mixing": "context", "model.context": 2},
        {"model.mixing": "flat", "model.context": None},
    ]


def test_a_preset_is_filled_in_under_the_fields(api: TestClient) -> None:
    body = {"preset": "smoke", "chain": {"corr_len": [2, 4, 6]}}
    study = api.post("/v1/studies", json=body).json()
    assert study["axes"] == {"chain.corr_len": [2, 4, 6]}
    assert study["name"] == PRESETS["smoke"]["name"]
    spec = api.get(f"/v1/experiments/{study['experiments'][0]['id']}").json()["spec"]
    assert spec["model"]["depth"] == PRESETS["smoke"]["model"]["depth"]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_within_the_default_limits(
    anonymous: TestClient, token: str, preset: Any
) -> None:
    settings = {name: field.default for name, field in Settings.model_fields.items()}
    assert isinstance(anonymous.app, FastAPI)
    own = anonymous.app.state.parts.settings
    limits = [name for name in settings if name.startswith("max_") and "body" not in name]
    assert {name: getattr(own, name) for name in limits} == {
        name: settings[name] for name in limits
    }
    answer = anonymous.post(
        "/v1/studies", json={"preset": preset}, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 201


def test_asking_at_the_same_moment_makes_one_study(api: TestClient, database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: api.post("/v1/studies", json=GRID), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert (_count(database, StudyRow), _count(database, RunRow)) == (1, 6)


def test_overlapping_studies_at_the_same_moment_never_wait_for_each_other(
    api: TestClient, database: Database
) -> None:
    lengths = [[1, 3, 5, 7], [7, 5, 3, 1], [5, 1, 9], [9, 7, 1]]
    bodies = [{"chain": {"corr_len": values}, "seeds": 1} for values in lengths]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: api.post("/v1/studies", json=body), bodies))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert (_count(database, StudyRow), _count(database, ExperimentRow)) == (3, 5)


def test_a_bad_cell_is_named_with_its_place_and_nothing_is_stored(
    api: TestClient, database: Database
) -> None:
    body = {"chain": {"corr_len": [1, 7]}, "model": {"depth": [4, 0]}}
    refused = _refused(api.post("/v1/studies", json=body), "invalid_spec", "model.depth")
    assert refused["message"].endswith("(where chain.corr_len = 1, model.depth = 0)")
    assert (_count(database, StudyRow), _count(database, RunRow)) == (0, 0)


def test_fields_that_do_not_go_together_are_named_with_the_cell(api: TestClient) -> None:
    body = {"data": {"seq_len": [4, 32]}, "model": {"context": 3}}
    refused = _refused(api.post("/v1/studies", json=body), "invalid_spec", "model.context")
    assert "(where data.seq_len = 4)" in refused["message"]


def test_an_unknown_field_gets_a_suggestion(api: TestClient) -> None:
    refused = _refused(api.post("/v1/studies", json={"corr_len": [1]}), "invalid_spec", "corr_len")
    assert "did you mean chain.corr_len?" in refused["message"]


def test_an_unknown_field_of_a_section_gets_a_suggestion(api: TestClient) -> None:
    answer = api.post("/v1/studies", json={"chain": {"corr_length": [1, 7]}})
    refused = _refused(answer, "invalid_spec", "chain.corr_length")
    assert "did you mean chain.corr_len?" in refused["message"]


@pytest.mark.parametrize(
    "text", ["{", '{"chain": {"corr_len": [1, NaN]}}', '{"seeds":1,"seeds":2}']
)
def test_what_is_not_strict_json_is_refused(api: TestClient, text: str) -> None:
    answer = api.post("/v1/studies", content=text, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


def test_a_body_over_the_cap_is_refused(api: TestClient) -> None:
    answer = api.post(
        "/v1/studies", content=b" " * 100_001, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


def test_a_grid_that_is_too_large_is_refused_with_its_size_and_the_cap(
    api: TestClient, database: Database
) -> None:
    body = {"chain": {"seed": list(range(100))}, "model": {"depth": [1, 2, 3, 4, 5, 6]}}
    refused = _refused(api.post("/v1/studies", json=body), "over_limit", "experiments")
    assert "the grid has 600: 100 of chain.seed x 6 of model.depth" in refused["message"]
    assert refused["allowed"] == "at most 500 (RGLAB_MAX_STUDY_EXPERIMENTS)"
    assert _count(database, ExperimentRow) == 0


def test_a_grid_of_astronomic_size_is_refused_before_it_is_walked(api: TestClient) -> None:
    many = list(range(1000))
    body = {"chain": {"seed": many}, "training": {"steps": many[1:], "batch_size": many[1:]}}
    _refused(api.post("/v1/studies", json=body), "over_limit", "experiments")


def test_a_grid_that_costs_too_much_is_refused_with_the_estimate(
    api: TestClient, database: Database
) -> None:
    body = {
        "chain": {"corr_len": list(range(1, 41))},
        "model": {"depth": 16, "width": 256},
        "training": {"steps": 4000},
        "measurement": {"n_sequences": 64},
        "seeds": 8,
    }
    one = body | {"chain": {"corr_len": 1}}
    assert api.post("/v1/experiments?dry_run=true", json=one).json()["flops"] < 1e16
    answer = api.post("/v1/studies", json=body)
    refused = _refused(answer, "over_limit", "flops")
    assert "for 40 experiments" in refused["message"]
    assert answer.json()["estimate"]["flops"] > 1e16
    assert _count(database, ExperimentRow) == 0


def test_the_seeds_that_a_target_may_add_count_as_cost(api: TestClient) -> None:
    body = {
        "chain": {"corr_len": list(range(1, 16))}, "model": {"depth": 16, "width": 256},
        "training": {"steps": 4000}, "measurement": {"n_sequences": 64}, "seeds": 2,
    }  # fmt: skip
    assert api.post("/v1/studies?dry_run=true", json=body).json()["flops"] < 1e16
    answer = api.post("/v1/studies", json=body | {"target_error": 0.01})
    _refused(answer, "over_limit", "flops")


def test_a_target_over_several_chains_is_refused(api: TestClient) -> None:
    body = {"chain": {"seeds": 3}, "target_error": 0.01}
    _refused(api.post("/v1/studies", json=body), "invalid_spec", "target_error")


def test_a_dry_run_adds_up_the_cost_and_stores_nothing(api: TestClient, database: Database) -> None:
    total = api.post("/v1/studies?dry_run=true", json=GRID).json()
    single = [
        api.post("/v1/experiments?dry_run=true", json=GRID | {"chain": {"corr_len": length}}).json()
        for length in (1, 7)
    ]
    for name in ("flops", "seconds", "stored_bytes", "missing_runs"):
        assert total[name] == pytest.approx(sum(one[name] for one in single), rel=1e-12)
    assert total["memory_bytes"] == single[0]["memory_bytes"]
    assert (total["cached"], total["missing_seeds"]) == (False, [0, 1, 2])
    assert _count(database, ExperimentRow) == 0


def test_a_dry_run_of_what_is_there_costs_nothing(api: TestClient) -> None:
    api.post("/v1/studies", json=GRID)
    answer = api.post("/v1/studies?dry_run=true", json=GRID)
    assert (answer.status_code, answer.json()["cached"]) == (200, True)
    assert answer.json()["flops"] == 0


def test_a_study_says_how_far_and_how_well_known_its_experiments_are(
    api: TestClient, database: Database
) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]

    def numbers(claim: Any) -> Any:
        found = numbers_of(claim)
        if claim.spec["chain"]["corr_len"] == 7.0:
            found["final", "network", "under_trained"] = [1.0]
        return found

    measure(database, numbers, most=5)
    study = api.get(f"/v1/studies/{name}").json()
    short, long = study["experiments"]
    assert study["state"] == "queued"
    assert study["run_counts"]["done"] == 5
    assert study["progress"] == pytest.approx(5 / 6)
    assert (short["under_trained"], long["under_trained"]) == (False, True)
    assert 0 < short["collapse_ratio_error"] < 0.01


def test_nothing_is_known_of_an_experiment_before_it_is_measured(api: TestClient) -> None:
    study = api.post("/v1/studies", json=GRID).json()
    assert study["experiments"][0]["under_trained"] is None
    assert study["experiments"][0]["collapse_ratio_error"] is None


def test_the_number_of_queries_does_not_grow_with_the_grid(
    api: TestClient, database: Database
) -> None:
    assert isinstance(api.app, FastAPI)
    engine = api.app.state.parts.database.engine

    def queries(lengths: Any) -> Any:
        body = {"chain": {"corr_len": lengths}, "seeds": 2}
        name = api.post("/v1/studies", json=body).json()["id"]
        seen = []

        def remember(*args: Any) -> None:
            seen.append(args[2])

        event.listen(engine, "before_cursor_execute", remember)
        api.get(f"/v1/studies/{name}")
        event.remove(engine, "before_cursor_execute", remember)
        return len(seen)

    assert queries([1, 2]) == queries([1, 2, 3, 4, 5, 6, 7])


def test_findings_are_not_ready_before_anything_is_measured(api: TestClient) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    answer = api.get(f"/v1/studies/{name}/findings")
    assert answer.status_code == 409
    body = answer.json()
    assert (body["code"], body["state"], body["progress"]) == ("not_ready", "queued", 0)
    assert "0 of 6 runs are measured" in body["detail"]


def test_findings_come_as_a_worker_wrote_them(api: TestClient, database: Database) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    measure(database)
    refresh_findings(database, attempt_limit=3)
    answer = api.get(f"/v1/studies/{name}/findings")
    found = Findings.model_validate_json(answer.content)
    assert (found.study_id, found.complete, found.n_seeds) == (name, True, 3)
    assert {finding.verdict for finding in found.groups[0].findings} >= {"supported"}


def test_findings_are_incomplete_while_runs_are_missing(
    api: TestClient, database: Database
) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    measure(database)
    refresh_findings(database, attempt_limit=3)
    api.post("/v1/studies", json=GRID | {"seeds": 4})
    assert api.get(f"/v1/studies/{name}/findings").json()["complete"] is False


def test_findings_are_incomplete_until_the_last_run_is_in_them(
    api: TestClient, database: Database
) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    measure(database, most=5)
    refresh_findings(database, attempt_limit=3)
    measure(database)
    assert api.get(f"/v1/studies/{name}/findings").json()["complete"] is False


def test_cancelling_stops_every_experiment(api: TestClient) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    study = api.post(f"/v1/studies/{name}/cancel").json()
    assert (study["state"], study["run_counts"]["cancelled"]) == ("cancelled", 6)
    again = api.post(f"/v1/studies/{name}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "not_cancellable")


def test_a_cancelled_study_is_taken_up_by_asking_again(api: TestClient) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    api.post(f"/v1/studies/{name}/cancel")
    study = api.post("/v1/studies", json=GRID).json()
    assert (study["id"], study["state"], study["added_runs"]) == (name, "queued", 6)


def test_only_failed_and_cancelled_runs_are_retried(
    api: TestClient, database: Database, announcer: Any
) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    measure(database, most=4)
    with database.begin() as session:
        holder = claiming.Holder("w/1", "w", "h", "cpu", {}, {})
        claim = claim_one(session, holder, lease_seconds=9)
        assert claim is not None
        endings.fail(session, claim, outcome=Outcome.FAILED, error="x")
    api.post(f"/v1/studies/{name}/cancel")
    announcer.told.clear()
    study = api.post(f"/v1/studies/{name}/retry").json()
    assert (study["run_counts"]["queued"], study["run_counts"]["done"]) == (2, 4)
    assert claim.run_id in announcer.told
    assert len(announcer.told) == 2


def test_nothing_failed_is_nothing_to_retry(api: TestClient) -> None:
    name = api.post("/v1/studies", json=GRID).json()["id"]
    answer = api.post(f"/v1/studies/{name}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_retryable")


def test_studies_are_listed_newest_first_a_page_at_a_time(api: TestClient) -> None:
    names = [
        api.post("/v1/studies", json={"chain": {"corr_len": [1, n]}, "seeds": 1}).json()["id"]
        for n in (2, 3, 4)
    ]
    first = api.get("/v1/studies?limit=2").json()
    assert [item["id"] for item in first["items"]] == names[:0:-1]
    rest = api.get(f"/v1/studies?limit=2&cursor={first['next_cursor']}").json()
    assert [item["id"] for item in rest["items"]] == names[:1]
    assert rest["next_cursor"] is None
    assert rest["items"][0]["run_counts"]["queued"] == 2


def test_a_list_is_narrowed_to_an_owner(api: TestClient) -> None:
    api.post("/v1/studies", json=GRID)
    assert len(api.get("/v1/studies?owner=alice").json()["items"]) == 1
    assert api.get("/v1/studies?owner=bob").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("cursor=x", "cursor"), ("owner=%00", "owner")]
)
def test_a_bad_query_names_the_parameter(api: TestClient, query: str, field: str) -> None:
    _refused(api.get(f"/v1/studies?{query}"), "invalid_query", field)


@pytest.mark.parametrize("path", ["", "/findings"])
@pytest.mark.parametrize("name", ["s-0000000000000000", "%00"])
def test_an_unknown_study_is_not_found(api: TestClient, name: str, path: str) -> None:
    answer = api.get(f"/v1/studies/{name}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_an_unknown_study_cannot_be_steered(api: TestClient, action: str) -> None:
    assert api.post(f"/v1/studies/s-0/{action}").status_code == 404


def test_no_token_is_refused(anonymous: TestClient) -> None:
    assert anonymous.post("/v1/studies", json=GRID).status_code == 401
    assert anonymous.get("/v1/studies").status_code == 401


def test_the_description_has_the_body(api: TestClient) -> None:
    described = api.get("/openapi.json").json()
    body = described["paths"]["/v1/studies"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/StudyRequest"}
    assert "target_error" in described["components"]["schemas"]["StudyRequest"]["properties"]


def test_a_matrix_of_ones_own_gets_its_correlation_length_in_a_grid_too(settings: Settings) -> None:
    chain = {"family": "explicit", "matrix": [[0.75, 0.25], [0.25, 0.75]]}
    grid = grid_of(StudyRequest(chain=chain, model={"depth": [2, 4]}), settings)
    # eigenvalues 1 and 0.5; 1e-9: rounding of an eigenvalue
    lengths = [item.asked.submission.chain.corr_len for item in grid.items]
    assert lengths == pytest.approx([1.4426950408889634] * 2, rel=1e-9)


def test_a_grid_of_axes_that_are_no_fields_is_refused_for_them(api: TestClient) -> None:
    axes = {f"a{number}": [0, 1] for number in range(6000)}  # 2^6000 has 1,806 digits
    for section in ("chain", "model", "training"):
        answer = api.post("/v1/studies", json={section: axes})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_spec")
        assert answer.json()["errors"][0]["field"] == f"{section}.a0"


def test_the_size_of_a_grid_over_every_field_is_said(api: TestClient) -> None:
    two = {
        "chain": {"seed": [0, 1], "corr_len": [1, 2], "n_states": [8, 16]},
        "model": {name: [1, 2] for name in ("depth", "width", "context", "init_scale")},
        "training": {name: [1, 2] for name in ("steps", "batch_size", "lr", "weight_decay")},
    }
    refused = _refused(api.post("/v1/studies", json=two), "over_limit", "experiments")
    assert "the grid has 2048: 2 of chain.seed x 2 of chain.corr_len" in refused["message"]


def test_more_runs_than_at_once_are_refused(api: TestClient, database: Database) -> None:
    lengths = [1 + number / 100 for number in range(20)]
    body = {"chain": {"corr_len": lengths, "seeds": 64}, "seeds": 64}
    refused = _refused(api.post("/v1/studies?dry_run=true", json=body), "over_limit", "runs")
    assert refused["message"].startswith("81920 are asked for")
    assert refused["allowed"] == "at most 50000 (RGLAB_MAX_BULK_RUNS)"


def test_the_seeds_that_a_target_may_add_count_as_runs(settings: Settings) -> None:
    asked = StudyRequest(chain={"corr_len": [1, 2, 3]}, seeds=(0,), target_error=0.01, max_seeds=9)
    few, enough = (settings.model_copy(update={"max_bulk_runs": most}) for most in (26, 27))
    with pytest.raises(OverLimit, match="27 are asked for"):
        grid_of(asked, few)
    assert len(grid_of(asked, enough).items) == 3


def test_fewer_seeds_at_most_than_are_given_are_refused(api: TestClient) -> None:
    body = {"seeds": 5, "target_error": 0.01, "max_seeds": 4}
    refused = _refused(api.post("/v1/studies", json=body), "invalid_spec", "max_seeds")
    assert refused["allowed"] == "5 to 64"


def test_a_value_of_a_cell_is_not_sent_back_whole(api: TestClient) -> None:
    answer = api.post("/v1/studies", json={"model": {"norm": ["x" * 40_000, "y" * 40_000]}})
    assert answer.status_code == 422
    assert len(answer.content) < 3000
