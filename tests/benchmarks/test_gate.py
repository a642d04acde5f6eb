"""No time counts where two contenders did different work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.gate import same_losses, same_numbers, thinned
from benchmarks.race import RefusedError
from benchmarks.sampling_race import same_law
from rgcore.chain import make_chain


def test_close_loss_curves_pass_with_their_difference() -> None:
    assert same_losses([2.0, 1.0], [2.0, 1.001]) == "losses within 1e-03"


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        ([2.0, 1.5], "differ by 5e-01"),
        ([2.0, np.nan], "differ by nan"),
        ([2.0], "2 losses against 1"),
    ],
)
def test_other_loss_curves_are_refused(theirs: Any, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        same_losses([2.0, 1.0], theirs)


@pytest.mark.parametrize("found", [1.1, np.nan])
def test_a_number_out_of_tolerance_is_refused(found: Any) -> None:
    with pytest.raises(RefusedError, match="x is off by"):
        same_numbers(found, 1.0, 0.01, "x")


def test_thinned_losses_are_means_and_the_last_of_what_is_left() -> None:
    assert thinned([1.0, 3.0, 5.0, 7.0, 9.0], 2) == [2.0, 6.0, 9.0]


def test_sequences_of_the_chain_pass() -> None:
    chain = make_chain("potts", 4, 2.0)
    assert same_law(chain.sample(500, 16, torch.Generator().manual_seed(0)).numpy(), chain) < 6


def test_sequences_of_another_chain_are_refused() -> None:
    chain, other = make_chain("potts", 4, 2.0), make_chain("potts", 4, 8.0)
    tokens = other.sample(500, 16, torch.Generator().manual_seed(0)).numpy()
    with pytest.raises(RefusedError, match="transition count"):
        same_law(tokens, chain)
