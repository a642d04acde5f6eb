"""What the tables say."""

from __future__ import annotations

from benchmarks import table
from benchmarks.race import MEMBER_STEP, TOKENS, NoRace, Race
from benchmarks.timing import Timing

RACE = Race(
    name="train",
    shape="S",
    members=8,
    cores=2,
    unit=MEMBER_STEP,
    peer="other",
    ours=Timing((0.001, 0.002, 0.003)),
    theirs=Timing((0.004, 0.005, 0.006)),
    ceiling=Timing((0.001,)),
    bound="GEMMs",
    check="same",
)


def test_the_ratio_is_how_many_times_as_long_the_peer_takes() -> None:
    assert RACE.ratio == 2.5


def test_the_share_of_the_ceiling_is_the_unavoidable_part() -> None:
    assert RACE.share == 0.5


def test_a_race_shows_medians_ends_ratio_ceiling_and_agreement() -> None:
    row = table.races([RACE]).splitlines()[-1]
    assert row == (
        "| train | S | 8 | 2 | ms/member-step | 2 [1, 3] | other | 5 [4, 6] | 2.50 | "
        "GEMMs: 1 (50%) | same |"
    )


def test_a_rate_is_shown_from_the_lowest_to_the_highest() -> None:
    assert table.spread(TOKENS, Timing((1e-6, 5e-7))) == "1.33 [1, 2]"


def test_a_race_without_a_time_shows_the_reason_in_a_full_row() -> None:
    head, _, row = table.races([NoRace("cka", "n", "torch-cka", "no torch-cka")]).splitlines()
    assert row.count("|") == head.count("|")
    assert row.endswith("| no time: no torch-cka |")
