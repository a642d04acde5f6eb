"""Text of others on a terminal or in a log: what would move, colour or reorder it is spelt out."""

from __future__ import annotations

from itertools import chain

LINE_BREAK = "\n"
_CONTROLS = chain(range(0x20), range(0x7F, 0xA0))
_SEPARATORS = (0x2028, 0x2029)
"""Ends of lines and paragraphs, which some programs break at."""
_DIRECTIONS = chain((0x061C, 0x200E, 0x200F), range(0x202A, 0x202F), range(0x2066, 0x206A))
"""Marks and controls of the direction of writing."""
_SURROGATES = range(0xD800, 0xE000)
"""By themselves they are no text, and cannot be written in UTF-8."""
_SPELT = {
    number: f"\\u{number:04x}" for number in chain(_CONTROLS, _SEPARATORS, _DIRECTIONS, _SURROGATES)
} | {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


def one_line(text: str) -> str:
    r"""Text on one line, whatever it holds; what is spelt out reads as in JSON.

    Args:
        text: any; NUL, lone surrogates and escapes of terminals too.

    Example:
        >>> print(one_line("red: \x1b[31m\nnext"))
        red: \u001b[31m\nnext
    """
    return text.translate(_SPELT)


def lines(text: str) -> str:
    """The same of text that is meant to have several lines."""
    return LINE_BREAK.join(map(one_line, text.split(LINE_BREAK)))
