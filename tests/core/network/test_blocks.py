"""One network against numpy, layer by layer, in float64."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import erf, expit
from torch.func import functional_call

from rgcore.network import MIXINGS, build_network
from rgcore.random import derive_generator

ROUNDING = 1e-12
"""Float64 sums of some tens of terms of size 1."""

ACTIVATIONS = {
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x * expit(x),
    "tanh": np.tanh,
}


def normed(weights: Any, name: Any, stream: Any) -> Any:
    """N over the last axis, told by which gains exist."""
    if f"{name}.weight" not in weights:
        return stream
    gain = weights[f"{name}.weight"]
    if f"{name}.bias" not in weights:
        return gain * stream / np.sqrt((stream**2).mean(axis=-1, keepdims=True) + 1e-5)
    off = stream - stream.mean(axis=-1, keepdims=True)
    scaled = off / np.sqrt((off**2).mean(axis=-1, keepdims=True) + 1e-5)
    return gain * scaled + weights[f"{name}.bias"]


def mlp(weights: Any, enter: Any, leave: Any, f: Any, x: Any) -> Any:
    hidden = f(x @ weights[f"{enter}.weight"].T + weights[f"{enter}.bias"])
    return hidden @ weights[f"{leave}.weight"].T + weights[f"{leave}.bias"]


def after_block(weights: Any, arch: Any, stream: Any) -> Any:
    """h_1 of h_0, written out position by position where positions are coupled."""
    f, s = ACTIVATIONS[arch.activation], arch.residual_scale

    def channels(x: Any) -> Any:
        return mlp(weights, "blocks.0.enter", "blocks.0.leave", f, x)

    if arch.mixing in ("context", "flat"):
        return stream + s * channels(normed(weights, "blocks.0.norm", stream))
    if arch.mixing == "mixer":
        read = normed(weights, "blocks.0.token_norm", stream)
        mixed = stream.copy()
        for channel in range(arch.width):
            mixed[:, :, channel] += s * mlp(
                weights, "blocks.0.token_enter", "blocks.0.token_leave", f, read[:, :, channel]
            )
        return mixed + s * channels(normed(weights, "blocks.0.norm", mixed))
    read = normed(weights, "blocks.0.norm", stream)
    nothing = np.zeros_like(read[:, 0])
    out = stream.copy()
    for t in range(arch.seq_len):
        left = read[:, t - 1] if t > 0 else nothing
        right = read[:, t + 1] if t + 1 < arch.seq_len else nothing
        out[:, t] += s * channels(np.concatenate([left, read[:, t], right], axis=1))
    return out


def random_network(arch: Any) -> Any:
    """A network in float64 all of whose weights, gains and biases too, are of size 1."""
    network = build_network(arch, derive_generator(0, "init")).double()
    generator = derive_generator(1, "init")
    for weight in network.parameters():
        noise = torch.randn(weight.shape, dtype=torch.float64, generator=generator)
        weight.data += 0.3 * noise
    weights = {name: weight.detach().numpy() for name, weight in network.named_parameters()}
    return network, weights


def random_tokens(arch: Any, n: int = 3) -> Any:
    return torch.randint(
        arch.n_states + 1, (n, arch.seq_len), generator=derive_generator(0, "data")
    )


def assert_block_is_that_of_numpy(arch: Any) -> None:
    network, weights = random_network(arch)
    before, after = (stream.detach().numpy() for stream in network.streams(random_tokens(arch)))
    np.testing.assert_allclose(after, after_block(weights, arch, before), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("norm", ["none", "layer", "rms"])
def test_block_with_each_norm_is_that_of_numpy(make_arch: Any, mixing: Any, norm: str) -> None:
    assert_block_is_that_of_numpy(make_arch(mixing, norm=norm, depth=1, residual_scale=0.7))


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_block_with_each_activation_is_that_of_numpy(
    make_arch: Any, mixing: Any, activation: Any
) -> None:
    assert_block_is_that_of_numpy(make_arch(mixing, activation=activation, depth=1))


def test_context_embeds_a_window_of_tokens_with_padding_beyond_the_ends(make_arch: Any) -> None:
    arch = make_arch("context", context=2)
    network, weights = random_network(arch)
    tokens = random_tokens(arch)
    padded = np.pad(tokens.numpy(), ((0, 0), (2, 2)), constant_values=arch.padding_id)
    expected = np.zeros((3, arch.seq_len, arch.width))
    for slot in range(5):
        embedded = weights["stem.embedding"][padded[:, slot : slot + arch.seq_len]]
        expected += embedded @ weights["stem.weight"][slot]
    np.testing.assert_allclose(network.embed(tokens).detach(), expected, rtol=0, atol=ROUNDING)


def test_flat_embeds_the_whole_sequence_in_one_stream(make_arch: Any) -> None:
    arch = make_arch("flat")
    network, weights = random_network(arch)
    tokens = random_tokens(arch)
    embedded = weights["stem.embedding"][tokens.numpy()]  # (n, T, d)
    expected = np.einsum("ntd,tde->ne", embedded, weights["stem.weight"])
    np.testing.assert_allclose(network.embed(tokens).detach(), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("mixing", ["mixer", "window"])
def test_coupled_networks_embed_each_token_by_itself(make_arch: Any, mixing: str) -> None:
    arch = make_arch(mixing)
    network, weights = random_network(arch)
    tokens = random_tokens(arch)
    expected = weights["stem.embedding"][tokens.numpy()] @ weights["stem.weight"][0]
    np.testing.assert_allclose(network.embed(tokens).detach(), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("norm", ["none", "layer", "rms"])
def test_read_out_is_a_linear_map_of_the_normed_last_stream(
    make_arch: Any, mixing: Any, norm: str
) -> None:
    arch = make_arch(mixing, norm=norm)
    network, weights = random_network(arch)
    tokens = random_tokens(arch)
    last = network.residual_stream(tokens)[-1].detach().numpy()
    logits = normed(weights, "final_norm", last) @ weights["head.weight"].T + weights["head.bias"]
    expected = logits.reshape(3, arch.seq_len, arch.n_states)
    np.testing.assert_allclose(network(tokens).detach(), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("norm", ["none", "layer", "rms"])
def test_gradients_of_a_block_are_the_finite_differences(
    make_arch: Any, mixing: Any, norm: str
) -> None:
    arch = make_arch(mixing, seq_len=4, width=3, depth=1, norm=norm)
    network, _ = random_network(arch)
    block = network.blocks[0]
    names = [name for name, _ in block.named_parameters()]
    stream = network.embed(random_tokens(arch, n=2)).detach().requires_grad_()

    def run(stream: Any, *weights: Any) -> Any:
        return functional_call(block, dict(zip(names, weights, strict=True)), (stream,))

    assert torch.autograd.gradcheck(run, (stream, *block.parameters()))


def change_by_block(arch: Any, silenced: Any = ()) -> Any:
    """h_1 - h_0, with the named last layers of the block at zero."""
    network, _ = random_network(arch)
    for name in silenced:
        for weight in getattr(network.blocks[0], name).parameters():
            weight.data.zero_()
    before, after = network.streams(random_tokens(arch))
    return (after - before).detach()


@pytest.mark.parametrize(
    ("mixing", "silenced"),
    [
        ("context", ()),
        ("flat", ()),
        ("window", ()),
        ("mixer", ("token_leave",)),
        ("mixer", ("leave",)),
    ],
)
def test_a_residual_branch_is_proportional_to_the_residual_scale(
    make_arch: Any, mixing: str, silenced: Any
) -> None:
    once = change_by_block(make_arch(mixing, depth=1, residual_scale=1.0), silenced)
    thrice = change_by_block(make_arch(mixing, depth=1, residual_scale=3.0), silenced)
    assert float(once.abs().max()) > 0.1
    torch.testing.assert_close(thrice, 3 * once, rtol=0, atol=ROUNDING)
