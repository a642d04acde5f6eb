"""What is known of chains, statistics and sizes, where there is no torch: the service has none."""

import subprocess
import sys
from typing import Any

import pytest

BLOCKED = "import sys; sys.modules['torch'] = None\n"
"""An import of it then fails, as where it is not installed."""


def run(program: str) -> str:
    command = [sys.executable, "-W", "error", "-c", BLOCKED + program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["rgcore.chain", "rgcore.statistics", "rgcore.sizing"])
def test_the_half_that_the_service_shares_is_imported_without_torch(module: str) -> None:
    run(f"import {module}")


@pytest.mark.parametrize(
    ("family", "own"),
    [
        ("potts", {"n_states": 4, "corr_len": 2.0}),
        ("ring", {"n_states": 5, "corr_len": 2.0}),
        ("hierarchical", {"n_states": 8, "corr_len": 2.0}),
        ("spectrum", {"eigenvalues": [0.4, 0.1]}),
        ("explicit", {"matrix": [[0.2, 0.8, 0.0], [0.0, 0.2, 0.8], [0.8, 0.0, 0.2]]}),
    ],
)
def test_what_is_known_of_a_chain_needs_no_torch(family: str, own: Any) -> None:
    program = f"""
from rgcore.chain import bayes_masked_loss, make_chain
chain = make_chain({family!r}, **{own!r})
assert chain.corr_len > 0
chain.mutual_information(3), chain.reversible, chain.right_eigenvectors()
assert bayes_masked_loss(chain, [[0, 1, 1]], [[False, True, False]]) > 0
"""
    run(program)
