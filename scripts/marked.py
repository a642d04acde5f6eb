"""Pages of which a part between two marks is made by a script."""

from __future__ import annotations


def filled(page: str, begin: str, end: str, made: str) -> str:
    """The page with what is made between its marks, in place of what was there.

    Raises:
        ValueError: it has not exactly one such place.
    """
    before, *rest = page.split(begin)
    if len(rest) != 1 or rest[0].count(end) != 1:
        raise ValueError(f"the page has not exactly one place from {begin!r} to {end!r}")
    return f"{before}{begin}{made}{end}{rest[0].partition(end)[2]}"
