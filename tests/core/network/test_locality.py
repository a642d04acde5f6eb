from typing import Any

import pytest
import torch

from rgcore.network import MIXINGS, build_network
from rgcore.random import derive_generator

LENGTH = 15
LOCAL = ["context", "window"]
SEEN = 1e-6
"""Logits are of size 1: float64 rounding is far below, the effect of a token far above."""


def logits_before_and_after(arch: Any, place: Any) -> Any:
    """Logits (T, V) of a sequence, and of it with another token at one place."""
    network = build_network(arch, derive_generator(0, "init")).double()
    tokens = torch.randint(arch.n_states, (1, LENGTH), generator=derive_generator(0, "data"))
    changed = tokens.clone()
    changed[0, place] = (tokens[0, place] + 1) % arch.n_states
    return network(tokens)[0], network(changed)[0]


@pytest.mark.parametrize("mixing", LOCAL)
@pytest.mark.parametrize("radius", [1, 2, 4])
@pytest.mark.parametrize("place", [0, 7, LENGTH - 1])
def test_a_token_beyond_the_view_radius_changes_nothing(
    make_arch: Any, mixing: Any, radius: int, place: Any
) -> None:
    arch = make_arch(mixing, seq_len=LENGTH, context=radius, depth=radius)
    before, after = logits_before_and_after(arch, place)
    far = (torch.arange(LENGTH) - place).abs() > arch.view_radius
    assert torch.equal(before[far], after[far])


@pytest.mark.parametrize("mixing", LOCAL)
@pytest.mark.parametrize("radius", [1, 2, 4])
@pytest.mark.parametrize("place", [0, 7, LENGTH - 1])
def test_a_token_within_the_view_radius_changes_the_logits(
    make_arch: Any, mixing: Any, radius: int, place: Any
) -> None:
    arch = make_arch(mixing, seq_len=LENGTH, context=radius, depth=radius)
    before, after = logits_before_and_after(arch, place)
    near = (torch.arange(LENGTH) - place).abs() <= arch.view_radius
    assert ((before[near] - after[near]).abs().amax(dim=1) > SEEN).all()


@pytest.mark.parametrize("mixing", ["flat", "mixer"])
@pytest.mark.parametrize("place", [0, 7, LENGTH - 1])
def test_a_token_changes_the_logits_of_the_whole_sequence(
    make_arch: Any, mixing: str, place: Any
) -> None:
    arch = make_arch(mixing, seq_len=LENGTH, depth=1)
    assert arch.view_radius is None
    before, after = logits_before_and_after(arch, place)
    assert ((before - after).abs().amax(dim=1) > SEEN).all()


def test_radius_zero_sees_the_token_itself_alone(make_arch: Any) -> None:
    arch = make_arch("context", seq_len=LENGTH, context=0)
    before, after = logits_before_and_after(arch, 7)
    changed = (before - after).abs().amax(dim=1) > 0
    assert changed.nonzero().flatten().tolist() == [7]


def test_window_grows_by_one_position_per_block(make_arch: Any) -> None:
    network = build_network(make_arch("window", seq_len=LENGTH, depth=4), derive_generator(0, "a"))
    tokens = torch.zeros(1, LENGTH, dtype=torch.int64)
    changed = tokens.clone()
    changed[0, 7] = 1
    both = zip(network.streams(tokens), network.streams(changed), strict=True)
    reached = [int((a - b).abs().amax(dim=2).count_nonzero()) for a, b in both]
    assert reached == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("mixing", MIXINGS)
def test_sequences_do_not_see_each_other(make_arch: Any, mixing: Any) -> None:
    network = build_network(make_arch(mixing), derive_generator(0, "init")).double()
    tokens = torch.randint(4, (3, 9), generator=derive_generator(0, "data"))
    together = network(tokens)
    alone = torch.cat([network(one[None]) for one in tokens])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)  # rounding


@pytest.mark.parametrize("mixing", LOCAL)
def test_moving_the_tokens_moves_the_logits_of_the_interior(make_arch: Any, mixing: Any) -> None:
    arch = make_arch(mixing, seq_len=LENGTH, context=3, depth=3)
    network = build_network(arch, derive_generator(0, "init")).double()
    tokens = torch.randint(4, (2, LENGTH + 1), generator=derive_generator(0, "data"))
    here, moved = network(tokens[:, :-1]), network(tokens[:, 1:])
    # one place to the left; at every place compared the view stays inside both sequences
    torch.testing.assert_close(here[:, 4:-3], moved[:, 3:-4], rtol=0, atol=1e-12)  # rounding


@pytest.mark.parametrize("mixing", LOCAL)
def test_the_ends_of_a_sequence_are_felt_within_the_view_radius(
    make_arch: Any, mixing: Any
) -> None:
    arch = make_arch(mixing, seq_len=LENGTH, context=3, depth=3)
    network = build_network(arch, derive_generator(0, "init")).double()
    logits = network(torch.zeros(1, LENGTH, dtype=torch.int64))[0]
    off = (logits - logits[LENGTH // 2]).abs().amax(dim=1)  # (T,)
    assert (off[3:-3] < 1e-12).all()
    assert (off[[0, 1, 2, -3, -2, -1]] > SEEN).all()


@pytest.mark.parametrize("mixing", ["flat", "mixer"])
def test_positions_of_equal_tokens_are_told_apart(make_arch: Any, mixing: str) -> None:
    network = build_network(make_arch(mixing), derive_generator(0, "init")).double()
    logits = network(torch.zeros(1, 9, dtype=torch.int64))[0]  # (T, V)
    apart = (logits[:, None] - logits).abs().amax(dim=2)  # (T, T)
    assert (apart + torch.eye(9) > SEEN).all()
