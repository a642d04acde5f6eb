"""A value that came after its field is in the field's row, with the schema in which it came."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest

from rgcontract import kept, schema_of
from rgcontract.about import About
from rgcontract.forms import in_full, newest
from rgcontract.section import Section

Word = Literal["old", "newer", "newest"]
CAME = {"newer": 2, "newest": 3}


class Part(Section):
    word: Annotated[Word, About(new_values=CAME)] = "old"
    words: Annotated[tuple[Word, ...] | None, About(new_values=CAME)] = None
    size: int = 1


class Whole(Section):
    part: Part = Part()
    name: Annotated[Word | None, About(new_values={"newest": 4})] = None


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({}, 1),
        ({"part": {"word": "old"}}, 1),
        ({"part": {"word": "newer"}}, 2),
        ({"part": {"word": "newest"}}, 3),
        ({"part": {"words": ("old",)}}, 1),
        ({"part": {"words": ("old", "newer")}}, 2),
        ({"part": {"words": ("newest", "newer", "old")}}, 3),
        ({"part": {"word": "newest", "words": ("newer",)}}, 3),
        ({"name": "newer"}, 1),
        ({"name": "newest"}, 4),
        ({"name": "newest", "part": {"word": "newer"}}, 4),
    ],
)
def test_a_spec_needs_the_schema_of_the_newest_of_its_values(given: Any, needed: int) -> None:
    assert schema_of(Whole.model_validate(given)) == needed


def test_the_newest_schema_is_that_of_the_newest_value_there_is_also_further_down() -> None:
    assert newest(Part) == 3
    assert newest(Whole) == 4


def test_a_value_is_kept_in_every_form_whether_it_is_new_or_not() -> None:
    for word in ("old", "newer"):
        whole = Whole.model_validate({"part": {"word": word}})
        assert kept(whole)["part"]["word"] == word
        assert in_full(whole, 1) == whole
