"""Observables take and give what their annotations say."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKED = "rgcore.observables,beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
"""What is checked, and by what; an int is a float, as mypy has it."""
A_LIST_FOR_AN_ARRAY = """
from rgcore.observables.centring import frobenius_norm

def test_a_list():
    frobenius_norm([[1.0]])
"""


def checked_run(path: Path) -> subprocess.CompletedProcess[str]:
    """Quick tests, with every annotation checked at each call."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, f"--jaxtyping-packages={CHECKED}", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_call_against_its_annotation_fails(tmp_path: Path) -> None:
    wrong = tmp_path / "test_wrong.py"
    wrong.write_text(A_LIST_FOR_AN_ARRAY)
    ran = checked_run(wrong)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "TypeCheckError" in ran.stdout
    assert "parameter 'gram'" in ran.stdout


@pytest.mark.slow
def test_no_test_of_an_observable_calls_against_an_annotation() -> None:
    ran = checked_run(Path(__file__).parent)
    assert ran.returncode == pytest.ExitCode.OK, ran.stdout
