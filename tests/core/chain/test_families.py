import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgcore.chain import FAMILIES, ChainError, make_chain, markov_chain

ROUNDING = 1e-13
"""Some V epsilons, V up to 64."""

tunable_chains = st.builds(
    make_chain,
    st.sampled_from(["potts", "ring", "random_reversible"]),
    n_states=st.sampled_from([2, 3, 5, 16, 64]),
    corr_len=st.floats(0.05, 1000.0),
    seed=st.integers(0, 2**63 - 1),
)
trees = st.builds(
    lambda branching, scales: make_chain(
        "hierarchical", branching=branching, scales=sorted(scales)
    ),
    st.sampled_from([2, 3, 4]),
    st.lists(st.floats(0.05, 1000.0), min_size=1, max_size=3),
)
given_spectra = st.builds(  # |l2| + ... + |lV| <= 1/2 leaves no entry of P negative
    lambda values: make_chain(
        "spectrum", eigenvalues=np.array(values) / (2.0 * np.abs(values).sum())
    ),
    st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=15).filter(lambda v: np.abs(v).sum() > 0.1),
)
matrices = st.builds(
    lambda n_states, seed: make_chain(
        "explicit",
        matrix=np.random.default_rng(seed).dirichlet(np.full(n_states, 0.5), size=n_states),
    ),
    st.sampled_from([2, 3, 5, 16, 64]),
    st.integers(0, 2**32 - 1),
)
random_chains = st.builds(
    make_chain,
    st.just("random_reversible"),
    n_states=st.sampled_from([2, 3, 4, 16, 64]),
    corr_len=st.floats(0.05, 1000.0),
    seed=st.integers(0, 2**63 - 1),
    concentration=st.sampled_from([0.05, 0.2, 1.0, 10.0, 100.0]),
)
reversible_chains = st.one_of(tunable_chains, random_chains, trees, given_spectra)
chains = st.one_of(reversible_chains, matrices)
quick = settings(max_examples=60, deadline=None, database=None, derandomize=True)


@quick
@given(chains)
def test_rows_of_the_transition_matrix_are_laws(chain: Any) -> None:
    assert (chain.transition >= 0).all()
    np.testing.assert_allclose(chain.transition.sum(axis=1), 1.0, rtol=0, atol=ROUNDING)


@quick
@given(chains)
def test_stationary_law_is_stationary(chain: Any) -> None:
    assert chain.stationary.sum() == pytest.approx(1.0, abs=ROUNDING)
    np.testing.assert_allclose(
        chain.stationary @ chain.transition, chain.stationary, rtol=0, atol=ROUNDING
    )


@quick
@given(reversible_chains)
def test_detailed_balance_holds(chain: Any) -> None:
    flow = chain.stationary[:, None] * chain.transition
    np.testing.assert_allclose(flow, flow.T, rtol=0, atol=ROUNDING)


@quick
@given(chains)
def test_eigenvalues_fall_in_modulus_and_start_at_one(chain: Any) -> None:
    assert chain.eigenvalues[0] == 1.0
    assert (np.diff(np.abs(chain.eigenvalues)) <= 0).all()


@quick
@given(chains)
def test_eigenvalues_sum_to_the_trace(chain: Any) -> None:
    # the first two power sums, which the general solver is not needed for
    total = chain.eigenvalues.sum()
    assert total == pytest.approx(chain.transition.trace(), abs=1e-12)  # V epsilons, V times
    squares = (chain.eigenvalues**2).sum()
    assert squares == pytest.approx((chain.transition * chain.transition.T).sum(), abs=1e-12)


@quick
@given(chains)
def test_entropies_follow_from_the_matrix_and_its_law(chain: Any) -> None:
    logs = np.log(np.where(chain.transition > 0, chain.transition, 1.0))
    rate = -(chain.stationary[:, None] * chain.transition * logs).sum()
    assert chain.entropy_rate == pytest.approx(rate, abs=ROUNDING)
    law = chain.stationary[chain.stationary > 0]
    assert chain.unigram_entropy == pytest.approx(-(law * np.log(law)).sum(), abs=ROUNDING)


