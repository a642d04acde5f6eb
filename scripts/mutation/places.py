"""What is mutated, and where its tests are."""

from __future__ import annotations

PACKAGES = {  # directory: that of its own tests
    "client/rgcontract": "tests/contract",
    "worker/rgcore": "tests/core",
    "service/rgstore": "tests/store",
    "service/rgservice": "tests/service",
}
RECORDED = (
    "tests/core",
    "tests/service",
    "tests/store",
    "tests/client",
    "tests/contract",
    "tests/worker",
    "tests/laws",
)
"""Tests that may notice a mutant, those that take longest first; each is recorded by itself."""
SHARED = ("tests/conftest.py", "tests/support")
"""What the tests of every folder stand on."""

ROOTS = ("client", "service", "worker", ".")  # what a copy is imported from

TESTS_QUIETLY = (
    "-q",
    "--tb=no",
    "--no-header",
    "-p",
    "no:cacheprovider",
    "-o",
    "addopts=--import-mode=importlib --strict-markers",  # one process, whatever make test does
)
