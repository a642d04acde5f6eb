"""How alike every layer is to every other: RGLab's streamed moments beside two CKA packages.

All estimate the debiased alignment of linear kernels. RGLab adds up d x d products of batches; the
packages build the n x n Gram matrix of every layer.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.effort import Effort
from benchmarks.gate import same_numbers
from benchmarks.peers import named, peer
from benchmarks.race import CALL, Race
from benchmarks.timing import interleave, repeated, threads
from rgcore.measurement import Moments
from rgcore.observables import cka_matrix_debiased_from_moments

NAME = "CKA of all layers"
LAYERS = 9
WIDTH = 128
BATCH = 1024
EXACT = 1e-6
"""Largest error of RGLab, and of a peer in float64."""
CLOSE = 1e-3
"""Largest error of torch-cka, which adds up in float32 whatever it is given."""

Matrix = NDArray[np.float64]
Compare = Callable[[nn.Sequential, Tensor], Matrix]


def pytorch_cka(network: nn.Sequential, rows: Tensor) -> Matrix:
    """All samples in one batch: several would be another estimate.

    In the precision of its input. In float32 the sums over n x n numbers lose digits as n grows:
    the result is off by 1e-5 at n = 512, 5e-4 at 2048, 2e-2 at 8192.
    """
    found = peer("cka", "pytorch-cka").compute_cka(
        network,
        network,
        DataLoader(TensorDataset(rows), batch_size=len(rows)),
        layers=_names(),
        progress=False,
    )
    return np.asarray(found[0], dtype=np.float64)


def torch_cka(network: nn.Sequential, rows: Tensor) -> Matrix:
    """All samples in one batch, as above."""
    package = peer("torch_cka", "torch-cka")
    data = DataLoader(TensorDataset(rows), batch_size=len(rows))
    quiet = contextlib.redirect_stderr(io.StringIO())
    with quiet, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        comparison = package.CKA(
            network, network, "first", "second", model1_layers=_names(), model2_layers=_names()
        )
        comparison.compare(data, data)
    for module in network:  # it leaves its hooks behind
        module._forward_hooks.clear()
    return np.asarray(comparison.export()["CKA"], dtype=np.float64)


def pytorch_cka_in_double(network: nn.Sequential, rows: Tensor) -> Matrix:
    """The same in float64."""
    return pytorch_cka(deepcopy(network).double(), rows.double())


PEERS: dict[str, tuple[Compare, float]] = {
    "pytorch-cka": (pytorch_cka_in_double, EXACT),
    "torch-cka": (torch_cka, CLOSE),
}
"""How each is called, and its largest error."""


def rows_of(name: str, effort: Effort) -> int:
    """Samples of the race with a peer: torch-cka multiplies n x n matrices, the other does not."""
    return effort.cubic_rows if name == "torch-cka" else effort.rows


def shape_of(n: int) -> str:
    """A size in words."""
    return f"n = {n}, d = {WIDTH}, {LAYERS} layers"


def race(name: str, effort: Effort) -> list[Race]:
    """RGLab's moments beside one of `PEERS`.

    Raises:
        RefusedError: the peer is missing, or either is too far from float64.
    """
    n = rows_of(name, effort)
    network, rows = _network(), torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(1))
    compare, allowed = PEERS[name]
    z = torch.randn(n, LAYERS * WIDTH, dtype=torch.float64)
    with threads(1):
        exact = exactly(network, rows)
        error = same_numbers(streamed(network, rows), exact, EXACT, "RGLab")
        peer_error = same_numbers(compare(network, rows), exact, allowed, name)
        found = interleave(
            {
                "ours": repeated(lambda: streamed(network, rows)),
                "theirs": repeated(lambda: compare(network, rows)),
                "ceiling": repeated(lambda: _triangle(z)),
            },
            effort.rounds,
            warm=True,  # they have agreed
        )
    return [
        Race(
            name=NAME,
            shape=shape_of(n),
            members=1,
            cores=1,
            unit=CALL,
            peer=named(name),
            ours=found["ours"],
            theirs=found["theirs"],
            ceiling=found["ceiling"],
            bound="DGEMMs of Z^T Z, l <= m",
            check=f"off float64 by {error:.0e}, peer by {peer_error:.0e}",
        )
    ]


def streamed(network: nn.Sequential, rows: Tensor) -> Matrix:
    """RGLab's matrix, (K, K)."""
    moments = Moments(LAYERS, 1, WIDTH, rows.device)
    with torch.no_grad():
        for begin in range(0, len(rows), BATCH):
            stream = rows[begin : begin + BATCH]
            for layer, module in enumerate(network):
                stream = module(stream)
                moments.add(layer, stream[None])
    centred = moments.centred()
    norms2 = np.empty((LAYERS, LAYERS))
    for first in range(LAYERS):
        for second in range(first, LAYERS):
            norm2 = float(centred.block(first, second).square().sum())
            norms2[first, second] = norms2[second, first] = norm2
    return cka_matrix_debiased_from_moments(
        norms2, centred.quartic[0].numpy(), centred.power[0].numpy(), len(rows)
    )


def exactly(network: nn.Sequential, rows: Tensor) -> Matrix:
    """Song et al. 2012, equation 4, in float64 from all rows at once; (K, K).

    Of K = X X^T and M = Y Y^T without their diagonals it takes tr KM = |X^T Y|^2 - sum |x|^2 |y|^2
    and the row sums X (X^T 1) - |x|^2, for which the n x n matrices are not needed.
    """
    layers, stream = [], rows
    with torch.no_grad():
        for module in network:
            stream = module(stream)
            layers.append(stream.double().numpy())
    n = len(rows)
    squares = [np.square(x).sum(axis=1) for x in layers]
    sums = [x @ x.sum(axis=0) - square for x, square in zip(layers, squares, strict=True)]
    shared = np.empty((len(layers), len(layers)))
    for i, x in enumerate(layers):
        for j, y in enumerate(layers):
            trace = np.square(x.T @ y).sum() - squares[i] @ squares[j]
            of_sums = sums[i].sum() * sums[j].sum() / ((n - 1) * (n - 2))
            shared[i, j] = trace + of_sums - 2 / (n - 2) * (sums[i] @ sums[j])
    own = np.diagonal(shared)
    return np.asarray(shared / np.sqrt(np.outer(own, own)))


def _triangle(z: Tensor) -> None:
    """The products of every layer with those up to it, of all rows at once."""
    for layer in range(LAYERS):
        torch.mm(z[:, layer * WIDTH : (layer + 1) * WIDTH].T, z[:, : (layer + 1) * WIDTH])


def _network() -> nn.Sequential:
    """Layers 0 to 8 of a network of width 128, layer 0 its input."""
    generator = torch.Generator().manual_seed(0)
    blocks = [_block(generator) for _ in range(LAYERS - 1)]
    return nn.Sequential(nn.Identity(), *blocks)


def _block(generator: torch.Generator) -> nn.Sequential:
    linear = nn.Linear(WIDTH, WIDTH)
    with torch.no_grad():
        linear.weight.normal_(0.0, WIDTH**-0.5, generator=generator)
        linear.bias.zero_()
    return nn.Sequential(linear, nn.Tanh())


def _names() -> list[Any]:
    """Of the layers in the network."""
    return [str(layer) for layer in range(LAYERS)]
