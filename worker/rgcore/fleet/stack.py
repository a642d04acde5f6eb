"""The weights of K networks as one array."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rgcore.network import ResidualNetwork


class Stack:
    """The weights of K networks of one architecture in a leaf tensor of shape (K, P).

    What decays comes first. Linear maps lie as (in, out), so that their gradient is the product
    of their input and the gradient of their output as it stands.

    Attributes:
        flat: (K, P), requires a gradient.
        n_decaying: leading columns that hold matrices: the others are biases and norm gains.
    """

    def __init__(self, networks: Sequence[ResidualNetwork]) -> None:
        forms = {name: _stored(name, p) for name, p in networks[0].named_parameters()}
        decaying = [name for name, p in networks[0].named_parameters() if p.ndim > 1]
        rest = [name for name in forms if name not in decaying]
        self._names = [*decaying, *rest]
        self._shapes = [forms[name].shape for name in self._names]
        self._sizes = [shape.numel() for shape in self._shapes]
        self.n_decaying = sum(forms[name].numel() for name in decaying)
        first = forms[self._names[0]]
        self.flat = torch.empty(
            len(networks), sum(self._sizes), dtype=first.dtype, device=first.device
        )
        for row, network in enumerate(networks):
            for slot, parameter in self._slots(row, network):
                slot.copy_(parameter)
        self.flat.requires_grad_()

    def weights(self) -> dict[str, Tensor]:
        """The weights of all, by the names they have in a network: (K, ...) each.

        Its gradient reaches `flat` in one copy.
        """
        pieces = self.flat.split_with_sizes(self._sizes, dim=1)
        return {
            name: piece.view(-1, *shape)
            for name, piece, shape in zip(self._names, pieces, self._shapes, strict=True)
        }

    def write(self, row: int, network: ResidualNetwork) -> None:
        """Give a network the weights of one row."""
        for slot, parameter in self._slots(row, network):
            parameter.copy_(slot)

    def keep(self, rows: Tensor) -> None:
        """Drop all other rows."""
        self.flat = self.flat.detach()[rows].requires_grad_()

    def _slots(self, row: int, network: ResidualNetwork) -> list[tuple[Tensor, Tensor]]:
        """The places of each parameter in a row of the array and in a network, of one shape."""
        pieces = self.flat.detach()[row].split_with_sizes(self._sizes)
        parameters = dict(network.named_parameters())
        return [
            (piece.view(shape), _stored(name, parameters[name]))
            for name, piece, shape in zip(self._names, pieces, self._shapes, strict=True)
        ]


def _stored(name: str, parameter: Tensor) -> Tensor:
    """A view of a parameter in the order in which it lies in the stack."""
    parameter = parameter.detach()
    if name == "stem.weight":
        return parameter.transpose(0, 1)  # (slots, in, out) to (in, slots, out): one product
    if parameter.ndim == 2 and name != "stem.embedding":
        return parameter.mT  # (out, in) to (in, out)
    return parameter
