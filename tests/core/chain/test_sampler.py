from typing import Any

import numpy as np
import pytest
import torch

from rgcore.chain import make_chain
from rgcore.chain.sampler import MOST_CELLS, Sampler

LARGEST = 1.0 - 2.0**-53
"""Of the uniforms that torch draws in float64."""


def searched(cumulative: Any, uniforms: Any) -> Any:
    """Sequences (n, T) of uniforms (T, n), each token searched for by itself."""
    found = np.empty(uniforms.shape, dtype=np.int64)
    law = np.full(uniforms.shape[1], len(cumulative) - 1)  # pi
    for t, row in enumerate(uniforms):
        found[t] = [
            np.searchsorted(cumulative[state], u, side="right")
            for state, u in zip(law, row, strict=True)
        ]
        law = found[t]
    return found.T


def drawn(cumulative: Any, uniforms: Any) -> Any:
    return Sampler.of(cumulative).tokens(torch.from_numpy(uniforms)).numpy()


def of_rows(*rows: Any) -> Any:
    """Distribution functions of the rows of P, then of the law of the first token."""
    cumulative = np.cumsum(rows, axis=1)
    return cumulative / cumulative[:, -1:]


@pytest.mark.parametrize("n_states", [2, 3, 16, 64, 200])
@pytest.mark.parametrize("family", ["random_reversible", "ring", "potts"])
def test_tokens_are_those_of_a_search(family: str, n_states: int) -> None:
    chain = make_chain(family, n_states, 3.0)
    uniforms = np.random.default_rng(0).random((19, 40))
    expected = searched(chain.cumulative, uniforms)
    np.testing.assert_array_equal(drawn(chain.cumulative, uniforms), expected)


def test_tokens_at_and_beside_every_boundary_are_those_of_a_search() -> None:
    cumulative = make_chain("random_reversible", 8, 3.0).cumulative
    edges = np.unique(cumulative[:, :-1])
    edges = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 1), [0.0, LARGEST]])
    first = np.repeat(np.linspace(0, LARGEST, 50), len(edges))  # reaches every state
    uniforms = np.stack([first, np.tile(edges, 50)])
    assert set(searched(cumulative, uniforms)[:, 0]) == set(range(8))
    np.testing.assert_array_equal(drawn(cumulative, uniforms), searched(cumulative, uniforms))


def test_boundaries_too_close_for_any_cell_are_told_apart() -> None:
    tiny = 1e-9
    row = [0.3, tiny, tiny, tiny, 0.7 - 3 * tiny]
    cumulative = of_rows(*[row] * 6)
    sampler = Sampler.of(cumulative)
    assert sampler.climbs == 4
    near = cumulative[0, 0] + tiny * np.arange(-1, 4) + tiny / 2
    uniforms = np.stack([near, near])
    np.testing.assert_array_equal(drawn(cumulative, uniforms)[:, 1], np.arange(5))


def test_states_of_probability_zero_are_never_drawn_whatever_the_uniform() -> None:
    row = [0.0, 0.5, 0.0, 0.0, 0.5, 0.0]
    cumulative = of_rows(*[row] * 7)
    edges = np.array([0.0, 5e-324, np.nextafter(0.5, 0), 0.5, np.nextafter(0.5, 1), LARGEST])
    found = drawn(cumulative, np.stack([edges, edges]))
    np.testing.assert_array_equal(found, [[1, 1], [1, 1], [1, 1], [4, 4], [4, 4], [4, 4]])


def test_states_of_probability_zero_cost_no_comparison() -> None:
    # one boundary a row, repeated over all the states that are never reached
    assert Sampler.of(of_rows(*[[0.3] + [0.0] * 30 + [0.7]] * 33)).climbs == 1


def test_tables_stay_small() -> None:
    sampler = Sampler.of(make_chain("random_reversible", 256, 7.0).cumulative)
    assert sampler.n_cells * 256 <= MOST_CELLS