@pytest.mark.parametrize("family", ["potts", "ring", "random_reversible", "hierarchical"])
@pytest.mark.parametrize("corr_len", [0.05, 0.4, 1.0, 7.0, 1000.0, 1e6])
@pytest.mark.parametrize("n_states", [2, 4, 16, 64])
def test_second_eigenvalue_is_that_of_the_correlation_length(
    family: str, corr_len: float, n_states: int
) -> None:
    chain = make_chain(family, n_states, corr_len)
    assert abs(chain.eigenvalues[1]) == pytest.approx(np.exp(-1 / corr_len), abs=1e-14)
    # d xi / xi = xi d|l2| / |l2|: 1e-15 in |l2| is 3e-8 at xi = 0.05 and 1e-9 at xi = 1e6
    assert chain.corr_len == pytest.approx(corr_len, rel=1e-6)


@settings(quick, max_examples=200)
@given(
    n_states=st.sampled_from([2, 3, 4, 16, 64]),
    corr_len=st.one_of(st.sampled_from([0.05, 1.0, 7.0, 1000.0]), st.floats(0.05, 1000.0)),
    seed=st.integers(0, 2**63 - 1),
    concentration=st.sampled_from([0.05, 0.2, 1.0, 10.0, 100.0]),
)
def test_random_chain_has_the_correlation_length_asked_for(
    n_states: Any, corr_len: Any, seed: Any, concentration: Any
) -> None:
    chain = make_chain("random_reversible", n_states, corr_len, seed, concentration=concentration)
    # the general solver knows nothing of how the chain was made; unevenness costs it digits
    if concentration >= 1.0:
        moduli = np.sort(np.abs(np.linalg.eigvals(chain.transition)))
        assert moduli[-2] == pytest.approx(np.exp(-1 / corr_len), abs=1e-10)
    assert abs(chain.eigenvalues[1]) == pytest.approx(np.exp(-1 / corr_len), abs=1e-10)
    # d xi / xi = xi d|l2| / |l2|: 1e-15 in |l2| is 1e-6 at xi = 0.05 and 1e-12 at xi = 1000
    assert chain.corr_len == pytest.approx(corr_len, rel=1e-6)


@pytest.mark.parametrize("corr_len", [0.05, 0.4, 3.0, 1000.0])
def test_both_signs_of_the_slowest_eigenvalue_come_out_right(corr_len: float) -> None:
    # two states: l2 = 1 - p - q is negative for about half of the seeds
    chains = [make_chain("random_reversible", 2, corr_len, seed) for seed in range(40)]
    for chain in chains:
        second = chain.transition.trace() - 1.0  # both eigenvalues sum to the trace
        assert abs(second) == pytest.approx(np.exp(-1 / corr_len), abs=1e-10)
    if corr_len == 0.05:
        assert {np.sign(chain.eigenvalues[1]) for chain in chains} == {-1.0, 1.0}


def test_lengthening_keeps_the_negative_eigenvalue_below() -> None:
    # seed chosen by its property: the most negative eigenvalue is the largest in modulus
    found = 0
    for seed in range(200):
        short = make_chain("random_reversible", 4, 0.3, seed, concentration=0.3)
        if short.eigenvalues[1] > 0:
            continue
        found += 1
        for corr_len in (1.0, 10.0, 100.0):
            long = make_chain("random_reversible", 4, corr_len, seed, concentration=0.3)
            second = np.sort(np.abs(np.linalg.eigvals(long.transition)))[-2]
            assert second == pytest.approx(np.exp(-1 / corr_len), abs=1e-10)
    assert found > 20


def test_correlation_length_leaves_the_stationary_law_alone() -> None:
    laws = [make_chain("random_reversible", 8, xi, 5).stationary for xi in (0.1, 1.0, 50.0)]
    np.testing.assert_allclose(laws[0], laws[1], rtol=ROUNDING)
    np.testing.assert_allclose(laws[0], laws[2], rtol=ROUNDING)


def test_small_concentration_is_uneven() -> None:
    even = make_chain("random_reversible", 16, 1.0, 0, concentration=100.0)
    uneven = make_chain("random_reversible", 16, 1.0, 0, concentration=0.05)
    assert uneven.unigram_entropy < even.unigram_entropy - 0.1


def test_random_weights_follow_the_gamma_law() -> None:
    from scipy.stats import gamma, kstest

    from rgcore.chain.families.random_reversible import _log_weights

    for concentration in (0.2, 1.0, 5.0):
        drawn = np.exp(_log_weights(64, concentration, 0)[np.triu_indices(64)])
        assert kstest(drawn, gamma(concentration).cdf).pvalue > 1e-3


