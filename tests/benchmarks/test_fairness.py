"""The lab of the picture of fair share, small."""

from __future__ import annotations

from pathlib import Path

import pytest
from kept_database import Copies

from benchmarks.fairness import FLEET_SECONDS, WAYS, drawn, played
from rgstore.database import Database

FLEET_MINUTES = FLEET_SECONDS / 60


@pytest.mark.slow
def test_a_single_run_waits_for_a_fleet_in_turns_and_for_the_sweep_by_age(
    copies: Copies, tmp_path: Path
) -> None:
    found = {}
    for way in WAYS:
        with copies.new() as url:
            database = Database(url)
            found[way] = played(database, 800, in_turns=way == "turns")
            database.dispose()
    assert max(wait for _, wait in found["turns"]) <= FLEET_MINUTES
    assert max(wait for _, wait in found["age"]) > 3 * FLEET_MINUTES
    picture = tmp_path / "drawn.png"
    drawn(found, 800).savefig(picture)
    assert picture.stat().st_size > 10_000
