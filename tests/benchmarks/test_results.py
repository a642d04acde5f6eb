"""A large result, read by many at once, takes no more memory of the API than a few pieces of it."""

from __future__ import annotations

import pytest

from benchmarks.results import MIB, Reading, measured, table

pytestmark = pytest.mark.slow

MOST_GROWTH = 96 * MIB
"""Two answers at a time, piece by piece, and what threads and allocator hold on to; held whole,
one answer takes three times as much."""


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Reading]:
    """Of eight readers of 16 draws of a chain of 256 states."""
    return {(one.query, one.encoding): one for one in measured(16, readers=8)}


def test_memory_does_not_grow_with_the_readers(found: dict[tuple[str, str], Reading]) -> None:
    before = min(one.idle_bytes for one in found.values())
    for one in found.values():
        assert one.peak_bytes - before < MOST_GROWTH, table([*found.values()])


def test_matrices_are_not_in_the_answer_by_default_and_compressed_if_one_takes_that(
    found: dict[tuple[str, str], Reading],
) -> None:
    default, whole = (found[query, "identity"] for query in ("by default", "all of it"))
    assert default.json_bytes < 1.5 * MIB < 20 * MIB < whole.json_bytes
    for query in ("by default", "all of it"):
        plain, packed = (found[query, encoding] for encoding in ("identity", "gzip"))
        assert packed.json_bytes == plain.json_bytes == plain.sent_bytes
        assert packed.sent_bytes < 0.6 * plain.sent_bytes
