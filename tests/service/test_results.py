"""GET /v1/experiments/{id}/result: what is stored, as strict JSON, whatever protocol stored it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from claims import claim_one
from fastapi.testclient import TestClient
from measured_study import CHAIN
from sqlalchemy import update

from rgcontract import Outcome, Result, strictjson
from rgcontract.observables import NETWORK
from rgcore.statistics import summarise_runs
from rgstore import claiming, endings, measurements
from rgstore.database import Database
from rgstore.records import Quantity, RunRecord, Training
from rgstore.tables import ExperimentRow

LOSSES = ("loss", "bayes_loss", "excess_loss", "gap_fraction")


def _quantity(
    when: Any, level: Any, name: Any, values: Any, shape: Any = None, reasons: Any = None
) -> Any:
    shape = [len(values)] if shape is None else shape
    return Quantity(when, 0, level, name, 64, "plug-in", shape, values, values, reasons or {})


def _record(seed: Any) -> Any:
    quantities = [
        quantity
        for when in ("initial", "final")
        for quantity in (
            *(_quantity(when, NETWORK, name, [1.0], []) for name in LOSSES),
            _quantity(when, "position", "effective_rank", [4.0 + seed, 2.0]),
            _quantity(when, "position", "spectrum", [0.75, 0.25, 1.0, 0.0], [2, 2]),
            _quantity(
                when, "position", "kernel_drift", [math.nan], reasons={"constant_layer": [0]}
            ),
        )
    ]
    return RunRecord(
        1.0, trained=True, training=Training([1], [1.0], []), chain=CHAIN, quantities=quantities
    )


@pytest.fixture
def name(api: TestClient, database: Database) -> str:
    """An experiment of two seeds that an earlier protocol measured, with fewer quantities."""
    chain = {"family": "potts", "n_states": 2, "corr_len": 1.0}
    found = api.post("/v1/experiments", json={"chain": chain, "seeds": 2}).json()["id"]
    holder = claiming.Holder("w/1", "w", "host", "cpu", {}, {})
    for _ in range(2):
        with database.begin() as session:
            claim = claim_one(session, holder, lease_seconds=60)
            assert claim is not None
            measurements.store(session, claim, _record(claim.seed), summarise_runs)
    with database.begin() as session:
        session.execute(update(ExperimentRow).values(protocol=1))
    return str(found)


def _result(api: Any, name: Any, **query: Any) -> dict[str, Any]:
    answer = api.get(f"/v1/experiments/{name}/result", params=query)
    assert answer.status_code == 200
    found: dict[str, Any] = strictjson.loads(answer.content)
    return found


def _levels(body: Any) -> dict[str, Any]:
    found: dict[str, Any] = body["snapshots"][-1]["levels"][0]["quantities"]
    return found


def test_what_an_earlier_protocol_measured_stays_readable_under_its_version(
    api: TestClient, name: str
) -> None:
    body = _result(api, name)
    assert body["protocol"] == 1
    assert body["snapshots"][-1]["losses"]["visible_bayes_loss"] is None
    assert _levels(body)["effective_rank"]["mean"] == [4.5, 2.0]
    Result.model_validate_json(strictjson.dumps(body))


def test_a_number_that_does_not_exist_is_null_with_its_reason(api: TestClient, name: str) -> None:
    drift = _levels(_result(api, name))["kernel_drift"]
    assert drift["mean"] == [None]
    assert drift["reasons"] == {"constant_layer": [0]}


def test_every_number_says_its_samples_its_estimator_and_its_shift(
    api: TestClient, name: str
) -> None:
    rank = _levels(_result(api, name))["effective_rank"]
    assert (rank["n"], rank["estimator"], rank["half_shift"]) == (64, "plug-in", [0.0, 0.0])
    assert _result(api, name)["error_bar"] == "training seeds; the chain is held fixed"


@pytest.mark.parametrize(
    ("arrays", "there", "per_run"),
    [("layers", False, None), ("all", True, None), ("runs", True, {"0", "1"})],
)
def test_one_asks_for_as_many_arrays_as_one_wants(
    api: TestClient, name: str, arrays: str, there: bool, per_run: Any
) -> None:
    spectrum = _levels(_result(api, name, arrays=arrays)).get("spectrum")
    assert (spectrum is not None) is there
    if spectrum is not None:
        assert spectrum["mean"] == [[0.75, 0.25], [1.0, 0.0]]
        assert (spectrum["per_seed"] and set(spectrum["per_seed"])) == per_run


def test_the_result_is_not_there_before_every_run_is_measured(api: TestClient) -> None:
    name = api.post("/v1/experiments", json={"seeds": 2}).json()["id"]
    answer = api.get(f"/v1/experiments/{name}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert answer.json()["state"] == "queued"


def test_the_causes_of_no_result_are_those_of_the_runs_that_failed(
    api: TestClient, database: Database
) -> None:
    """A run that waits for its next attempt remembers what ended the last one."""
    name = api.post("/v1/experiments", json={"seeds": 2}).json()["id"]
    holder = claiming.Holder("w/1", "w", "host", "cpu", {}, {})
    with database.begin() as session:
        claims = claiming.claim_fleet(
            session, holder, lease_seconds=60, size_of=lambda _: 2, share=1
        )
        endings.fail(session, claims[0], outcome=Outcome.FAILED, error="the loss is no number")
        endings.retry_or_fail(
            session, claims[1], outcome=Outcome.CRASHED, error="the trainer is gone"
        )
    answer = api.get(f"/v1/experiments/{name}/result")
    assert (answer.status_code, answer.json()["causes"]) == (409, ["the loss is no number"])


def test_a_result_of_some_of_its_runs_is_given_to_who_asks_for_it(
    api: TestClient, database: Database
) -> None:
    name = api.post("/v1/experiments", json={"seeds": 2}).json()["id"]
    holder = claiming.Holder("w/1", "w", "host", "cpu", {}, {})
    with database.begin() as session:
        claim = claim_one(session, holder, lease_seconds=60)
        assert claim is not None
        measurements.store(session, claim, _record(claim.seed), summarise_runs)
    refused = api.get(f"/v1/experiments/{name}/result")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    assert _result(api, name, partial=True)["seeds"] == [claim.seed]
