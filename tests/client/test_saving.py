"""A save that fails leaves what was saved before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import full_disk
import pytest

from rgclient import Findings, Result
from rgcontract import Findings as Data
from rgcontract.credentials import Credentials, read_credentials, write_credentials

FINDINGS = {
    "study_id": "study1", "complete": True, "confidence": 0.975, "n_seeds": 5,
    "error_bar": "seeds", "groups": [], "updated_at": "2026-01-02T03:04:05Z",
}  # fmt: skip


def test_a_result_on_a_full_disk_is_the_one_before(result: Result, tmp_path: Path) -> None:
    path = result.save(tmp_path / "result.json")
    full_disk.leaves_alone(
        f"from rgclient import Result; kept = Result.load({str(path)!r}); kept.save({str(path)!r})",
        path,
    )
    assert Result.load(path) == result


def test_findings_on_a_full_disk_are_the_ones_before(tmp_path: Path) -> None:
    data = Data.model_validate_json(json.dumps(FINDINGS))
    path = Findings(data).save(tmp_path / "findings.json")
    full_disk.leaves_alone(
        "from pathlib import Path; from rgclient import Findings; from rgcontract import Findings "
        f"as Data; kept = Findings(Data.model_validate_json(Path({str(path)!r}).read_text())); "
        f"kept.save({str(path)!r})",
        path,
    )


def test_credentials_on_a_full_disk_are_the_ones_before(tmp_path: Path) -> None:
    known = Credentials("http://127.0.0.1:8321", "t" * 40)
    path = write_credentials(known)
    full_disk.leaves_alone(
        "from rgcontract.credentials import Credentials, write_credentials; "
        "write_credentials(Credentials('http://other', 'x' * 40))",
        path,
    )
    assert read_credentials() == known


def test_a_save_into_no_directory_names_the_path(result: Result, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no/result\.json"):
        result.save(tmp_path / "no" / "result.json")


def test_a_saved_result_is_replaced_by_another(
    result: Result, make_result: Any, tmp_path: Path
) -> None:
    path = result.save(tmp_path / "result.json")
    other = make_result(under_trained=True)
    assert other.save(path) == path
    assert Result.load(path) == other
