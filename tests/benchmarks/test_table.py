"""What the tables say."""

from __future__ import annotations

from benchmarks import table
from benchmarks.effort import QUICK
from benchmarks.programme import entries
from benchmarks.race import STEP, TOKENS, NoRace, Race
from benchmarks.timing import Timing

RACE = Race(
    name="train",
    shape="S",
    members=2,
    cores=2,
    unit=STEP,
    peer="other",
    ours=Timing((0.001, 0.002, 0.003)),
    theirs=Timing((0.004, 0.005, 0.006)),
    ceiling=Timing((0.001,)),
    bound="GEMMs",
    check="same",
)


def test_the_ratio_is_how_many_times_as_long_the_peer_takes():
    assert RACE.ratio == 2.5


def test_members_side_by_side_share_the_ceiling():
    assert RACE.share == 0.25


def test_a_race_shows_medians_ends_ratio_ceiling_and_agreement():
    row = table.races([RACE]).splitlines()[-1]
    assert row == (
        "| train | S | 1 | 2 | 2 | ms/step | 2 [1, 3] | other | 5 [4, 6] | 2.50 | "
        "GEMMs: 1 (25%) | same |"
    )


def test_a_rate_is_shown_from_the_lowest_to_the_highest():
    assert table.spread(TOKENS, Timing((1e-6, 5e-7))) == "1.33 [1, 2]"


def test_a_race_without_a_time_shows_the_reason_in_a_full_row():
    head, _, row = table.races([NoRace("cka", "n", "torch-cka", "no torch-cka")]).splitlines()
    assert row.count("|") == head.count("|")
    assert row.endswith("| no time: no torch-cka |")


def test_quick_trains_the_small_shape_only():
    trained = {entry.shape for entry in entries(QUICK) if entry.name.startswith("train")}
    assert trained == {"S (4, 32, 16, 32)"}


def test_every_race_has_at_least_five_rounds():
    assert QUICK.rounds >= 5
