"""docs/chains.md, run."""

import doctest
import json
from typing import Any

import pytest
from markdown import ROOT, blocks, links

from rgcore.chain import FAMILIES, make_chain
from scripts import chain_pictures

PAGE = "docs/chains.md"
MOST_BYTES = 60_000  # of a picture


@pytest.mark.parametrize(
    "block", [b for b in blocks(PAGE) if b.language == "json"], ids=lambda b: b.heading
)
def test_spec_on_the_page_is_a_chain_of_its_family(block: Any) -> None:
    chain = make_chain(**json.loads(block.code)["chain"])
    assert chain.family == block.heading


def test_python_on_the_page_prints_what_it_says() -> None:
    code = "\n".join(block.code for block in blocks(PAGE) if block.language == "python")
    example = doctest.DocTestParser().get_doctest(code, {}, PAGE, PAGE, 0)
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0


def test_every_family_has_a_section_a_spec_and_a_picture() -> None:
    assert {b.heading for b in blocks(PAGE) if b.language == "json"} == set(FAMILIES)
    assert set(links(PAGE)) >= {f"images/chains/{family}.png" for family in FAMILIES}


def test_pictures_are_small() -> None:
    for family in FAMILIES:
        assert (ROOT / f"docs/images/chains/{family}.png").stat().st_size <= MOST_BYTES


def test_script_knows_every_family() -> None:
    examples = chain_pictures.examples()
    assert {chain.family for chains in examples.values() for chain in chains.values()} == set(
        FAMILIES
    )


def test_script_draws_matrix_eigenvalues_and_decay() -> None:
    # complex eigenvalues are drawn too: a warning would be an error here
    figure = chain_pictures.picture(chain_pictures.examples()["explicit"])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == ["P, drift", "eigenvalues, complex plane"]
    assert "I(r)" in titles[2]