def test_same_seed_gives_the_same_chain_and_another_does_not() -> None:
    first, again, other = (make_chain("random_reversible", 6, 2.0, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.transition, again.transition)
    assert np.abs(first.transition - other.transition).max() > 0.01


@pytest.mark.parametrize("n_states", [2, 3, 16, 256])
@pytest.mark.parametrize("corr_len", [0.05, 1.0, 7.0, 1000.0])
def test_potts_spectrum_is_one_and_a_multiple_eigenvalue(n_states: int, corr_len: float) -> None:
    chain = make_chain("potts", n_states, corr_len)
    expected = np.full(n_states, np.exp(-1 / corr_len))
    expected[0] = 1.0
    np.testing.assert_allclose(chain.eigenvalues, expected, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(chain.stationary, 1 / n_states)


def test_memoryless_chain_of_a_seed_keeps_its_stationary_law() -> None:
    # the null that is trained: nothing is left to learn at the shortest correlation length
    short, long = (make_chain("random_reversible", 8, xi, 5) for xi in (0.05, 7.0))
    np.testing.assert_allclose(short.stationary, long.stationary, rtol=ROUNDING)
    assert short.mutual_information(1)[0] < 1e-15


def test_arrays_of_a_chain_cannot_be_written(example: Any) -> None:
    for array in (example.transition, example.stationary, example.eigenvalues):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_default_seed_is_zero() -> None:
    np.testing.assert_array_equal(
        make_chain("random_reversible", 4, 1.0).transition,
        make_chain("random_reversible", 4, 1.0, 0, concentration=1.0).transition,
    )


@pytest.mark.parametrize(
    ("arguments", "own", "field"),
    [
        (("isling", 4, 1.0), {}, "family"),
        (("potts", 1, 1.0), {}, "n_states"),
        (("potts", 4, 0.0), {}, "corr_len"),
        (("potts", 4, -1.0), {}, "corr_len"),
        (("potts", 4, float("nan")), {}, "corr_len"),
        (("potts", 4, float("inf")), {}, "corr_len"),
        (("potts", 4, 1.0), {"concentration": 1.0}, "concentration"),
        (("potts", None, 1.0), {}, "n_states"),
        (("ring", 4, None), {}, "corr_len"),
        (("ring", 1, 1.0), {}, "n_states"),
        (("ring", 4, 0.01), {}, "corr_len"),
        (("ring", 4, 1.0), {"hop": 0.1}, "hop"),
        (("spectrum",), {}, "eigenvalues"),
        (("explicit",), {"matrix": None}, "matrix"),
        (("hierarchical", 8, 1.0), {"branchings": 2}, "branchings"),
        (("random_reversible", 4, 1.0), {"concentraton": 1.0}, "concentraton"),
        (("random_reversible", 4, 1.0), {"concentration": 0.0}, "concentration"),
        (("random_reversible", 4, 1.0), {"concentration": float("nan")}, "concentration"),
    ],
)
def test_impossible_chains_are_refused_by_field(arguments: Any, own: Any, field: str) -> None:
    with pytest.raises(ChainError) as caught:
        make_chain(*arguments, **own)
    assert caught.value.field == field
    assert caught.value.allowed in str(caught.value)


def test_error_survives_the_trip_between_processes() -> None:
    sent = ChainError("matrix", 0.9, "rows that sum to 1", "row 0 sums to 0.9")
    error = pickle.loads(pickle.dumps(sent))
    assert str(error) == "matrix: row 0 sums to 0.9; allowed: rows that sum to 1"
    assert (error.field, error.value, error.allowed) == (sent.field, sent.value, sent.allowed)


def test_error_without_a_reason_shows_the_value() -> None:
    assert str(ChainError("corr_len", 0.0, "more")) == "corr_len is 0.0; allowed: more"


def test_every_family_is_named_after_itself() -> None:
    given: dict[str, dict[str, Any]] = {
        "spectrum": {"eigenvalues": (0.2,)},
        "explicit": {"matrix": [[0.5, 0.5], [0.4, 0.6]]},
    }
    for family, own in given.items():
        assert make_chain(family, **own).family == family
    for family in set(FAMILIES) - set(given):
        assert make_chain(family, 4, 1.0).family == family


def test_stationary_law_is_found_where_it_is_not_given() -> None:
    step = np.array([[0.5, 0.5, 0.0], [0.25, 0.0, 0.75], [0.0, 0.5, 0.5]])
    # flows in balance: pi_1 = 2 pi_0, pi_2 = 3/2 pi_1
    expected = np.array([1.0, 2.0, 3.0]) / 6.0
    np.testing.assert_allclose(markov_chain("path", step).stationary, expected, rtol=1e-15)
