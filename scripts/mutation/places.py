"""What is mutated, and where its tests are."""

from __future__ import annotations

PACKAGES = {  # directory: that of its own tests
    "client/rgcontract": "tests/contract",
    "worker/rgcore": "tests/core",
    "service/rgstore": "tests/store",
    "service/rgservice": "tests/service",
}
RECORDED = (
    ("tests/core",),
    ("tests/contract", "tests/store", "tests/service", "tests/worker", "tests/client"),
)
"""Tests that may notice a mutant, in parts that take about as long as each other."""

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
