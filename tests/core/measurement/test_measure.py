import itertools
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
import torch
from devices import DEVICE
from torch.nn import functional

from rgcore.chain import bayes_masked_loss
from rgcore.measurement import LEVELS_OF, LevelError, bayes_reference
from rgcore.random import derive_generator
from rgcore.training.data import masked_block

N, HALF, SEQ_LEN, DEPTH = 128, 64, 8, 2
ROUNDING: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-7}
"""Of sums over some 1000 float64 rows; a root or an arc cosine turns 1e-15 into 1e-7."""
LAYER_OF_FEW: dict[str, dict[str, Any]] = {"effective_rank": {"rtol": 1e-9, "atol": 3e-6}}
"""Where fewer tokens than dimensions enter, a direction is empty. Its singular value is rounding:
0, or at the floor of `without_noise`, p = sqrt(d eps) of the largest: a rank of 4 moves by
4 p ln 1/p."""
FULL = {"context": slice(2, 6), "mixer": slice(0, 8), "window": slice(2, 6)}
MIXINGS = sorted(LEVELS_OF)
LEVELS = [(mixing, level) for mixing in MIXINGS for level in LEVELS_OF[mixing]]


def drawn(chain: Any, n: Any = N) -> Any:
    """The sequences that are measured: the first n of a block."""
    block = masked_block(chain, 1024, SEQ_LEN, 0.3, derive_generator(5, "measure"))
    return block.tokens[:n], block.mask[:n], block.inputs[:n]


def streams(network: Any, inputs: Any) -> Any:
    with torch.no_grad():
        return [x.double().cpu().numpy() for x in network.residual_stream(inputs.to(DEVICE))]


def rows_of(level: Any, stream: Any, mask: Any) -> Any:
    """(n, d) rows of one level; not of `position`, which has many."""
    if level == "token":
        return stream.reshape(-1, stream.shape[-1])
    if level == "masked":
        return stream[mask]
    return stream.mean(axis=1) if level == "pooled" else stream


