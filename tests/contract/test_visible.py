"""What others wrote moves no terminal and makes no second line."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from rgcontract.visible import lines, one_line

EVERY = [chr(number) for number in range(sys.maxunicode + 1)]


def test_no_letter_of_what_is_shown_controls_or_reorders_anything() -> None:
    shown = one_line("".join(EVERY))
    assert len(shown.splitlines()) == 1
    assert {unicodedata.category(letter) for letter in shown}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    reordering = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert reordering.isdisjoint(map(unicodedata.bidirectional, shown))
    assert shown.encode()


@pytest.mark.parametrize("text", ["", "plain", "\u00e9\u4f60\U0001f9ea", "\\n", "a b"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text


def test_what_is_spelt_out_in_a_text_of_json_is_the_same_text() -> None:
    said = json.dumps("a\u202eb\x85c\u2028d", ensure_ascii=False)
    assert json.loads(one_line(said)) == json.loads(said)


def test_text_of_several_lines_keeps_them() -> None:
    assert lines("a\n\x1b[2Jb\r\n") == "a\n\\u001b[2Jb\\r\n"
