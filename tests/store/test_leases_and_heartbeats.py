"""A lease outlasts its heartbeats: a lab whose workers could not keep a run is refused."""

from __future__ import annotations

import pytest

from rgstore.settings import InvalidSettingError, Settings


@pytest.mark.parametrize(("lease", "heartbeat"), [(30, 15), (1, 0.1), (86_400, 3_600)])
def test_two_heartbeats_or_more_in_a_lease_are_taken(lease: int, heartbeat: float) -> None:
    taken = Settings(lease_seconds=lease, heartbeat_seconds=heartbeat)
    assert taken.heartbeat_seconds <= taken.lease_seconds / 2


@pytest.mark.parametrize(("lease", "heartbeat"), [(30, 15.1), (1, 3_600), (3, 1.6)])
def test_a_lease_that_one_lost_heartbeat_ends_is_refused_with_both(
    lease: int, heartbeat: float
) -> None:
    with pytest.raises(InvalidSettingError) as refused:
        Settings(lease_seconds=lease, heartbeat_seconds=heartbeat)
    assert str(refused.value) == (
        f"RGLAB_HEARTBEAT_SECONDS is {heartbeat!r}: allowed is half of RGLAB_LEASE_SECONDS at "
        f"most, which is {lease}"
    )


def test_the_defaults_leave_room_for_many_lost_heartbeats() -> None:
    assert Settings().lease_seconds >= 10 * Settings().heartbeat_seconds


@pytest.mark.parametrize(("lease", "heartbeat"), [(3.0, 1.5), (1.0, 0.5), (4.0, 2.0), (60.0, 2.0)])
def test_a_shorter_lease_by_itself_shortens_the_heartbeat(lease: float, heartbeat: float) -> None:
    assert Settings(lease_seconds=lease).heartbeat_seconds == heartbeat


def test_a_lease_that_is_refused_itself_is_the_only_one_blamed() -> None:
    with pytest.raises(InvalidSettingError, match="RGLAB_LEASE_SECONDS") as refused:
        Settings(lease_seconds=0.5, heartbeat_seconds=3_600)
    assert "HEARTBEAT" not in str(refused.value)
