"""A network in the memory of the kernels: its weights in and out, its gradient and its steps."""

from __future__ import annotations

import ctypes
import math
import weakref
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rgcore.architecture import Architecture
from rgcore.network import ResidualNetwork
from rgcore.network.norms import NORM_EPS
from rgcore.training import TrainingPlan
from rgcore.training.data import Batch
from rgcore.training.rules import ADAM_EPS, BETAS, CLIP_EPS
from rgkernels import library
from rgkernels.library import Library

# In the order of the enums of the source.
NORMS = ("layer", "none", "rms")
ACTIVATIONS = ("gelu", "relu", "silu", "tanh")
RULES = ("adam", "adamw", "sgd")
PARTS = (
    "stem.embedding",
    "stem.weight",
    "enter.weight",
    "leave.weight",
    "head.weight",
    "norm.weight",
    "norm.bias",
    "enter.bias",
    "leave.bias",
    "head.bias",
)
TURNED = ("enter.weight", "leave.weight", "head.weight")
"""Linear maps lie as (in, out), as in a fleet of torch's."""

Floats = NDArray[np.float32]


class NativeNetwork:
    """The weights of one network and what its optimizer remembers; for one thread at a time.

    Args:
        kernels: what computes.
        network: mixing `context`, float32, on the CPU; its weights are copied.
        plan: of the training.

    Raises:
        MemoryError: there is not enough of it.
    """

    def __init__(self, kernels: Library, network: ResidualNetwork, plan: TrainingPlan) -> None:
        self._arch, self._plan, self._number = network.arch, plan, 0
        self._call = kernels.functions
        shape = _shape(self._arch, plan.batch_size)
        self._handle = self._call.rg_new(ctypes.byref(shape))
        if not self._handle:
            raise MemoryError("no room for the weights of a network and a tile of its rows")
        weakref.finalize(self, self._call.rg_free, self._handle)
        size = (self._call.rg_size(self._handle),)
        self._weights = np.ctypeslib.as_array(self._call.rg_weights(self._handle), size)
        self._gradient = np.ctypeslib.as_array(self._call.rg_gradient(self._handle), size)
        for index in range(self._arch.depth + 1):  # a norm without a gain is one with gain 1
            self._piece(self._weights, "norm.weight", index)[...] = 1.0
        for inside, outside in self._pairs(self._weights, network):
            inside[...] = outside.numpy()

    def write(self, network: ResidualNetwork) -> None:
        """Give a network of this architecture the weights."""
        for inside, outside in self._pairs(self._weights, network):
            outside.copy_(torch.from_numpy(inside))

    def differentiate(self, batch: Batch, gradient: ResidualNetwork) -> float:
        """The loss of a batch; its gradient takes the place of a network's weights."""
        read = _Read(batch)
        loss: float = self._call.rg_differentiate(self._handle, read.pointer)
        for inside, outside in self._pairs(self._gradient, gradient):
            outside.copy_(torch.from_numpy(inside))
        return loss

    def step(self, batch: Batch, rate: float) -> float:
        """Move the weights; the loss before."""
        self._number += 1
        plan, read = self._plan, _Read(batch)
        update = library.Update(
            rule=RULES.index(plan.optimizer),
            number=self._number,
            rate=rate,
            decay=plan.weight_decay,
            clip=math.inf if plan.grad_clip is None else plan.grad_clip,
            momentum=plan.momentum,
            beta_mean=BETAS[0],
            beta_square=BETAS[1],
            adam_eps=ADAM_EPS,
            clip_eps=CLIP_EPS,
        )
        loss: float = self._call.rg_step(self._handle, read.pointer, ctypes.byref(update))
        return loss

    def _pairs(self, array: Floats, network: ResidualNetwork) -> Iterator[tuple[Floats, Tensor]]:
        """What belongs together of an array of weights and of a network, of one shape."""
        for name, parameter in network.named_parameters():
            part, index = _part_of(name, self._arch.depth)
            outside = parameter.detach()
            if part == "stem.weight":
                for slot, matrix in enumerate(outside):
                    yield self._piece(array, part, slot), matrix
                continue
            inside = self._piece(array, part, index)
            yield (inside.T if part in TURNED else inside), outside

    def _piece(self, array: Floats, part: str, index: int) -> Floats:
        """A part: a view, (rows, columns) of a matrix and (columns,) of a vector."""
        place = self._call.rg_place_of(self._handle, PARTS.index(part), index)
        lies = array[place.offset : place.offset + place.rows * place.row]
        piece = lies.reshape(place.rows, place.row)[:, : place.columns]
        return piece if part in PARTS[:5] else piece[0]


class _Read:
    """A batch as the kernels read it; holds on to its arrays."""

    def __init__(self, batch: Batch) -> None:
        self._arrays = [values.contiguous() for values in (batch.inputs, batch.tokens, batch.mask)]
        self._batch = library.Batch(*(values.data_ptr() for values in self._arrays))
        self.pointer = ctypes.byref(self._batch)


def _shape(arch: Architecture, batch_size: int) -> library.Shape:
    return library.Shape(
        n_states=arch.n_states,
        seq_len=arch.seq_len,
        batch_size=batch_size,
        context=arch.context,
        depth=arch.depth,
        width=arch.width,
        hidden=arch.hidden,
        norm=NORMS.index(arch.norm),
        activation=ACTIVATIONS.index(arch.activation),
        residual_scale=arch.residual_scale,
        norm_eps=NORM_EPS,
    )


def _part_of(name: str, depth: int) -> tuple[str, int]:
    """The part and its index of a network's parameter: `blocks.3.enter.bias`, `final_norm.bias`."""
    if name.startswith("blocks."):
        _, index, part = name.split(".", 2)
        return part, int(index)
    if name.startswith("final_norm."):
        return name.removeprefix("final_"), depth
    return name, 0
