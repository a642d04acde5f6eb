"""Many networks of one shape, trained as one."""

from rgcore.fleet.member import FleetError, Member
from rgcore.fleet.train import train_fleet

__all__ = ["FleetError", "Member", "train_fleet"]
