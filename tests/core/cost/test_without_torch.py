"""Whoever forecasts never loads torch."""

from __future__ import annotations

import subprocess
import sys

ASKED = """
import sys
sys.modules["torch"] = None
from rgcore.architecture import Architecture
from rgcore.cost import run_cost
from rgcore.sizing import choose_fleet_size
"""


def test_costs_and_sizes_are_asked_without_torch() -> None:
    assert subprocess.run([sys.executable, "-c", ASKED], check=False).returncode == 0
