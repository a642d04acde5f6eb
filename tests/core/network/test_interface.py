from typing import Any

import pytest
import torch

from rgcore.network import MIXINGS, build_network
from rgcore.random import derive_generator

PER_POSITION = [mixing for mixing in MIXINGS if mixing != "flat"]
ROUNDING = 1e-5
"""Float32 sums of some tens of terms of size 1, in another order."""


def network_and_inputs(arch: Any, n: int = 5) -> Any:
    """A network and sequences with hidden tokens, and where they are hidden."""
    network = build_network(arch, derive_generator(0, "init"))
    generator = derive_generator(0, "data")
    tokens = torch.randint(arch.n_states, (n, arch.seq_len), generator=generator)
    mask = torch.rand(n, arch.seq_len, generator=generator) < 0.3
    return network, tokens.masked_fill(mask, arch.mask_id), mask


@pytest.mark.parametrize("mixing", MIXINGS)
def test_there_is_one_stream_before_each_block_and_one_after_the_last(
    make_arch: Any, mixing: Any
) -> None:
    network, inputs, _ = network_and_inputs(make_arch(mixing, depth=3))
    assert len(network.residual_stream(inputs)) == 4


@pytest.mark.parametrize("mixing", PER_POSITION)
def test_streams_have_a_position_axis(make_arch: Any, mixing: Any) -> None:
    network, inputs, _ = network_and_inputs(make_arch(mixing, seq_len=9, width=8))
    assert {stream.shape for stream in network.streams(inputs)} == {(5, 9, 8)}


def test_flat_streams_have_none(make_arch: Any) -> None:
    network, inputs, _ = network_and_inputs(make_arch("flat", width=8))
    assert {stream.shape for stream in network.streams(inputs)} == {(5, 8)}


@pytest.mark.parametrize("mixing", MIXINGS)
def test_logits_are_those_of_the_states_at_every_position(make_arch: Any, mixing: Any) -> None:
    network, inputs, _ = network_and_inputs(make_arch(mixing, n_states=4, seq_len=9))
    assert network(inputs).shape == (5, 9, 4)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_first_stream_is_the_embedding(make_arch: Any, mixing: Any) -> None:
    network, inputs, _ = network_and_inputs(make_arch(mixing))
    assert torch.equal(next(network.streams(inputs)), network.embed(inputs))


@pytest.mark.parametrize("mixing", MIXINGS)
def test_masked_logits_are_those_of_all_positions_where_the_mask_is(
    make_arch: Any, mixing: Any
) -> None:
    network, inputs, mask = network_and_inputs(make_arch(mixing))
    torch.testing.assert_close(
        network.masked_logits(inputs, mask), network(inputs)[mask], rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("mixing", MIXINGS)
def test_masked_logits_are_read_from_the_last_stream(make_arch: Any, mixing: Any) -> None:
    network, inputs, mask = network_and_inputs(make_arch(mixing))
    last = network.residual_stream(inputs)[-1]
    torch.testing.assert_close(
        network.read_masked(last, mask), network(inputs)[mask], rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("mixing", PER_POSITION)
@pytest.mark.parametrize("positions", [slice(0, 1), slice(2, 5), slice(7, 9)])
def test_streams_at_some_positions_are_that_part_of_all(
    make_arch: Any, mixing: Any, positions: Any
) -> None:
    network, inputs, _ = network_and_inputs(make_arch(mixing))
    for part, whole in zip(
        network.streams(inputs, positions), network.streams(inputs), strict=True
    ):
        torch.testing.assert_close(part, whole[:, positions], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("mixing", PER_POSITION)
def test_embedding_at_some_positions_is_that_part_of_it(make_arch: Any, mixing: Any) -> None:
    network, inputs, _ = network_and_inputs(make_arch(mixing))
    assert torch.equal(network.embed(inputs, slice(2, 5)), network.embed(inputs)[:, 2:5])


@pytest.mark.parametrize("mixing", MIXINGS)
def test_logits_at_some_positions_are_that_part_of_all(make_arch: Any, mixing: Any) -> None:
    network, inputs, _ = network_and_inputs(make_arch(mixing))
    torch.testing.assert_close(
        network(inputs, slice(2, 5)), network(inputs)[:, 2:5], rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("mixing", PER_POSITION)
def test_masked_logits_can_be_read_at_some_positions(make_arch: Any, mixing: Any) -> None:
    network, inputs, mask = network_and_inputs(make_arch(mixing))
    positions = slice(2, 5)
    last = network.residual_stream(inputs, positions)[-1]
    torch.testing.assert_close(
        network.read_masked(last, mask[:, positions]),
        network(inputs)[:, positions][mask[:, positions]],
        rtol=0,
        atol=ROUNDING,
    )


def test_flat_refuses_to_select_positions_of_its_one_stream(make_arch: Any) -> None:
    network, inputs, _ = network_and_inputs(make_arch("flat"))
    with pytest.raises(ValueError, match="mixing flat has one stream"):
        next(network.streams(inputs, slice(0, 3)))


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("norm", ["none", "layer", "rms"])
def test_every_weight_gets_a_gradient_from_the_masked_logits(
    make_arch: Any, mixing: Any, norm: str
) -> None:
    network, inputs, mask = network_and_inputs(make_arch(mixing, norm=norm))
    network.masked_logits(inputs, mask).square().sum().backward()
    assert all(float(weight.grad.abs().max()) > 0 for weight in network.parameters())
