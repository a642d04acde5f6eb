from typing import Any

import numpy as np
import pytest

from rgcore.chain import ChainError, make_chain

SHAPES = [(2, 1), (2, 4), (3, 1), (3, 3), (4, 2), (16, 1)]


def refusal(**own: Any) -> Any:
    with pytest.raises(ChainError) as caught:
        make_chain("hierarchical", **own)
    return caught.value


def in_order(values: Any) -> Any:
    return np.sort(values)[::-1]


@pytest.mark.parametrize(("branching", "n_scales"), SHAPES)
def test_each_scale_has_its_eigenvalue_with_its_multiplicity(branching: Any, n_scales: Any) -> None:
    scales = 0.5 + 1.7 * np.arange(n_scales)
    chain = make_chain("hierarchical", scales=tuple(scales), branching=branching)
    many = [branching ** (n_scales - j) - branching ** (n_scales - j - 1) for j in range(n_scales)]
    expected = in_order([1.0, *np.repeat(np.exp(-1 / scales), many)])
    assert len(expected) == branching**n_scales
    np.testing.assert_allclose(chain.eigenvalues, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("branching", "n_scales"), SHAPES)
def test_difference_of_two_sibling_blocks_decays_with_the_eigenvalue_of_its_scale(
    branching: Any, n_scales: Any
) -> None:
    scales = tuple(0.5 + 1.7 * j for j in range(n_scales))
    chain = make_chain("hierarchical", scales=scales, branching=branching)
    for j, corr_len in enumerate(scales):
        contrast = np.zeros(chain.n_states)
        contrast[: branching**j] = 1.0
        contrast[branching**j : 2 * branching**j] = -1.0
        np.testing.assert_allclose(
            chain.transition @ contrast, np.exp(-1 / corr_len) * contrast, atol=1e-14
        )  # rounding


def test_by_default_each_scale_is_half_as_long_as_the_next() -> None:
    chain = make_chain("hierarchical", 16, 7.0)
    np.testing.assert_array_equal(chain.scale_corr_lens, [0.875, 1.75, 3.5, 7.0])


@pytest.mark.parametrize("corr_len", [0.05, 1.0, 7.0, 1000.0])
@pytest.mark.parametrize(("branching", "n_scales"), SHAPES)
def test_longest_scale_is_the_correlation_length(
    branching: Any, n_scales: Any, corr_len: float
) -> None:
    chain = make_chain("hierarchical", branching**n_scales, corr_len, branching=branching)
    # 1e-15 in |l2| is 1e-6 of xi at xi = 0.05
    assert chain.corr_len == pytest.approx(corr_len, rel=1e-6)
    assert chain.scale_corr_lens is not None
    assert chain.scale_corr_lens[-1] == corr_len


def test_two_states_of_one_block_are_more_likely_neighbours_than_two_of_a_larger_one() -> None:
    row = make_chain("hierarchical", 8, 4.0).transition[0]
    assert row[0] > row[1] > row[2] == row[3] > row[4] == row[7] > 0


def test_one_scale_is_potts() -> None:
    np.testing.assert_allclose(
        make_chain("hierarchical", 5, 2.0, branching=5).transition,
        make_chain("potts", 5, 2.0).transition,
        rtol=1e-14,
    )


def test_equal_scales_are_potts() -> None:
    np.testing.assert_allclose(
        make_chain("hierarchical", 8, scales=(2.0, 2.0, 2.0)).transition,
        make_chain("potts", 8, 2.0).transition,
        rtol=1e-14,
    )


def test_scale_of_length_zero_is_not_remembered() -> None:
    chain = make_chain("hierarchical", scales=(0.0, 3.0))
    # which of the two leaves of a block comes next does not depend on this leaf
    np.testing.assert_array_equal(chain.transition[:, 0], chain.transition[:, 1])
    assert (chain.eigenvalues[2:] == 0).all()


def test_other_families_have_no_scales() -> None:
    assert make_chain("potts", 4, 1.0).scale_corr_lens is None


@pytest.mark.parametrize("corr_len", [None, 3.0])
def test_given_scales_need_nothing_else_and_agree_with_it(corr_len: Any) -> None:
    chain = make_chain("hierarchical", None, corr_len, scales=(1.0, 3.0))
    assert chain.n_states == 4
    assert chain.corr_len == pytest.approx(3.0, rel=1e-12)


@pytest.mark.parametrize(
    ("branching", "n_states", "near"),
    [(2, 12, "8 or 16"), (3, 2, "such as 3"), (3, 10, "9 or 27"), (2, 17, "16 or 32")],
)
def test_number_of_states_off_a_power_is_refused_with_the_nearest(
    branching: int, n_states: int, near: str
) -> None:
    error = refusal(n_states=n_states, corr_len=1.0, branching=branching)
    assert error.field == "n_states"
    assert near in error.allowed


def test_falling_scales_are_refused_with_the_entry() -> None:
    error = refusal(n_states=8, scales=(1.0, 3.0, 2.0))
    assert (error.field, error.value) == ("scales", 2.0)
    assert "entry 2 is 2.0, below 3.0" in str(error)


def test_wrong_number_of_scales_is_refused_with_the_right_one() -> None:
    error = refusal(n_states=8, scales=(1.0, 3.0))
    assert error.field == "scales"
    assert "has 2 entries; allowed: 3, one for each scale of 8 = 2^3" in str(error)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_scale_that_is_no_length_is_refused_with_the_entry(bad: Any) -> None:
    error = refusal(n_states=4, scales=(bad, 3.0))
    assert error.field == "scales"
    assert "entry 0" in str(error)


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"n_states": 4, "scales": (1.0, 3.0), "corr_len": 2.0}, "corr_len"),
        ({"n_states": 4, "scales": (0.0, 0.0)}, "scales[-1]"),
        ({"n_states": 4, "scales": ()}, "scales"),
        ({"n_states": 4, "corr_len": 1.0, "branching": 1}, "branching"),
        ({"n_states": 4}, "corr_len"),
        ({"corr_len": 4.0}, "n_states"),
    ],
)
def test_impossible_trees_are_refused_by_field(own: Any, field: str) -> None:
    assert refusal(**own).field == field
