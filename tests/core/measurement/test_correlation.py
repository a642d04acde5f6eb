from typing import Any

import numpy as np
import pytest
import torch

from rgcore.cost.passes import MOST_LAG
from rgcore.measurement import REASONS
from rgcore.measurement.correlation import StreamCorrelation

CPU = torch.device("cpu")


def gathered(layers: Any, sizes: Any) -> Any:
    """Of K streams (n, T, d) in batches."""
    _, seq_len, width = layers[0].shape
    correlation = StreamCorrelation(len(layers), seq_len, width, CPU, np.finfo(np.float64).eps)
    begin = 0
    for size in sizes:
        for layer, stream in enumerate(layers):
            correlation.add(layer, stream[begin : begin + size])
        begin += size
    return correlation


def exact(seq_len: Any, corr_len: Any, n: int = 300) -> Any:
    """(n, T, 1) sequences whose sample covariance is exp(-|t - t'| / xi) exactly, off centre."""
    lag = np.abs(np.subtract.outer(np.arange(seq_len), np.arange(seq_len)))
    basis = np.random.default_rng(0).normal(size=(n, seq_len))
    basis = np.linalg.qr(basis - basis.mean(axis=0))[0]  # orthonormal columns of mean zero
    root = np.linalg.cholesky(np.exp(-lag / corr_len))
    return torch.from_numpy(np.sqrt(n) * basis @ root.T + 3.0)[..., None]


@pytest.mark.parametrize("corr_len", [0.7, 2.0, 7.0])
@pytest.mark.parametrize("seq_len", [12, 70])  # longer than a block of lags, too
def test_an_exponential_decay_gives_its_length(seq_len: int, corr_len: float) -> None:
    found = gathered([exact(seq_len, corr_len)], [100, 200]).observed()
    assert found.arrays["corr_len_flow"] == pytest.approx([corr_len], rel=1e-8)  # 300 float64 rows
    lags = np.arange(min(seq_len - 1, MOST_LAG) + 1)
    np.testing.assert_allclose(
        found.arrays["stream_correlation"], [np.exp(-lags / corr_len)], rtol=0, atol=1e-12
    )


def test_several_dimensions_add_up() -> None:
    short, long = exact(12, 1.0), exact(12, 4.0)
    found = gathered([torch.cat([short, 2.0 * long], dim=2)], [300]).observed()
    lags = np.arange(12)
    mixture = (np.exp(-lags) + 4.0 * np.exp(-lags / 4.0)) / 5.0
    np.testing.assert_allclose(found.arrays["stream_correlation"], [mixture], rtol=0, atol=1e-12)


def test_layers_have_lengths_of_their_own() -> None:
    found = gathered([exact(12, 1.0), exact(12, 3.0)], [300]).observed()
    assert found.arrays["corr_len_flow"] == pytest.approx([1.0, 3.0], rel=1e-8)


def test_it_is_the_covariance_of_the_rows() -> None:
    drawn = np.random.default_rng(1).normal(size=(50, 6, 3)).cumsum(axis=1) + 10.0
    found = gathered([torch.from_numpy(drawn)], [20, 30]).correlation()
    x = drawn - drawn.mean(axis=0)
    wanted = [
        np.mean([(x[:, t] * x[:, t + r]).sum(axis=1).mean() for t in range(6 - r)])
        for r in range(6)
    ]
    np.testing.assert_allclose(found, [wanted], rtol=1e-11)


def reason(found: Any, name: Any) -> Any:
    (code,) = set(found.codes[name].ravel().tolist())
    return REASONS[code - 1]


def test_noise_decays_within_a_lag() -> None:
    noise = torch.from_numpy(np.random.default_rng(2).normal(size=(5000, 8, 2)))
    assert reason(gathered([noise], [5000]).observed(), "corr_len_flow") == "decays_within_a_lag"


def test_one_number_for_all_positions_does_not_decay() -> None:
    same = torch.from_numpy(np.random.default_rng(2).normal(size=(50, 1, 2))).expand(-1, 8, -1)
    assert reason(gathered([same], [50]).observed(), "corr_len_flow") == "does_not_decay"


def test_a_constant_layer_has_none() -> None:
    constant = torch.full((30, 8, 2), 0.1)
    found = gathered([constant], [10, 20]).observed()
    assert reason(found, "corr_len_flow") == "constant_layer"
    assert reason(found, "stream_correlation") == "constant_layer"


def test_one_sequence_has_none() -> None:
    found = gathered([exact(8, 1.0)[:1]], [1]).observed()
    assert reason(found, "stream_correlation") == "too_few_rows"


def test_a_layer_that_is_not_finite_spoils_no_other() -> None:
    spoilt = exact(12, 3.0)
    spoilt[3, 4, 0] = torch.nan
    found = gathered([exact(12, 1.0), spoilt], [300]).observed()
    assert found.arrays["corr_len_flow"][0] == pytest.approx(1.0, rel=1e-8)
    assert REASONS[found.codes["corr_len_flow"][1] - 1] == "not_finite"


@pytest.mark.parametrize("mixing", ["context", "mixer", "window"])
def test_network_reports_it_for_each_layer(network_of: Any, measured: Any, mixing: str) -> None:
    found = measured(network_of(mixing)).network
    assert found.arrays["stream_correlation"].shape == (3, 8)
    assert found.arrays["corr_len_flow"].shape == (3,)
    np.testing.assert_array_equal(found.arrays["stream_correlation"][:, 0], 1.0)


def test_one_stream_per_sequence_has_no_positions_to_correlate(
    network_of: Any, measured: Any
) -> None:
    assert "corr_len_flow" not in measured(network_of("flat")).network.arrays
