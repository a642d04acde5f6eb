from __future__ import annotations

import pytest

from rgcontract.version import CONTRACT, Version


def test_a_version_is_read_as_it_is_written() -> None:
    assert Version.parse(str(CONTRACT)) == CONTRACT
    assert Version.parse("3.12") == Version(3, 12)


def test_a_major_version_alone_is_its_first() -> None:
    assert Version.parse("2") == Version(2, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1.",
        ".1",
        "v1",
        "1.0.0",
        "01",
        "1.00",
        "-1",
        "1,0",
        "\u0661",
        "12345",
        "1\n",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no version; write 1 or 1\.3"):
        Version.parse(text)


def test_versions_are_ordered_by_major_then_minor() -> None:
    assert Version(1, 9) < Version(1, 10) < Version(2, 0)
