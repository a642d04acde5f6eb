"""What a GPU does to the numbers and the time; needs torch, numpy, scipy, pytest and this tree."""

import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]

if find_spec("rgcore") is None:  # nothing of the project need be installed
    sys.path.insert(0, str(ROOT / "worker"))