def hsic(k: Any, m: Any) -> Any:
    """HSIC_1 of two Gram matrices (Song et al. 2012, equation 4)."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    product = (k * m).sum() + k.sum() * m.sum() / ((n - 1) * (n - 2))
    return (product - 2 * k.sum(axis=0) @ m.sum(axis=0) / (n - 2)) / (n * (n - 3))


def squared_trace(x: Any) -> Any:
    """(tr Sigma)^2 without bias: mean of |x_i - x_j|^2 |x_k - x_l|^2 / 4, i, j, k, l distinct."""
    n = len(x)
    far = scipy.spatial.distance.cdist(x, x, "sqeuclidean")
    total = far.sum() ** 2 - 4 * (far.sum(axis=1) ** 2).sum() + 2 * (far**2).sum()
    return total / (4 * n * (n - 1) * (n - 2) * (n - 3))


def left_vectors(x: Any, k: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)[0][:, :k]


def of_layer(x: Any) -> Any:
    s = np.linalg.svd(x, compute_uv=False)
    s = np.where(s < 1e-7 * s.max(), 0, s)
    p, v = s[s > 0] / s.sum(), s**2
    return {
        "effective_rank": np.exp(-(p * np.log(p)).sum()),
        "participation_ratio": v.sum() ** 2 / (v**2).sum(),
        "participation_ratio_corrected": squared_trace(x) / hsic(x @ x.T, x @ x.T),
        "stable_rank": v.sum() / v.max(),
        "spectrum": v / v.sum(),
    }


def of_pair(x: Any, y: Any) -> Any:
    k, m = x @ x.T, y @ y.T
    cka = (k * m).sum() / np.linalg.norm(k) / np.linalg.norm(m)
    variance = np.cumsum(np.linalg.svd(x, compute_uv=False) ** 2)
    held = int((variance < 0.9 * variance[-1]).sum()) + 1
    left, right = x / np.linalg.norm(x), y / np.linalg.norm(y)
    turn, _ = scipy.linalg.orthogonal_procrustes(left, right)
    return {
        "kernel_drift": 1 - cka,
        "kernel_drift_debiased": 1 - hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)),
        "frobenius_drift": np.linalg.norm(k / np.linalg.norm(k) - m / np.linalg.norm(m)),
        "procrustes_distance": np.linalg.norm(left @ turn - right),
        "subspace_angle": scipy.linalg.subspace_angles(
            left_vectors(x, held), left_vectors(y, held)
        ).mean(),
    }


def naive(layers: Any) -> Any:
    """Every observable of one matrix per layer, from centred rows."""
    layers = [x - x.mean(axis=0) for x in layers]
    alone = [of_layer(x) for x in layers]
    pairs = [of_pair(x, y) for x, y in itertools.pairwise(layers)]
    found = {name: np.array([one[name] for one in alone]) for name in alone[0]}
    found |= {name: np.array([one[name] for one in pairs]) for name in pairs[0]}
    grams = [x @ x.T for x in layers]
    found["cka"] = aligned([[(k * m).sum() for m in grams] for k in grams])
    found["cka_debiased"] = aligned([[hsic(k, m) for m in grams] for k in grams])
    return found


def aligned(products: Any) -> Any:
    own = np.diag(products)
    return products / np.sqrt(np.outer(own, own))


def with_transitions(found: Any) -> Any:
    drift = found["kernel_drift"]
    share = drift / drift.sum()
    return found | {
        "effective_transitions": np.exp(-(share * np.log(share)).sum()),
        "top_two_share": np.sort(share)[-2:].sum(),
        "plateau_layers": (drift < 0.1 * drift.max()).astype(float),
    }


def expected(network: Any, level: Any, inputs: Any, mask: Any) -> Any:
    layers = streams(network, inputs)
    if level != "position":
        found = with_transitions(naive([rows_of(level, x, mask.numpy()) for x in layers]))
        return without_matrices(found) if level == "token" else found
    each = [naive([x[:, t] for x in layers]) for t in range(SEQ_LEN)]
    by_position = {name: np.array([one[name] for one in each]) for name in each[0]}
    full = FULL[network.arch.mixing]
    found = with_transitions(
        {name: array[full].mean(axis=0) for name, array in by_position.items()}
    )
    for name in ("effective_rank", "kernel_drift"):
        found[f"{name}_by_position"] = by_position[name]
    return without_matrices(found)


def without_matrices(found: Any) -> Any:
    """Of levels with so many rows that a layer is compared with its neighbours alone."""
    return {name: array for name, array in found.items() if not name.startswith("cka")}


def same(found: Any, wanted: Any) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        tolerance = LAYER_OF_FEW.get(name, ROUNDING)
        np.testing.assert_allclose(found[name], array, **tolerance, err_msg=name)


def everything(measurement: Any) -> Any:
    """All arrays and halves, by level, name and which."""
    parts = {**measurement.levels, "network": measurement.network}
    return {
        f"{level} {name} {which}": array
        for level, part in parts.items()
        for which, arrays in (("whole", part.arrays), ("half", part.half))
        for name, array in arrays.items()
    }


@pytest.mark.parametrize(
    ("mixing", "level"),
    # the hidden tokens of these two enter as one constant: see test_a_layer_that_is_constant
    [pair for pair in LEVELS if pair not in {("mixer", "masked"), ("window", "masked")}],
)
@pytest.mark.parametrize("n", [N, HALF])
def test_every_array_is_that_of_the_rows(
    network_of: Any, measured: Any, chain: Any, mixing: Any, level: Any, n: Any
) -> None:
    network = network_of(mixing)
    _, mask, inputs = drawn(chain, n)
    part = measured(network, levels=[level]).levels[level]
    found = part.arrays if n == N else part.half
    same(found, expected(network, level, inputs, mask))
    assert not part.reasons
    assert not part.half_reasons


@pytest.mark.parametrize("mixing", ["mixer", "window"])
def test_a_layer_that_is_constant_leaves_the_others_as_they_are(
    network_of: Any, measured: Any, chain: Any, mixing: str
) -> None:
    network = network_of(mixing)  # every hidden token enters as the mask
    _, mask, inputs = drawn(chain)
    part = measured(network, levels=["masked"]).levels["masked"]
    wanted = naive([x[mask.numpy()] for x in streams(network, inputs)[1:]])
    for name, array in wanted.items():
        found = part.arrays[name][1:]
        found = found[:, 1:] if name.startswith("cka") else found
        np.testing.assert_allclose(found, array, **ROUNDING, err_msg=name)
    assert part.reasons["effective_rank"] == {0: "constant_layer"}
    assert part.reasons["kernel_drift"] == {0: "constant_layer"}
    assert part.reasons["cka"].keys() == {0, 1, 2, 3, 6}
    assert part.reasons["effective_transitions"] == {0: "constant_layer"}


@pytest.mark.parametrize("mixing", MIXINGS)
def test_half_is_a_measurement_of_half_the_sequences(
    network_of: Any, measured: Any, mixing: Any
) -> None:
    network = network_of(mixing)
    whole, half = measured(network), measured(network, n_sequences=HALF)
    for level in (*whole.levels, "network"):
        before = whole.network if level == "network" else whole.levels[level]
        alone = half.network if level == "network" else half.levels[level]
        same(before.half, alone.arrays)
        assert before.half_reasons == alone.reasons


@pytest.mark.parametrize("mixing", MIXINGS)
def test_batch_size_changes_rounding_alone(network_of: Any, measured: Any, mixing: Any) -> None:
    network = network_of(mixing)
    same(everything(measured(network, batch_size=7)), everything(measured(network)))


@pytest.mark.parametrize("mixing", ["context", "mixer", "window"])
def test_splitting_into_passes_changes_rounding_alone(
    network_of: Any, measured: Any, mixing: str
) -> None:
    network = network_of(mixing)
    one_position = 8 * 5**2 * 6  # bytes of the six products of three layers of width 5
    split = measured(network, memory=3 * one_position)
    whole = measured(network)
    same(everything(split), everything(whole))
    assert split.loss == pytest.approx(whole.loss, rel=1e-12)
    assert {name: part.n_rows for name, part in split.levels.items()} == {
        name: part.n_rows for name, part in whole.levels.items()
    }


@pytest.mark.parametrize(("memory", "passes"), [(8000, 1), (7999, 3), (3000, 4)])
def test_positions_fit_together_by_their_products_of_neighbours(
    network_of: Any, measured: Any, memory: int, passes: int
) -> None:
    # of three layers five products of width 5, 1000 bytes a position: one pass if all 8 fit, else
    # one for each chunk of them and one for what takes all positions
    seen: list[float] = []
    network = network_of("context")
    settings = {"n_sequences": 32, "batch_size": 1, "on_progress": seen.append}
    measured(network, memory=memory, **settings)
    assert 1 / (32 * seen[0]) == pytest.approx(passes)


def test_layers_too_large_for_all_pairs_are_compared_with_their_neighbours(
    network_of: Any, measured: Any
) -> None:
    network = network_of("context", depth=3)  # ten products of width 5 take 2000 bytes
    tight, whole = (measured(network, memory=m, n_sequences=32) for m in (1500, 2**20))
    assert "cka" in tight.levels["masked"].arrays
    for level, part in tight.levels.items():
        for name, array in part.arrays.items():
            if name.startswith("cka"):
                assert np.isnan(array).all()
                assert set(part.reasons[name].values()) == {"too_large"}
            else:
                np.testing.assert_allclose(array, whole.levels[level].arrays[name], **ROUNDING)


def test_rows_are_counted_for_one_matrix(network_of: Any, measured: Any, chain: Any) -> None:
    levels = measured(network_of("context")).levels
    _, mask, _ = drawn(chain)
    assert {name: part.n_rows for name, part in levels.items()} == {
        "position": N,
        "token": N * SEQ_LEN,
        "masked": int(mask.sum()),
        "pooled": N,
    }
    assert measured(network_of("flat")).levels["sequence"].n_rows == N


def test_levels_come_in_the_order_asked_for(network_of: Any, measured: Any) -> None:
    assert list(measured(network_of("context"), levels=["pooled", "token"]).levels) == [
        "pooled",
        "token",
    ]


def test_token_level_does_not_need_the_positions(network_of: Any, measured: Any) -> None:
    network = network_of("context")
    alone = measured(network, levels=["token"]).levels["token"]
    same(alone.arrays, measured(network).levels["token"].arrays)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_loss_is_the_cross_entropy_of_the_hidden_tokens(
    network_of: Any, measured: Any, chain: Any, mixing: Any
) -> None:
    network = network_of(mixing)
    tokens, mask, inputs = drawn(chain)
    with torch.no_grad():
        logits = network(inputs.to(DEVICE)).cpu()[mask]
    loss = float(functional.cross_entropy(logits, tokens[mask]))
    assert measured(network).loss == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_bayes_losses_are_of_the_very_masks(
    network_of: Any, measured: Any, chain: Any, mixing: Any
) -> None:
    found = measured(network_of(mixing))
    tokens, mask, _ = drawn(chain)
    assert found.bayes_loss == pytest.approx(bayes_masked_loss(chain, tokens, mask), rel=1e-10)
    assert found.n_masked == int(mask.sum())
    if mixing in ("flat", "mixer"):
        assert found.visible_bayes_loss == found.bayes_loss
    else:
        assert found.bayes_loss < found.visible_bayes_loss < found.unigram_entropy


def test_reference_can_be_computed_once_for_all(network_of: Any, measured: Any, chain: Any) -> None:
    network = network_of("context")
    known = bayes_reference(
        chain, seq_len=SEQ_LEN, n_sequences=N, mask_prob=0.3, seed=5, view_radius=2
    )
    assert measured(network, bayes=known).bayes is known
    assert measured(network).bayes == known


def test_reference_of_other_sequences_is_refused(
    network_of: Any, measured: Any, chain: Any
) -> None:
    other = bayes_reference(
        chain, seq_len=SEQ_LEN, n_sequences=HALF, mask_prob=0.3, seed=5, view_radius=2
    )
    with pytest.raises(ValueError, match="masked tokens; allowed"):
        measured(network_of("context"), bayes=other)


def test_another_seed_is_another_sample(network_of: Any, measured: Any) -> None:
    network = network_of("context")
    ranks = [
        measured(network, seed=seed).levels["token"].arrays["effective_rank"] for seed in (1, 2)
    ]
    assert (ranks[0] != ranks[1]).all()


def test_network_and_its_gradients_are_left_alone(network_of: Any, measured: Any) -> None:
    network = network_of("window")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    measured(network)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("memory", [2**28, 4000])
def test_progress_rises_to_one(network_of: Any, measured: Any, memory: Any) -> None:
    seen: list[float] = []
    network = network_of("context")
    measured(network, n_sequences=32, memory=memory, batch_size=10, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) >= 4


def test_level_of_another_mixing_is_refused(network_of: Any, measured: Any) -> None:
    with pytest.raises(LevelError, match="'position' does not exist for mixing 'flat'"):
        measured(network_of("flat"), levels=["position"])


def test_single_precision_network_agrees_to_its_precision(network_of: Any, measured: Any) -> None:
    exact = measured(network_of("context")).levels["token"].arrays
    single = measured(network_of("context").float()).levels["token"].arrays
    np.testing.assert_allclose(
        single["effective_rank"], exact["effective_rank"], rtol=1e-5
    )  # float32 activations


def test_shuffled_chain_has_nothing_to_learn(network_of: Any, measured: Any, chain: Any) -> None:
    found = measured(network_of("window"), of=chain.shuffled())
    tokens, mask, _ = drawn(chain.shuffled())
    guess = -np.log(chain.stationary[tokens[mask].numpy()]).mean()
    assert found.bayes_loss == pytest.approx(guess, rel=1e-12)
    assert found.visible_bayes_loss == pytest.approx(guess, rel=1e-12)
    assert found.view_fraction == pytest.approx(0.0, abs=1e-12)
    assert set(found.network.reasons["relevance_posterior"].values()) == {"no_memory"}
    assert set(found.network.reasons["relevance_eigenvectors"].values()) == {"no_memory"}
    assert set(found.network.reasons["relevance_eigenvectors_ceiling"].values()) == {"no_memory"}
    assert found.network.reasons["relevance_irrelevant"] == {0: "constant_layer"}
