"""One thread for every test of training."""

from __future__ import annotations

from single_thread import single_thread  # noqa: F401  # a fixture
