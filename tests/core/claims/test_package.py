import re
import subprocess
import sys
from pathlib import Path

import pytest

import rgcore.claims

PAGE = Path(__file__).parents[3] / "docs" / "claims.md"


def test_claims_do_without_torch() -> None:
    code = "import sys, rgcore.claims; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_are_sorted_and_exist() -> None:
    names = rgcore.claims.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(rgcore.claims, name) for name in names)


def test_example_of_the_page_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out == printed
