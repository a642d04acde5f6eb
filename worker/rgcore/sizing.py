"""How many networks of one shape to train together: arithmetic alone, without torch.

Whoever shares out the work asks here, and never loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass

FLOAT = 4
"""Bytes of a float32."""
STATE = 8
"""Copies of a parameter: in the network and in the fleet, its gradient as it comes and as one row,
two moments, and room for the update."""
DRAWN_AHEAD, MOST_DRAWN = 32, 2**21
"""Batches that a member's stream draws at a time, and the most values in them."""
TOKEN = 17
"""Bytes of a token: as drawn, as the network reads it, and whether it is hidden."""
MOST_MEMBERS = {"cpu": 64, "cuda": 256}
"""With more, members wait longer for each other and gain nothing."""
ROOM = 0.8
"""Part of the memory that a fleet may fill by the estimate."""
CPU_WORK = 2.5e8
"""Multiply-adds in a step of a fleet, beyond which it gains nothing on a core.

Measured on one thread against runs one after another. Below, starting the operations is what takes
the time, and a fleet starts them once for all; above, the products are, and what passes between
them no longer fits the cache.
"""


def choose_fleet_size(
    *,
    mixing: str,
    n_states: int,
    seq_len: int,
    mask_prob: float,
    batch_size: int,
    context: int,
    depth: int,
    width: int,
    hidden: int,
    device: str,
    memory: int,
) -> int:
    """K, the most members that a fleet of this shape should have, at least 1.

    Args:
        mixing: one of `rgcore.network.MIXINGS`.
        n_states: V.
        seq_len: T.
        mask_prob: probability that a token is hidden.
        batch_size: sequences per step.
        context: radius of the window; read by mixing `context` alone.
        depth: L.
        width: d.
        hidden: hidden units of a block.
        device: "cpu", for one thread, or "cuda".
        memory: bytes that the fleet may take on it.
    """
    shape = _Shape(mixing, n_states, seq_len, mask_prob, batch_size, context, depth, width, hidden)
    most = min(MOST_MEMBERS[device], int(ROOM * memory / shape.bytes))
    if device == "cpu":
        most = min(most, round(CPU_WORK / shape.multiply_adds))
    return max(1, most)


def member_bytes(
    *,
    mixing: str,
    n_states: int,
    seq_len: int,
    mask_prob: float,
    batch_size: int,
    context: int,
    depth: int,
    width: int,
    hidden: int,
) -> int:
    """Bytes that one member of a fleet takes while it is trained in float32, about and at most.

    Weights, gradient and moments, what is kept for the gradient, and sequences drawn ahead, which
    stay in the host's memory.

    Args:
        mixing: one of `rgcore.network.MIXINGS`.
        n_states: V.
        seq_len: T.
        mask_prob: probability that a token is hidden.
        batch_size: sequences per step.
        context: radius of the window; read by mixing `context` alone.
        depth: L.
        width: d.
        hidden: hidden units of a block.
    """
    return _Shape(
        mixing, n_states, seq_len, mask_prob, batch_size, context, depth, width, hidden
    ).bytes


@dataclass(frozen=True)
class _Shape:
    """What a step of one member consists of."""

    mixing: str
    n_states: int
    seq_len: int
    mask_prob: float
    batch_size: int
    context: int
    depth: int
    width: int
    hidden: int

    @property
    def bytes(self) -> int:
        drawn = min(DRAWN_AHEAD * self._tokens, MOST_DRAWN)
        floats = STATE * self._parameters + self._activations
        ids = 8 * (3 * self._tokens + 2 * self._masked + self._rows * self._slots)
        return round(FLOAT * floats + ids + TOKEN * drawn)

    @property
    def multiply_adds(self) -> float:
        """Forward, and twice as much for the gradients of weights and of activations."""
        blocks = self._rows * self._matrices + self.batch_size * self.width * self._mixing_matrices
        read_out = self._read * self.width * self._logits
        stem = self._slots * (self.n_states + 2) * self.width**2
        return 3 * (self.depth * blocks + read_out + stem)

    @property
    def _tokens(self) -> int:
        return self.batch_size * self.seq_len

    @property
    def _masked(self) -> float:
        return self.mask_prob * self._tokens

    @property
    def _rows(self) -> float:
        """Residual streams."""
        of = {"context": self._masked, "flat": self.batch_size}
        return of.get(self.mixing, self._tokens)

    @property
    def _slots(self) -> int:
        """Tokens that enter one stream."""
        return {"context": 2 * self.context + 1, "flat": self.seq_len}.get(self.mixing, 1)

    @property
    def _read(self) -> float:
        """Streams that are read out."""
        return self.batch_size if self.mixing == "flat" else self._masked

    @property
    def _logits(self) -> int:
        """Of one stream."""
        return self.n_states * (self.seq_len if self.mixing == "flat" else 1)

    @property
    def _reads(self) -> int:
        """Streams that enter a block at one place."""
        return 3 if self.mixing == "window" else 1

    @property
    def _matrices(self) -> int:
        """Weights of a block's two matrices."""
        return (self._reads + 1) * self.width * self.hidden

    @property
    def _token_hidden(self) -> float:
        return self.hidden / self.width * self.seq_len if self.mixing == "mixer" else 0

    @property
    def _mixing_matrices(self) -> float:
        """Weights of the two matrices over positions."""
        return 2 * self.seq_len * self._token_hidden

    @property
    def _parameters(self) -> float:
        ids, width = self.n_states + 2, self.width
        block = self._matrices + self._mixing_matrices + self.hidden + 5 * width
        stem = ids * width + self._slots * width**2
        return stem + self.depth * block + (width + 1) * self._logits

    @property
    def _activations(self) -> float:
        """Kept for the gradient, and the largest that pass."""
        # of a block: the stream, normed, as it is read, and hidden units before and after f
        block = self._rows * ((2 * self._reads + 2) * self.width + 2 * self.hidden)
        if self.mixing == "mixer":
            block += self.batch_size * self.width * (4 * self.seq_len + 2 * self._token_hidden)
        table = self._slots * (self.n_states + 2) * self.width
        logits = self._read * self._logits + self._masked * self.n_states
        return self.depth * block + 2 * table + 3 * logits
