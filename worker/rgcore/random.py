"""Independent streams of random numbers from one seed."""

from __future__ import annotations

import hashlib

import torch


def derive_generator(seed: int, stream: str) -> torch.Generator:
    """A CPU generator for a named stream of a seed.

    The generator's own seed is the first 63 bits of SHA-256("rglab:stream:seed"), so streams of
    one seed, and equal streams of neighbouring seeds, have nothing in common.
    """
    digest = hashlib.sha256(f"rglab:{stream}:{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
