"""How a token reads: so that a leaked one is found by a scanner, and a mistyped one by its digits.

`rglab_`, 64 hexadecimal digits from the system's random source (256 bits), and the CRC-32 of all
that as 8 more: the pattern is `rglab_[0-9a-f]{72}`. Tokens of before, `rgl_` and 43 letters,
digits, `-` and `_`, carry no checksum.
"""

from __future__ import annotations

import hashlib
import secrets
from zlib import crc32

PREFIX = "rglab_"
PATTERN = PREFIX + "[0-9a-f]{72}"
"""As a scanner for secrets takes it."""
RANDOM_BYTES = 32
CHECK_DIGITS = 8


def new_token() -> str:
    """A token that nobody has."""
    return _checked(f"{PREFIX}{secrets.token_hex(RANDOM_BYTES)}")


def is_damaged(token: str) -> bool:
    """Whether it begins as ours do and cannot be one: cut short, or a digit is wrong."""
    return token.startswith(PREFIX) and token != _checked(token[:-CHECK_DIGITS])


def digest_of(token: str) -> str:
    """What is kept of it, and looked for: its SHA-256.

    It is 256 random bits, so a plain hash is as good as a slow one. The time that it takes to look
    a hash up says nothing of the token.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def id_of(token: str) -> str:
    """What it is called where it is listed, by whoever has its text."""
    return f"t-{digest_of(token)[:16]}"


def _checked(text: str) -> str:
    return f"{text}{crc32(text.encode()):0{CHECK_DIGITS}x}"
