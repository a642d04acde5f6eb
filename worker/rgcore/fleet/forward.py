"""The networks of a fleet at work: every product is one batched product over the members."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from rgcore.architecture import NORMS
from rgcore.fleet.batches import FleetBatch
from rgcore.network import Architecture
from rgcore.network.block import activation_of
from rgcore.network.lookup import summed_rows
from rgcore.network.norms import NORM_OF

Weights = Mapping[str, Tensor]
"""By the names of a network's parameters, (K, ...) each; linear maps as (K, in, out)."""


class FleetForward:
    """Logits of K networks of one architecture at their masked places.

    Nothing of one member reaches another, a NaN neither.

    Args:
        arch: of all of them.
        like: a tensor of their type on their device.
    """

    def __init__(self, arch: Architecture, like: Tensor) -> None:
        self.arch = arch
        self.activation = activation_of(arch)
        self._norm, self._unit_of = NORMS[arch.norm], NORM_OF[arch.norm].unit
        self._ones, self._zeros = like.new_ones(arch.width), like.new_zeros(arch.width)

    def masked_logits(self, weights: Weights, batch: FleetBatch) -> Tensor:
        """Logits (K, m, V) at the rows of the batch."""
        arch = self.arch
        members, n, length = batch.inputs.shape
        if arch.mixes.by_itself:
            return self._read_out(weights, self._blocks(weights, self._windows(batch), n))
        if arch.mixes.one_stream:
            logits = self._read_out(weights, self._blocks(weights, batch.inputs, n))
            return _at_rows(logits.reshape(members, n * length, arch.n_states), batch.rows)
        ids = batch.inputs.view(members, n * length, 1)
        return self._read_out(weights, _at_rows(self._blocks(weights, ids, n), batch.rows))

    def _windows(self, batch: FleetBatch) -> Tensor:
        """Tokens of the windows around the masked places: (K, m, 2c + 1)."""
        radius = self.arch.context
        members, n, length = batch.inputs.shape
        padded = functional.pad(batch.inputs, (radius, radius), value=self.arch.padding_id)
        starts = batch.rows + 2 * radius * (batch.rows // length)  # (K, m), in n rows of T + 2c
        slots = torch.arange(2 * radius + 1, device=starts.device)
        return _at_rows(
            padded.view(members, n * (length + 2 * radius), 1),
            (starts[..., None] + slots).flatten(1),
        ).view(*starts.shape, -1)

    def _blocks(self, weights: Weights, ids: Tensor, n: int) -> Tensor:
        """h_L (K, r, d) of the tokens (K, r, slots) that enter each of r streams."""
        stream = self._stem(weights, ids)
        for block in range(self.arch.depth):
            at = f"blocks.{block}"
            if self.arch.mixes.token_mlp:
                stream = self._mixed(weights, at, stream, n)
            if self.arch.reads > 1:
                read = self._neighbours(self._normed(weights, f"{at}.norm", stream), n)
                hidden = _linear(weights, f"{at}.enter", read)
            else:
                hidden = self._normed_linear(weights, f"{at}.norm", f"{at}.enter", stream)
            left = _linear(weights, f"{at}.leave", self.activation(hidden))
            stream = torch.add(stream, left, alpha=self.arch.residual_scale)
        return stream

    def _stem(self, weights: Weights, ids: Tensor) -> Tensor:
        """h_0: (K, r, slots) to (K, r, d), looked up in a table as the network's own stem does."""
        members, _, slots = ids.shape
        projection = weights["stem.weight"].flatten(2)  # (K, d, slots * d)
        table = torch.bmm(weights["stem.embedding"], projection)  # (K, V + 2, slots * d)
        per_member = self.arch.n_ids * slots
        first = torch.arange(members, device=ids.device)[:, None, None] * per_member
        rows = ids * slots + (first + torch.arange(slots, device=ids.device))
        found = summed_rows(table.view(members * per_member, -1), rows.view(-1, slots))
        return found.view(members, -1, self.arch.width)

    def _mixed(self, weights: Weights, at: str, stream: Tensor, n: int) -> Tensor:
        """The streams (K, n * T, d) after the token mixing of a mixer block."""
        members, _, width = stream.shape
        by_place = (members, n, -1, width)  # (K, n, T, d)
        across = self._normed(weights, f"{at}.token_norm", stream).view(by_place).mT
        across = across.reshape(members, n * width, -1)  # (K, n * d, T)
        hidden = self.activation(_linear(weights, f"{at}.token_enter", across))
        left = _linear(weights, f"{at}.token_leave", hidden).view(members, n, width, -1).mT
        mixed = torch.add(stream.view(by_place), left, alpha=self.arch.residual_scale)
        return mixed.view(stream.shape)

    def _neighbours(self, normed: Tensor, n: int) -> Tensor:
        """Each stream with those next door, zeros beyond the ends: to (K, n * T, 3 d)."""
        members, rows, width = normed.shape
        padded = functional.pad(normed.view(members, n, -1, width), (0, 0, 1, 1))
        read = torch.cat([padded[:, :, :-2], padded[:, :, 1:-1], padded[:, :, 2:]], dim=3)
        return read.view(members, rows, 3 * width)

    def _read_out(self, weights: Weights, stream: Tensor) -> Tensor:
        return self._normed_linear(weights, "final_norm", "head", stream)

    def _normed(self, weights: Weights, norm: str, stream: Tensor) -> Tensor:
        """N of the streams (K, r, d)."""
        unit = self._unit(stream)
        if not self._norm.gain:
            return unit
        gain = weights[f"{norm}.weight"][:, None]  # (K, 1, d)
        if not self._norm.bias:
            return unit * gain
        return torch.addcmul(weights[f"{norm}.bias"][:, None], unit, gain)

    def _normed_linear(self, weights: Weights, norm: str, linear: str, stream: Tensor) -> Tensor:
        """A linear map of N(h), with the norm's gain and bias moved into the map.

        (g u + c) W + b = u (g W) + (c W + b): work on the weights in place of work on every row.
        """
        matrix, bias = weights[f"{linear}.weight"], weights[f"{linear}.bias"][:, None]
        if self._norm.bias:
            bias = torch.baddbmm(bias, weights[f"{norm}.bias"][:, None], matrix)
        if self._norm.gain:
            matrix = matrix * weights[f"{norm}.weight"][..., None]  # of a gain (K, d, 1)
        return torch.baddbmm(bias, self._unit(stream), matrix)

    def _unit(self, stream: Tensor) -> Tensor:
        """The streams under the norm, without its gain and bias."""
        return self._unit_of(stream, self._ones, self._zeros)


def _linear(weights: Weights, name: str, rows: Tensor) -> Tensor:
    """(K, r, in) to (K, r, out)."""
    return torch.baddbmm(weights[f"{name}.bias"][:, None], rows, weights[f"{name}.weight"])


def _at_rows(values: Tensor, rows: Tensor) -> Tensor:
    """The rows (K, m) of each member's values (K, r, ...): (K, m, ...)."""
    members, size = values.shape[:2]
    first = torch.arange(members, device=rows.device)[:, None] * size
    found = values.reshape(members * size, -1).index_select(0, (rows + first).view(-1))
    return found.view(*rows.shape, -1)
