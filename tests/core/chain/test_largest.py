"""The bounds of a family are allowed themselves, and what lies beyond is refused with them."""

from __future__ import annotations

from typing import Any

import pytest

from rgcore.chain import ChainError, make_chain


@pytest.mark.parametrize("corr_len", [0.05, 1e6])
def test_the_shortest_and_the_longest_memory_are_held(corr_len: float) -> None:
    assert make_chain("potts", n_states=3, corr_len=corr_len).corr_len == pytest.approx(
        corr_len, rel=1e-6
    )  # AGREEMENT


@pytest.mark.parametrize("corr_len", [0.0499, 1.01e6, float("nan"), float("inf")])
def test_a_memory_beyond_them_is_refused(corr_len: Any) -> None:
    with pytest.raises(ChainError, match=r"0\.05 to 1e\+06 tokens"):
        make_chain("potts", n_states=3, corr_len=corr_len)


def _uneven(concentration: Any) -> Any:
    return make_chain("random_reversible", n_states=4, corr_len=2.0, concentration=concentration)


@pytest.mark.parametrize("concentration", [0.01, 1e6])
def test_the_most_uneven_and_the_most_even_weights_make_a_chain(concentration: float) -> None:
    chain = _uneven(concentration)
    assert chain.corr_len == pytest.approx(2.0, rel=1e-6)  # AGREEMENT


@pytest.mark.parametrize("concentration", [0.0099, 1.01e6, float("nan")])
def test_weights_beyond_them_are_refused(concentration: Any) -> None:
    with pytest.raises(ChainError, match=r"0\.01 to 1e\+06"):
        _uneven(concentration)
