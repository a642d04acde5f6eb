from typing import Any

import numpy as np
import pytest
import torch
from devices import DEVICE

from rgcore.random import derive_generator
from rgcore.training.data import masked_block

N = 128


def drawn(chain: Any, n: Any) -> Any:
    block = masked_block(chain, 1024, 8, 0.3, derive_generator(5, "measure"))
    return block.tokens[:n].numpy(), block.mask[:n].numpy(), block.inputs[:n]


def law(chain: Any, word: Any, hidden: Any, place: Any, radius: Any) -> Any:
    """Of one hidden token given what is seen within the radius, by passing messages inwards."""
    near = range(max(0, place - radius), min(len(word), place + radius + 1))
    past, future = chain.stationary, np.ones(chain.n_states)
    for t in range(near.start, place):
        past = (past if hidden[t] else past * np.eye(chain.n_states)[word[t]]) @ chain.transition
    for t in range(near.stop - 1, place, -1):
        seen = future if hidden[t] else future * np.eye(chain.n_states)[word[t]]
        future = chain.transition @ seen
    return past * future / (past @ future)


def farther(chain: Any, word: Any, hidden: Any, place: Any, radius: Any) -> Any:
    """Innovations of the second visible tokens to each side; None if they are not in view."""
    seen = [t for t in range(len(word)) if not hidden[t] and abs(t - place) <= radius]
    left, right = [t for t in seen if t < place][::-1], [t for t in seen if t > place]
    if len(left) < 2 or len(right) < 2:
        return None
    pi, step = chain.stationary, chain.transition
    found = []
    for (near, far), one in (
        (left[:2], (pi[:, None] * step).T / pi[:, None]),
        (right[:2], step),
    ):
        gone = np.linalg.matrix_power(one, abs(far - near))[word[near]]
        found.append(np.eye(chain.n_states)[word[far]] - gone)
    return np.concatenate(found)


def r2(x: Any, y: Any, half: Any) -> Any:
    """Two-fold ridge of the rows, all targets together."""
    found = []
    for train, test in ((half, ~half), (~half, half)):
        a, b = x[train] - x[train].mean(axis=0), y[train] - y[train].mean(axis=0)
        weights = np.linalg.solve(
            a.T @ a + 1e-6 * (a**2).sum() / a.shape[1] * np.eye(a.shape[1]), a.T @ b
        )
        missed = y[test] - y[train].mean(axis=0) - (x[test] - x[train].mean(axis=0)) @ weights
        spread = y[test] - y[test].mean(axis=0)
        found.append(1 - (missed**2).sum() / (spread**2).sum())
    return np.mean(found)


