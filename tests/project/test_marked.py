"""What scripts write into a page goes between its marks, and nowhere else."""

from __future__ import annotations

import pytest

from scripts.marked import filled


def test_what_is_made_takes_the_place_of_what_was_there() -> None:
    assert filled("a[old]b", "[", "]", r"new \1") == r"a[new \1]b"


@pytest.mark.parametrize("page", ["no mark", "a[b", "a]b", "a]b[c", "a[b]c[d]e", "a[b]c]d"])
def test_a_page_without_exactly_one_place_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="not exactly one place"):
        filled(page, "[", "]", "x")
