"""Named, independent random streams out of one integer seed."""

from __future__ import annotations

import hashlib

import torch


def derive_generator(seed: int, stream: str) -> torch.Generator:
    """A CPU generator for one purpose ("init", "data", "measure") of one seed.

    Its seed is the head of SHA-256 of both, so that neighbouring seeds, and the streams of one
    seed, have nothing in common, and a stream added later leaves the others as they are. Torch's
    CPU engine takes 32 bits of it: two of N streams coincide with probability about N^2 / 2^33.

    Args:
        seed: any integer.
        stream: what the numbers are for.
    """
    digest = hashlib.sha256(f"{seed}:{stream}".encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:4], "big"))
