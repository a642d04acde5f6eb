from typing import Any

import numpy as np
import pytest
import torch

from rgcore.measurement import REASONS, Moments
from rgcore.measurement.observe import observe


def all_parts(measurement: Any) -> Any:
    return {**measurement.levels, "network": measurement.network}


def assert_every_nan_has_a_reason(measurement: Any) -> None:
    for level, part in all_parts(measurement).items():
        for arrays, reasons in ((part.arrays, part.reasons), (part.half, part.half_reasons)):
            for name, array in arrays.items():
                assert np.flatnonzero(~np.isfinite(array)).tolist() == list(
                    reasons.get(name, {})
                ), f"{level} {name}"
                assert set(reasons.get(name, {}).values()) <= set(REASONS)


def of_one(part: Any, name: Any) -> Any:
    """The one reason of an array that is nan throughout."""
    assert len(part.reasons[name]) == part.arrays[name].size
    (reason,) = set(part.reasons[name].values())
    return reason


@pytest.mark.parametrize("mixing", ["context", "flat", "mixer", "window"])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 20])
def test_few_sequences(network_of: Any, measured: Any, mixing: str, n: int) -> None:
    assert_every_nan_has_a_reason(measured(network_of(mixing), n_sequences=n))


def test_one_row_has_no_observable(network_of: Any, measured: Any) -> None:
    part = measured(network_of("context"), n_sequences=1).levels["position"]
    assert all(of_one(part, name) == "too_few_rows" for name in part.arrays)


def test_three_rows_have_no_unbiased_observable(network_of: Any, measured: Any) -> None:
    part = measured(network_of("context"), n_sequences=3).levels["pooled"]
    unbiased = {"participation_ratio_corrected", "kernel_drift_debiased", "cka_debiased"}
    assert set(part.reasons) == unbiased
    assert all(of_one(part, name) == "too_few_rows" for name in unbiased)


def test_fewer_rows_than_dimensions_have_observables(network_of: Any, measured: Any) -> None:
    part = measured(network_of("context"), n_sequences=4).levels["pooled"]
    assert part.reasons == {}
    assert (part.arrays["effective_rank"] <= 3).all()


@pytest.mark.parametrize("mixing", ["context", "flat", "mixer", "window"])
def test_constant_network(network_of: Any, measured: Any, mixing: str) -> None:
    network = network_of(mixing)
    with torch.no_grad():
        network.stem.embedding.zero_()
    measurement = measured(network)
    assert_every_nan_has_a_reason(measurement)
    for level, part in measurement.levels.items():
        # the pad, or the place, tells positions of one sequence apart, not sequences
        if level in ("position", "pooled", "sequence"):
            assert all(of_one(part, name) == "constant_layer" for name in part.arrays)
    network_part = measurement.network
    assert of_one(network_part, "relevance_eigenvectors") in ("constant_layer", "too_few_rows")
    if mixing != "flat":
        assert of_one(network_part, "stream_correlation") == "constant_layer"
        assert of_one(network_part, "corr_len_flow") == "constant_layer"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("mixing", ["context", "flat", "mixer", "window"])
def test_last_layer_is_not_finite(network_of: Any, measured: Any, mixing: str, bad: Any) -> None:
    network = network_of(mixing)
    with torch.no_grad():
        network.blocks[-1].leave.bias[0] = bad
    measurement = measured(network)
    assert_every_nan_has_a_reason(measurement)
    part = next(iter(measurement.levels.values()))
    assert part.reasons["effective_rank"] == {2: "not_finite"}
    assert part.reasons["kernel_drift"] == {1: "not_finite"}
    assert of_one(part, "effective_transitions") == "not_finite"
    assert not np.isfinite(measurement.loss)
    assert measurement.under_trained


def test_layers_that_do_not_change_have_no_drift_to_place(network_of: Any, measured: Any) -> None:
    network = network_of("context")
    with torch.no_grad():
        for block in network.blocks:
            block.leave.weight.zero_()
    part = measured(network).levels["token"]
    assert part.arrays["kernel_drift"] == pytest.approx([0.0, 0.0], abs=1e-15)
    if (part.arrays["kernel_drift"] == 0).all():
        assert of_one(part, "effective_transitions") == "no_drift"


def test_no_position_with_its_window_inside(network_of: Any, measured: Any) -> None:
    measurement = measured(network_of("context", context=4))
    assert_every_nan_has_a_reason(measurement)
    part = measurement.levels["position"]
    assert of_one(part, "effective_rank") == "no_full_context"
    assert of_one(part, "effective_transitions") == "no_full_context"
    assert "effective_rank_by_position" not in part.reasons


def test_rows_that_show_no_direction_twice() -> None:
    moments = Moments(2, 1, 6, torch.device("cpu"))
    for layer in range(2):
        moments.add(layer, torch.eye(6)[None])
    observed = observe(moments, float(np.finfo(np.float32).eps))
    place = REASONS.index("below_noise") + 1
    for name in ("participation_ratio_corrected", "kernel_drift_debiased", "cka_debiased"):
        assert np.isnan(observed.arrays[name]).all()
        assert (observed.codes[name] == place).all()
    assert observed.arrays["participation_ratio"] == pytest.approx(5.0)


def test_two_tokens_are_too_short_for_a_correlation_length(network_of: Any, measured: Any) -> None:
    measurement = measured(network_of("context", seq_len=2, context=0))
    assert_every_nan_has_a_reason(measurement)
    assert of_one(measurement.network, "corr_len_flow") == "too_few_lags"
    assert measurement.network.arrays["stream_correlation"].shape == (3, 2)


@pytest.mark.parametrize("double", [False, True])
def test_what_differs_by_rounding_alone_is_constant(
    network_of: Any, measured: Any, double: bool
) -> None:
    network = network_of("context", context=0, width=24, depth=4)  # every hidden token looks alike
    network = network.double() if double else network.float()
    measurement = measured(network, batch_size=13)
    assert of_one(measurement.levels["masked"], "effective_rank") == "constant_layer"
    assert of_one(measurement.network, "relevance_posterior") == "constant_layer"


def test_what_differs_by_more_than_rounding_is_measured() -> None:
    rows = np.random.default_rng(0).normal(size=(1, 100, 4)) * 1e-5 + 1.0
    moments = Moments(2, 1, 4, torch.device("cpu"))
    for layer in range(2):
        moments.add(layer, torch.from_numpy(rows).float())
    observed = observe(moments, float(np.finfo(np.float32).eps))
    assert observed.arrays["effective_rank"][0, 0] == pytest.approx(4.0, abs=0.2)
