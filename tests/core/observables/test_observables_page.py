"""docs/observables.md has the rows of the contract as they are."""

import importlib.util
from typing import Any

from markdown import ROOT

from rgcontract.observables import OBSERVABLES, REASONS


def script() -> Any:
    place = ROOT / "scripts" / "observables_page.py"
    spec = importlib.util.spec_from_file_location("observables_page", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_as_the_script_writes_them() -> None:
    page = (ROOT / "docs" / "observables.md").read_text(encoding="utf-8")
    assert script().filled(page) == page


def test_every_observable_and_every_reason_has_a_line() -> None:
    tables = "\n".join(script().tables().values())
    assert all(f"| `{name}` |" in tables for name in (*OBSERVABLES, *REASONS))
