"""Standard measurements whose answers are known: whether this machine measures rightly."""

from rgcore.calibration.check import Check
from rgcore.calibration.checks import CHECKS, calibrate

__all__ = ["CHECKS", "Check", "calibrate"]
