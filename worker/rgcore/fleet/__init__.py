"""Many networks of one shape, trained as one."""

from rgcore.fleet.backend import Backend
from rgcore.fleet.member import FleetError, Member
from rgcore.fleet.train import train_fleet

__all__ = ["Backend", "FleetError", "Member", "train_fleet"]
