"""How long runs are expected to take, and from what that is known."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from rgcontract import ExperimentSpec, Forecast, strictjson
from rgcore.cost import ShapeClass, model_name
from rgservice.experiments.cost import cost_of_run
from rgstore.database import Database
from rgstore.speed import Timing, note
from rgstore.tables import RunRow

CPU, GPU = "cpu: x86_64", "cuda: some GPU"
SMALL: dict[str, Any] = {
    "chain": {"corr_len": 1},
    "model": {"depth": 1, "width": 8},
    "training": {"steps": 400, "batch_size": 8},
    "measurement": {"n_sequences": 64},
}
OF_SMALL = cost_of_run(ExperimentSpec.model_validate_json(strictjson.dumps(SMALL))).modelled()


def forecast(api: TestClient, path: str = "experiments", **fields: Any) -> Forecast:
    answer = api.post(f"/v1/{path}?dry_run=true", json=SMALL | {"seeds": 1} | fields)
    assert answer.status_code == 200, answer.text
    return Forecast.model_validate_json(answer.text)


@pytest.fixture
def ran(api: TestClient, database: Database) -> Any:
    """Runs that took so many times what one core is modelled to take."""

    def _ran(
        *ratios: float, shape: str = OF_SMALL.shape_class, backend: str = CPU, model: str = ""
    ) -> None:
        body = {"chain": {"corr_len": 7}, "seeds": len(ratios)}
        name = api.post("/v1/experiments", json=body).json()["id"]
        with database.begin() as session:
            runs = select(RunRow.id).where(RunRow.experiment_id == name).order_by(RunRow.seed)
            for run_id, ratio in zip(session.scalars(runs).all(), ratios, strict=False):
                timing = Timing(backend, shape, model or model_name(), 1, 2.0, 2.0 * ratio)
                note(session, run_id, timing)

    return _ran


def test_before_anything_has_run_it_is_one_core_about(api: TestClient) -> None:
    found = forecast(api)
    assert found.seconds == pytest.approx(OF_SMALL.seconds)
    assert found.seconds_low is not None
    assert found.seconds_high is not None
    assert found.seconds_low < found.seconds / 2 < 2 * found.seconds < found.seconds_high
    assert found.flops_per_second == pytest.approx(found.flops / found.seconds)
    assert (found.rate_measured, found.rate_from, found.rate_attempts) == (False, "default", 0)
    assert found.rate_backend is None


def test_runs_of_the_same_class_say_how_fast_the_lab_is(api: TestClient, ran: Any) -> None:
    ran(3.9, 4.0, 4.1)
    found = forecast(api)
    assert found.seconds == pytest.approx(4 * OF_SMALL.seconds)
    assert found.seconds_low is not None
    assert found.seconds_low > 2 * OF_SMALL.seconds
    assert (found.rate_measured, found.rate_from, found.rate_attempts) == (True, "shape", 3)
    assert found.rate_backend == CPU


def test_runs_of_other_classes_do_where_there_are_too_few(api: TestClient, ran: Any) -> None:
    ran(4.0, 4.0, 4.0, shape=ShapeClass.PRODUCTS)
    found = forecast(api)
    assert found.seconds == pytest.approx(4 * OF_SMALL.seconds)
    assert (found.rate_measured, found.rate_from) == (True, "backend")


def test_runs_of_another_device_or_model_say_nothing(api: TestClient, ran: Any) -> None:
    ran(0.01, 0.01, 0.01, backend=GPU)
    assert forecast(api, device="cpu").seconds == pytest.approx(OF_SMALL.seconds)
    assert forecast(api, device="cuda").seconds == pytest.approx(OF_SMALL.seconds / 100)
    ran(9.0, 9.0, 9.0, model="before")
    assert forecast(api, device="cpu").rate_from == "default"


def test_a_run_that_this_lab_could_not_end_in_time_is_refused(api: TestClient, ran: Any) -> None:
    assert api.post("/v1/experiments?dry_run=true", json=SMALL).status_code == 200
    ran(*[1e6] * 3)
    answer = api.post("/v1/experiments?dry_run=true", json=SMALL)
    assert [problem["field"] for problem in answer.json()["errors"]] == ["run_seconds"]
    assert "RGLAB_RUN_TIME_LIMIT_SECONDS" in answer.json()["errors"][0]["allowed"]


def test_runs_that_are_trained_together_take_less_than_one_after_another(api: TestClient) -> None:
    one, eight = forecast(api), forecast(api, seeds=8)
    assert one.seconds < eight.seconds < 0.9 * 8 * one.seconds
    # of two experiments of one shape in a study, too
    grid = forecast(api, "studies", chain={"corr_len": [1, 7]}, seeds=4)
    assert grid.seconds == pytest.approx(eight.seconds)


def test_what_is_known_takes_no_time(api: TestClient) -> None:
    api.post("/v1/experiments", json=SMALL | {"seeds": 1})
    found = forecast(api)
    assert (found.cached, found.seconds, found.seconds_low, found.seconds_high) == (True, 0, 0, 0)
    assert found.flops_per_second is not None
    assert found.flops_per_second > 0
