"""The standard measurements pass here, and fail where something is wrong."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from devices import DEVICE

from rgcore.calibration import Check, calibrate
from rgcore.calibration.networks import linear_network, one_hot_tables, posterior_tables
from rgcore.chain import make_chain, visible_posterior
from rgcore.random import derive_generator
from rgcore.training import masked_block


def test_every_check_passes(checks: list[Check]) -> None:
    assert [check.name for check in checks if not check.passed] == []


def test_every_check_has_a_name_of_its_own_and_a_reason(checks: list[Check]) -> None:
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.reason for check in checks)


def test_the_same_machine_measures_the_same_twice(checks: list[Check]) -> None:
    assert [check.measured for check in calibrate(DEVICE)] == [check.measured for check in checks]


def test_what_is_checked_is_the_device_that_is_named() -> None:
    with pytest.raises(NotImplementedError, match=r"[Mm]eta"):  # where there are no values to read
        calibrate(torch.device("meta"))


@pytest.mark.parametrize(
    ("measured", "passed"), [(1.05, True), (0.9, True), (1.11, False), (math.nan, False)]
)
def test_a_check_passes_within_its_tolerance(measured: Any, passed: bool) -> None:
    assert Check("x", measured, 1.0, 0.1 + 1e-12, "by hand").passed is passed


def test_the_linear_network_puts_each_visible_token_in_a_place_of_its_own() -> None:
    chain = make_chain("potts", 3, 1.0)
    network = linear_network(chain, 4, 1, one_hot_tables(3, 1))
    inputs = torch.tensor([[2, 3, 0, 1]])  # 3 is the mask
    stream = network.residual_stream(inputs)[-1][0, 2]  # sees mask, 0, 1
    assert stream.tolist() == [0, 0, 0, 1, 0, 0, 0, 1, 0]


def test_the_posterior_network_is_the_exact_posterior_of_its_window() -> None:
    chain = make_chain("random_reversible", 4, 3.0)
    network = linear_network(chain, 6, 1, posterior_tables(chain))
    batch = masked_block(chain, 50, 6, 0.4, derive_generator(0, "test"))
    logits = network.masked_logits(batch.inputs, batch.mask).double()
    expected = visible_posterior(chain, batch.tokens, batch.mask, 1)
    found = torch.softmax(logits, dim=-1).detach().numpy()
    assert np.abs(found - expected).max() < 1e-6  # logits are float32


def test_the_command_prints_each_check_and_ends_well() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rgworker.calibrate"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("  pass  ") == 9
    assert done.stdout.endswith("all 9 pass\n")
