"""Standard measurements whose answers are known: whether this machine measures rightly."""

from rgcore.calibration.check import Check
from rgcore.calibration.checks import calibrate

__all__ = ["Check", "calibrate"]
