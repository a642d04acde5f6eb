from collections.abc import Iterator
from typing import Any

import pytest
import torch

from rgcore.network import MIXINGS, build_network
from rgcore.random import derive_generator


def built(arch: Any, seed: int = 0) -> Any:
    return build_network(arch, derive_generator(seed, "init"))


def fan_in(arch: Any, name: Any) -> Any:
    """What the variance of a matrix is one over, by its place in the network."""
    slots = {"context": 2 * arch.context + 1, "flat": arch.seq_len}.get(arch.mixing, 1)
    reads = 3 if arch.mixing == "window" else 1
    return {
        "stem.embedding": 1,
        "stem.weight": slots * arch.width,
        "enter": reads * arch.width,
        "leave": arch.hidden,
        "token_enter": arch.seq_len,
        "token_leave": arch.token_hidden,
        "head": arch.width,
    }[name]


def matrices(network: Any) -> Iterator[Any]:
    """Names and values of all that is drawn; blocks' without the number of the block."""
    for name, weight in network.named_parameters():
        if weight.ndim > 1:
            layer = name.removesuffix(".weight").split(".")[-1]
            yield name if name.startswith("stem") else layer, weight.detach().double()


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("init_scale", [1.0, 0.3])
def test_matrices_have_the_standard_deviation_of_their_fan_in(
    make_arch: Any, mixing: Any, init_scale: float
) -> None:
    arch = make_arch(mixing, width=64, seq_len=20, depth=1, init_scale=init_scale)
    for name, weight in matrices(built(arch)):
        expected = init_scale / fan_in(arch, name) ** 0.5
        # a standard deviation out of N Gaussian numbers is good to 1 / sqrt(2 N) of itself
        error = 5 / (2 * weight.numel()) ** 0.5
        assert float(weight.square().mean().sqrt()) == pytest.approx(expected, rel=error), name


@pytest.mark.parametrize("mixing", MIXINGS)
def test_matrices_have_mean_zero(make_arch: Any, mixing: Any) -> None:
    arch = make_arch(mixing, width=64, seq_len=20, depth=1)
    for name, weight in matrices(built(arch)):
        error = 5 / (fan_in(arch, name) * weight.numel()) ** 0.5  # five standard errors
        assert float(weight.mean()) == pytest.approx(0.0, abs=error), name


@pytest.mark.parametrize("mixing", MIXINGS)
def test_init_scale_is_a_factor_on_all_matrices(make_arch: Any, mixing: Any) -> None:
    once = matrices(built(make_arch(mixing, init_scale=1.0)))
    twice = matrices(built(make_arch(mixing, init_scale=2.0)))
    for (_, one), (_, two) in zip(once, twice, strict=True):
        assert torch.equal(two, 2 * one)  # a factor of two is exact


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("norm", ["none", "layer", "rms"])
def test_biases_are_zero_and_gains_one(make_arch: Any, mixing: Any, norm: str) -> None:
    for name, weight in built(make_arch(mixing, norm=norm, init_scale=2.0)).named_parameters():
        if weight.ndim == 1:
            assert (weight == (0 if name.endswith("bias") else 1)).all(), name


@pytest.mark.parametrize("mixing", MIXINGS)
def test_weights_are_float32_on_the_cpu(make_arch: Any, mixing: Any) -> None:
    kinds = {(weight.dtype, weight.device.type) for weight in built(make_arch(mixing)).parameters()}
    assert kinds == {(torch.float32, "cpu")}


@pytest.mark.parametrize("mixing", MIXINGS)
def test_same_generator_state_gives_the_same_weights(make_arch: Any, mixing: Any) -> None:
    first, second = (built(make_arch(mixing)).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_another_seed_gives_other_weights(make_arch: Any, mixing: Any) -> None:
    first, second = (dict(matrices(built(make_arch(mixing), seed))) for seed in (0, 1))
    assert all((first[name] != second[name]).all() for name in first)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_building_leaves_the_global_generator_alone(make_arch: Any, mixing: Any) -> None:
    before = torch.get_rng_state()
    built(make_arch(mixing))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("mixing", ["context", "flat"])
def test_weights_are_drawn_in_the_order_stem_blocks_head(make_arch: Any, mixing: str) -> None:
    # the order is part of what a seed means: the weights of a seed must never change
    arch = make_arch(mixing, depth=2)
    network, generator = built(arch), derive_generator(0, "init")
    drawn = [("stem.embedding", network.stem.embedding), ("stem.weight", network.stem.weight)]
    for block in network.blocks:
        drawn += [("enter", block.enter.weight), ("leave", block.leave.weight)]
    for name, weight in (*drawn, ("head", network.head.weight)):
        noise = torch.empty(weight.shape).normal_(generator=generator)
        expected = noise / fan_in(arch, name) ** 0.5
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-6, atol=0)  # float32
