from typing import Any

import pytest
import torch

from rgcore.chain import make_chain
from rgcore.measurement.sequences import Sequences

CHAIN = make_chain("potts", 3, 1.0)


def sequences(n: Any, **changes: Any) -> Any:
    settings = {"seq_len": 6, "mask_prob": 0.2, "seed": 1} | changes
    return Sequences(CHAIN, settings["seq_len"], n, settings["mask_prob"], settings["seed"])


def tokens(of: Any) -> Any:
    return torch.cat([block.tokens for block in of.blocks()])


def test_the_first_are_the_same_for_every_larger_number() -> None:
    assert torch.equal(tokens(sequences(1500))[:30], tokens(sequences(30)))


def test_every_reading_is_the_same() -> None:
    same = sequences(20)
    assert torch.equal(tokens(same), tokens(same))


@pytest.mark.parametrize(("n", "size"), [(4, 1), (10, 1), (10, 7), (2100, 100), (2100, 5000)])
def test_batches_are_all_sequences_in_order(n: int, size: int) -> None:
    batches = [batch.tokens for _, batch in sequences(n).batches(size)]
    assert torch.equal(torch.cat(batches), tokens(sequences(n)))
    assert max(len(batch) for batch in batches) <= size


@pytest.mark.parametrize(("n", "sizes"), [(8, [2, 2, 2, 2]), (11, [2, 3, 3, 3]), (2, [0, 1, 0, 1])])
def test_quarters_split_each_half_in_two(n: int, sizes: Any) -> None:
    found = [0, 0, 0, 0]
    for quarter, batch in sequences(n).batches(3):
        found[quarter] += len(batch.tokens)
    assert found == sizes


def test_one_sequence_is_in_the_last_quarter() -> None:
    assert [quarter for quarter, _ in sequences(1).batches(3)] == [3]


def test_a_token_is_hidden_however_rare_masks_are() -> None:
    blocks = list(sequences(3, mask_prob=1e-9).blocks())
    assert [int(block.mask.sum()) for block in blocks] == [1]
    assert (blocks[0].inputs[blocks[0].mask] == CHAIN.n_states).all()
