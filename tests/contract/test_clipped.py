"""What was sent is shown in a message: whole if it is short, else its beginning."""

from __future__ import annotations

import pytest

from rgcontract.section import clipped, shown


@pytest.mark.parametrize("n", [0, 1, 199, 200])
def test_up_to_two_hundred_characters_are_whole(n: int) -> None:
    assert clipped("x" * n) == "x" * n


def test_of_more_the_first_two_hundred_are_shown() -> None:
    assert clipped("x" * 201) == "x" * 200 + "..."
    assert shown("x" * 1000) == "'" + "x" * 199 + "..."
