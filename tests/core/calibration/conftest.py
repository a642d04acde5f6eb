"""The standard measurements, made once."""

from __future__ import annotations

import pytest
from devices import DEVICE

from rgcore.calibration import Check, calibrate


@pytest.fixture(scope="session")
def checks() -> list[Check]:
    """All checks of the device that tests use."""
    return calibrate(DEVICE)
