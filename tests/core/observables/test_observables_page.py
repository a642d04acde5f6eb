"""docs/observables.md has the rows of the contract as they are."""

from markdown import ROOT

from rgcontract.observables import OBSERVABLES, REASONS
from scripts import observables_page


def test_tables_are_as_the_script_writes_them() -> None:
    page = (ROOT / "docs" / "observables.md").read_text(encoding="utf-8")
    assert observables_page.current(page) == page


def test_every_observable_and_every_reason_has_a_line() -> None:
    tables = "\n".join(observables_page.tables().values())
    assert all(f"| `{name}` |" in tables for name in (*OBSERVABLES, *REASONS))