def expected(network: Any, chain: Any, n: Any) -> Any:
    """The four quantities, from rows, one hidden token at a time."""
    tokens, mask, inputs = drawn(chain, n)
    radius = {"context": 2, "window": 2}.get(network.arch.mixing, 8)
    with torch.no_grad():
        layers = [x.cpu().numpy() for x in network.residual_stream(inputs.to(DEVICE))]
    places = list(zip(*np.nonzero(mask), strict=True))
    if network.arch.mixing == "flat":
        places = [(row, t) for row, t in places if t == 4]
        rows = [np.array([stream[row] for row, _ in places]) for stream in layers]
    else:
        rows = [np.array([stream[row, t] for row, t in places]) for stream in layers]
    first = np.array([row < n // 2 for row, _ in places])
    laws = np.array([law(chain, tokens[row], mask[row], t, radius) for row, t in places])
    log_odds = np.log(np.maximum(laws, 1e-6))
    log_odds -= log_odds.mean(axis=1, keepdims=True)
    modes = chain.right_eigenvectors()
    true = modes[[tokens[row, t] for row, t in places]]  # (m, V - 1)
    parts = np.stack([true.real, true.imag], axis=2)
    beyond = [farther(chain, tokens[row], mask[row], t, radius) for row, t in places]
    exists = np.array([one is not None for one in beyond])
    innovation = np.array([one for one in beyond if one is not None])
    spread = laws @ np.abs(modes) ** 2 - np.abs(laws @ modes) ** 2
    return {
        "n_rows": len(places),
        "relevance_posterior": [r2(x, log_odds, first) for x in rows],
        "relevance_irrelevant": [r2(x[exists], innovation, first[exists]) for x in rows],
        "relevance_eigenvectors": [
            [r2(x, parts[:, k], first) for k in range(modes.shape[1])] for x in rows
        ],
        "relevance_eigenvectors_ceiling": 1 - spread.mean(axis=0),
    }


ABOUT: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-8}
"""A normal matrix whose ridge is 1e-6 of its largest eigenvalues takes six digits of fifteen."""


@pytest.mark.parametrize("mixing", ["context", "flat", "mixer", "window"])
@pytest.mark.parametrize("which", ["whole", "half"])
def test_it_is_that_of_the_rows(
    network_of: Any, measured: Any, chain: Any, mixing: str, which: str
) -> None:
    network = network_of(mixing)
    part = measured(network, n_sequences=3 * N).network
    n = 3 * N if which == "whole" else 3 * N // 2
    arrays, reasons = (
        (part.arrays, part.reasons) if which == "whole" else (part.half, part.half_reasons)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = expected(network, chain, n)
    if which == "whole":
        assert part.n_rows == wanted["n_rows"]
    for name in list(wanted)[1:]:
        defined = ~np.isnan(arrays[name])
        np.testing.assert_allclose(
            arrays[name][defined], np.array(wanted[name])[defined], **ABOUT, err_msg=name
        )
        why = set(reasons.get(name, {}).values())
        assert why <= {"constant_layer", "no_irrelevant_tokens"}
        if mixing == "context":
            assert defined.all()


@pytest.mark.parametrize("mixing", ["mixer", "window"])
def test_a_hidden_token_enters_as_a_constant(network_of: Any, measured: Any, mixing: str) -> None:
    part = measured(network_of(mixing)).network
    for name in ("relevance_posterior", "relevance_irrelevant"):
        assert part.reasons[name] == {0: "constant_layer"}
        assert np.isfinite(part.arrays[name][1:]).all()


def test_a_context_of_one_sees_no_irrelevant_token(network_of: Any, measured: Any) -> None:
    part = measured(network_of("context", context=1)).network
    assert set(part.reasons["relevance_irrelevant"].values()) == {"no_irrelevant_tokens"}
    assert np.isfinite(part.arrays["relevance_posterior"]).all()


def test_a_context_of_none_has_nothing_to_tell(network_of: Any, measured: Any) -> None:
    part = measured(network_of("context", context=0)).network
    # h is one constant at every hidden token
    assert set(part.reasons["relevance_posterior"].values()) == {"constant_layer"}
    np.testing.assert_allclose(part.arrays["relevance_eigenvectors_ceiling"], 0.0, atol=1e-12)


def test_too_few_hidden_tokens(network_of: Any, measured: Any) -> None:
    part = measured(network_of("context"), n_sequences=2).network
    for name in ("posterior", "irrelevant", "eigenvectors", "eigenvectors_ceiling"):
        assert set(part.reasons[f"relevance_{name}"].values()) == {"too_few_rows"}
    assert part.too_few_samples


def test_a_wide_untrained_layer_reads_no_more_than_the_posterior_holds(
    network_of: Any, measured: Any, chain: Any
) -> None:
    part = measured(network_of("context", width=12), n_sequences=2000).network
    found = part.arrays["relevance_eigenvectors"]
    ceiling = part.arrays["relevance_eigenvectors_ceiling"]
    assert (found <= ceiling + 0.03).all()  # 4800 tokens: 2 / sqrt(n)
    assert found[0].max() > 0.2


def test_eigenvectors_of_a_conjugate_pair_are_read_alike(
    network_of: Any, measured: Any, chain: Any
) -> None:
    values = chain.eigenvalues[1:]
    part = measured(network_of("context")).network
    pair = np.flatnonzero(np.abs(values.imag) > 0.1)
    found = part.arrays["relevance_eigenvectors"][:, pair]
    assert len(pair) == 2
    np.testing.assert_allclose(found[:, 0], found[:, 1], rtol=1e-9)
