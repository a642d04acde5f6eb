"""Where networks compute in the core's tests that work anywhere."""

from __future__ import annotations

import os

import torch

DEVICE = torch.device(os.environ.get("RGLAB_TEST_DEVICE", "cpu"))
"""The CPU; on a machine with a GPU `RGLAB_TEST_DEVICE=cuda` tries them there."""
