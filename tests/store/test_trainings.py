"""Trained weights are kept once, found again whole, and never believed when damaged."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from rgstore import trainings
from rgstore.database import Database
from rgstore.records import Training, Weights
from rgstore.tables import WeightsRow

TRAINING = Training([1, 2], [0.5, 0.25], [Weights(1, b"first"), Weights(2, b"last")])


@pytest.fixture
def keep(database: Database) -> Any:
    """Store a training of seed 3 of the network "net"."""

    def _keep(training: Any = TRAINING) -> None:
        with database.begin() as session:
            trainings.keep(session, "net", 3, training, device="cpu", versions={"torch": "2"})

    return _keep


@pytest.fixture
def find(database: Database) -> Any:
    """Look for a training in a transaction of its own."""

    def _find(name: str = "net", seed: int = 3, steps: Any = (1, 2)) -> Any:
        with database.begin() as session:
            return trainings.find(session, name, seed, steps)

    return _find


def test_a_training_comes_back_as_it_was(keep: Any, find: Any) -> None:
    keep()
    assert find() == TRAINING


def test_only_the_steps_asked_for_come_back(keep: Any, find: Any) -> None:
    keep()
    assert find(steps=(2,)).weights == [Weights(2, b"last")]


@pytest.mark.parametrize("asked", [{"name": "other"}, {"seed": 4}, {"steps": (1, 5)}])
def test_what_was_not_kept_is_not_found(keep: Any, find: Any, asked: Any) -> None:
    keep()
    assert find(**asked) is None


def test_what_is_there_stays(keep: Any, find: Any) -> None:
    keep()
    keep(Training([9], [9.0], [Weights(2, b"again"), Weights(5, b"more")]))
    assert find(steps=(2, 5)).weights == [Weights(2, b"last"), Weights(5, b"more")]


def test_damaged_weights_are_forgotten(database: Database, keep: Any, find: Any) -> None:
    keep()
    with database.begin() as session:
        session.execute(update(WeightsRow).where(WeightsRow.step == 2).values(data=b"lost"))
    assert find() is None
    keep()
    assert find() == TRAINING
