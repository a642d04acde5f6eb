import itertools
from typing import Any

import numpy as np
import pytest

from rgcore.chain import make_chain
from rgcore.measurement.irrelevant import irrelevant_tokens
from rgcore.random import derive_generator

LENGTH = 7
CHAIN = make_chain("explicit", matrix=[[0.1, 0.7, 0.2], [0.2, 0.2, 0.6], [0.6, 0.3, 0.1]])
MASKS = np.array(list(itertools.product([False, True], repeat=LENGTH)))


def law(step: Any, state: Any, distance: Any) -> Any:
    return np.linalg.matrix_power(step, distance)[state]


def naive(tokens: Any, mask: Any, radius: Any) -> Any:
    """By looking outwards from every hidden token."""
    pi, step = CHAIN.stationary, CHAIN.transition
    backwards = (pi[:, None] * step).T / pi[:, None]
    exists, innovation = [], []
    for row, place in zip(*np.nonzero(mask), strict=True):
        seen = np.flatnonzero(~mask[row])
        left = [t for t in seen[::-1] if place - radius <= t < place]
        right = [t for t in seen if place < t <= place + radius]
        exists.append(len(left) >= 2 and len(right) >= 2)
        if exists[-1]:
            word = tokens[row]
            innovation.append(
                np.concatenate(
                    [
                        np.eye(3)[word[left[1]]] - law(backwards, word[left[0]], left[0] - left[1]),
                        np.eye(3)[word[right[1]]] - law(step, word[right[0]], right[1] - right[0]),
                    ]
                )
            )
    return np.array(exists), np.array(innovation).reshape(-1, 6)


@pytest.mark.parametrize("radius", [0, 1, 2, 3, LENGTH])
def test_every_mask_of_a_short_sequence(radius: Any) -> None:
    tokens = CHAIN.sample(len(MASKS), LENGTH, derive_generator(0, "data")).numpy()
    found = irrelevant_tokens(CHAIN, tokens, MASKS, radius)
    exists, innovation = naive(tokens, MASKS, radius)
    np.testing.assert_array_equal(found.exists, exists)
    np.testing.assert_allclose(found.innovation, innovation, rtol=0, atol=1e-14)


def test_no_radius_is_the_whole_sequence() -> None:
    tokens = CHAIN.sample(len(MASKS), LENGTH, derive_generator(0, "data")).numpy()
    everywhere = irrelevant_tokens(CHAIN, tokens, MASKS, None)
    wide = irrelevant_tokens(CHAIN, tokens, MASKS, LENGTH)
    np.testing.assert_array_equal(everywhere.innovation, wide.innovation)


def test_view_of_one_token_to_each_side_holds_none() -> None:
    tokens = CHAIN.sample(len(MASKS), LENGTH, derive_generator(0, "data")).numpy()
    assert not irrelevant_tokens(CHAIN, tokens, MASKS, 1).exists.any()


def test_says_nothing_of_the_hidden_token_and_the_nearest() -> None:
    """Exactly: over all sequences with their probabilities."""
    mask = np.array([False, False, True, True, False, True, False])
    tokens = np.array(list(itertools.product(range(3), repeat=LENGTH)))
    weight = CHAIN.stationary[tokens[:, 0]] * np.prod(
        CHAIN.transition[tokens[:, :-1], tokens[:, 1:]], axis=1
    )
    found = irrelevant_tokens(CHAIN, tokens, np.tile(mask, (len(tokens), 1)), None)
    exists = found.exists.reshape(len(tokens), 3)
    np.testing.assert_array_equal(exists.all(axis=0), [True, True, False])
    innovation = found.innovation.reshape(len(tokens), 2, 6)  # of the tokens at 2 and 3
    for place, at in ((2, 0), (3, 1)):
        code = tokens[:, 1] + 3 * tokens[:, place] + 9 * tokens[:, 4]  # nearest, hidden, nearest
        for value in range(27):
            chosen = code == value
            mean = weight[chosen] @ innovation[chosen, at]
            np.testing.assert_allclose(mean, 0.0, rtol=0, atol=1e-15)


def test_nothing_hidden_is_nothing_found() -> None:
    found = irrelevant_tokens(CHAIN, np.zeros((2, 5), int), np.zeros((2, 5), bool), None)
    assert found.exists.shape == (0,)
    assert found.innovation.shape == (0, 6)
