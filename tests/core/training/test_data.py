from typing import Any

import pytest
import torch

from rgcore.chain import make_chain
from rgcore.random import derive_generator
from rgcore.training import BatchStream, masked_block

V = 5
CHAIN = make_chain("random_reversible", V, 1.5, 0)


def block(n: int = 4000, seq_len: int = 16, mask_prob: float = 0.15) -> Any:
    return masked_block(CHAIN, n, seq_len, mask_prob, derive_generator(0, "data"))


def stream(seed: int = 0, batch_size: int = 2, seq_len: int = 4, mask_prob: float = 0.3) -> Any:
    return BatchStream(CHAIN, batch_size, seq_len, mask_prob, derive_generator(seed, "data"))


def same(first: Any, second: Any) -> Any:
    return (
        torch.equal(first.tokens, second.tokens)
        and torch.equal(first.mask, second.mask)
        and torch.equal(first.inputs, second.inputs)
    )


@pytest.mark.parametrize("mask_prob", [0.02, 0.15, 0.9])
def test_share_of_hidden_tokens_is_the_mask_probability(mask_prob: float) -> None:
    n = 4000 * 16
    error = (mask_prob * (1 - mask_prob) / n) ** 0.5
    share = block(mask_prob=mask_prob).mask.double().mean()
    assert float(share) == pytest.approx(mask_prob, abs=4 * error)  # 4 standard errors


def test_every_position_is_hidden_equally_often() -> None:
    share = block().mask.double().mean(dim=0)  # (T,)
    error = (0.15 * 0.85 / 4000) ** 0.5
    torch.testing.assert_close(
        share, torch.full((16,), 0.15, dtype=torch.float64), rtol=0, atol=4 * error
    )


def test_neighbours_are_hidden_independently() -> None:
    mask = block().mask
    pairs = 4000 * 15
    both = (mask[:, 1:] & mask[:, :-1]).double().mean()
    p = 0.15**2
    # pairs that share a token are correlated: a variance up to 3 times that of independent ones
    assert float(both) == pytest.approx(p, abs=4 * (3 * p / pairs) ** 0.5)


def test_hidden_tokens_read_as_the_mask_and_the_others_as_they_are() -> None:
    found = block(n=200)
    assert (found.inputs[found.mask] == V).all()
    assert torch.equal(found.inputs[~found.mask], found.tokens[~found.mask])
    assert ((found.tokens >= 0) & (found.tokens < V)).all()


def test_mask_probability_one_hides_everything() -> None:
    assert block(n=10, mask_prob=1.0).mask.all()


def test_a_batch_with_nothing_to_learn_gets_one_token_hidden_each_at_its_own_place() -> None:
    batches = stream(mask_prob=1e-300)
    for index in range(8):
        batch = batches.next()
        hidden = batch.mask.flatten().nonzero().flatten().tolist()
        assert hidden == [index]
        assert batch.inputs.flatten()[index] == V


def test_no_batch_is_without_a_hidden_token() -> None:
    batches = stream(mask_prob=0.02)  # 0.98^8: 85 % of the batches would be
    assert all(batches.next().mask.any() for _ in range(100))


def test_batches_with_hidden_tokens_are_the_chain_s_and_the_masks_own() -> None:
    batches = stream()
    whole = masked_block(CHAIN, batches.n_batches * 2, 4, 0.3, derive_generator(0, "data"))
    for index in range(batches.n_batches):
        batch, rows = batches.next(), slice(2 * index, 2 * index + 2)
        if whole.mask[rows].any():
            assert torch.equal(batch.tokens, whole.tokens[rows])
            assert torch.equal(batch.mask, whole.mask[rows])


def test_no_batch_comes_twice() -> None:
    batches = stream(batch_size=8, seq_len=16)
    drawn = {tuple(batches.next().tokens.flatten().tolist()) for _ in range(100)}
    assert len(drawn) == 100


@pytest.mark.parametrize("used", [0, 1, 31, 32, 33, 70])
def test_a_restored_stream_goes_on_with_the_same_batches(used: int) -> None:
    """Before, at and after the ends of the blocks of 32 that are drawn at a time."""
    first = stream()
    assert first.n_batches == 32
    for _ in range(used):
        first.next()
    state = first.state
    expected = [first.next() for _ in range(40)]
    second = stream(seed=9)
    second.next()
    second.restore(state)
    assert all(same(second.next(), batch) for batch in expected)


def test_a_state_is_a_copy() -> None:
    batches = stream()
    state = batches.state
    expected = batches.next()
    for _ in range(50):
        batches.next()
    batches.restore(state)
    assert same(batches.next(), expected)


def test_large_batches_are_drawn_one_at_a_time() -> None:
    assert stream(batch_size=2**18, seq_len=4).n_batches == 1
