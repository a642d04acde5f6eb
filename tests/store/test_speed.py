"""What is kept of how long runs took, and what they say together."""

from __future__ import annotations

import math
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from rgstore.database import Database
from rgstore.speed import LATEST, Ratios, Timing, note, speeds
from rgstore.tables import RunRow, TimingRow

CPU, GPU = "cpu: x86_64", "cuda: some GPU"


def timing(ratio: float, backend: str = CPU, shape: str = "calls", model: str = "now") -> Timing:
    """Of a run that took `ratio` times what the model says."""
    return Timing(backend, shape, model, 1, modelled_seconds=2.0, seconds=2.0 * ratio)


@pytest.fixture
def noted(database: Database, put: Any) -> Any:
    """Runs with these timings, one after another."""

    def _noted(*timings: Timing) -> None:
        put(seeds=len(timings))
        with database.begin() as session:
            runs = session.scalars(select(RunRow.id).order_by(RunRow.id)).all()
            for run_id, one in zip(runs, timings, strict=True):
                note(session, run_id, one)

    return _noted


def test_a_lab_that_has_run_nothing_knows_no_speed(database: Database) -> None:
    with database.begin() as session:
        assert speeds(session, "any", "now").backend is None
        assert speeds(session, "any", "now").of_all is None


def test_the_quartiles_are_of_each_class_and_of_all(database: Database, noted: Any) -> None:
    noted(*(timing(math.exp(x)) for x in (0, 1, 2)), timing(math.exp(5), shape="memory"))
    with database.begin() as session:
        found = speeds(session, "any", "now")
    assert found.backend == CPU
    assert found.of_class["calls"] == pytest.approx(Ratios(3, 0.5, 1.0, 1.5))
    assert found.of_class["memory"] == pytest.approx(Ratios(1, 5.0, 5.0, 5.0))
    assert found.of_all == pytest.approx(Ratios(4, 0.75, 1.5, 2.75))


def test_another_backend_or_another_model_says_nothing(database: Database, noted: Any) -> None:
    last = timing(9.0, "cuda: another", model="before")
    noted(timing(9.0, model="before"), timing(0.1, GPU), timing(3.0), last)
    with database.begin() as session:
        of_cpu, of_gpu = (speeds(session, device, "now") for device in ("cpu", "cuda"))
        of_last = speeds(session, "any", "now")
    assert (of_cpu.backend, of_gpu.backend, of_last.backend) == (CPU, GPU, CPU)
    assert of_cpu.of_all == pytest.approx(Ratios(1, *[math.log(3.0)] * 3))
    assert of_gpu.of_all == pytest.approx(Ratios(1, *[math.log(0.1)] * 3))


def test_only_the_latest_of_a_class_are_kept(database: Database, noted: Any) -> None:
    noted(timing(1.0, shape="memory"), *[timing(8.0)] * 3, *[timing(2.0)] * LATEST)
    with database.begin() as session:
        assert session.scalar(select(func.count()).select_from(TimingRow)) == 1 + LATEST
        assert speeds(session, "any", "now").of_class["calls"].high == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.inf, math.nan])
def test_a_run_of_no_time_says_nothing(database: Database, noted: Any, seconds: float) -> None:
    noted(timing(seconds))
    with database.begin() as session:
        assert speeds(session, "any", "now").backend is None


def test_no_time_of_nothing_can_be_stored(database: Database, noted: Any) -> None:
    noted(timing(1.0))
    with pytest.raises(IntegrityError, match="positive"), database.begin() as session:
        session.scalars(select(TimingRow)).one().seconds = 0.0


def test_a_run_that_is_measured_anew_counts_once(database: Database, noted: Any) -> None:
    noted(timing(1.0))
    with database.begin() as session:
        note(session, session.scalars(select(RunRow.id)).one(), timing(4.0))
        assert speeds(session, "any", "now").of_all == pytest.approx(
            Ratios(1, *[math.log(4.0)] * 3)
        )


def test_two_workers_that_drop_the_oldest_do_not_wait_for_each_other(
    database: Database, noted: Any, put: Any
) -> None:
    noted(*[timing(1.0)] * LATEST)
    more = put(seeds=2, chain={"corr_len": 7.0}).run_ids
    with database.begin() as one, database.begin() as other:
        other.execute(text("SET LOCAL lock_timeout = '1s'"))
        note(one, more[0], timing(2.0))
        note(other, more[1], timing(2.0))
