"""Nothing of the project opens a file to write to it in place: `rgcontract.files` replaces it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import full_disk
import pytest
from markdown import ROOT

from benchmarks.growth import AXES

FOLDERS = ("client", "service", "worker", "migrations", "benchmarks", "scripts")
IN_PLACE = {
    "client/rgcontract/files.py": "writes beside, and to what is no file",
    "service/rglab/embedded/children.py": "a log, appended to while a server runs",
    "service/rglab/embedded/postgres.py": "a log, appended to while a server runs",
    "benchmarks/trackers.py": "a log, written to while a server runs",
    "benchmarks/results.py": "to the kernel, which measures a peak anew from then on",
    "benchmarks/gpu/session.py": "a log, written to while a stage runs",
    "benchmarks/gpu/written.py": "writes beside: it has nothing of the contract",
    "scripts/mutation/trial.py": "in a copy of the tree that is thrown away",
    "scripts/library_findings.py": "writes beside: it runs where nothing is installed",
}
WRITERS = {"write_text", "write_bytes", "savez", "to_csv", "to_json", "to_parquet", "imsave"}
"""Methods that write to a path; `rgcontract.files` has functions of the first two names."""
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def written_in_place(tree: ast.AST) -> list[str]:
    """The calls that open a path to write, or write to one."""
    return [
        f"line {node.lineno}: {ast.unparse(node)[:80]}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (_writes(node) or _opens(node))
    ]


def _writes(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(attr="savefig"):
            return all(keyword.arg != "format" for keyword in call.keywords)
        case ast.Attribute(value=ast.Name(id="np" | "numpy" | "torch"), attr="save"):
            return True
        case ast.Attribute(attr=name):
            return name in WRITERS
    return False


def _opens(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id="open") | ast.Attribute(value=ast.Name(id="os" | "io"), attr="open"):
            mode = call.args[1] if len(call.args) > 1 else None
        case ast.Attribute(attr="open"):
            mode = call.args[0] if call.args else None
        case ast.Attribute(attr="fdopen"):
            return True
        case _:
            return False
    named = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    modes = [node.value for node in [mode, *named] if isinstance(node, ast.Constant)]
    return any(set(str(found)) & set("wxa+") for found in modes if isinstance(found, str))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_replaces_files_and_never_writes_in_place(path: Any) -> None:
    name = str(path.relative_to(ROOT))
    found = written_in_place(ast.parse(path.read_text(encoding="utf-8")))
    assert (found != []) == (name in IN_PLACE), found


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')", "Path('x').write_bytes(b'')", "open('x', 'w')",
        "path.open('wb')", "path.open(mode='a')", "io.open('x', 'x')", "figure.savefig(path)",
        "frame.to_csv('x')", "np.save('x', array)", "torch.save(weights, 'x')",
    ],
)  # fmt: skip
def test_the_ways_to_write_in_place_are_seen(line: str) -> None:
    assert written_in_place(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "path.open()", "open('x', encoding='utf-8')", "path.open('rb')", "write_text(path, 'x')",
        "figure.savefig(file, format='png')",
    ],
)  # fmt: skip
def test_reading_and_replacing_are_not_writing_in_place(line: str) -> None:
    assert written_in_place(ast.parse(line)) == []


def test_a_figure_on_a_full_disk_is_the_one_before(tmp_path: Path) -> None:
    picture = tmp_path / "growth.png"
    picture.write_bytes(b"before")
    point = {"value": 2, "per_member": {"costs": [1.0]}, "cost": {"costs": [1.0]}}
    points = [point | {"axis": axis} for axis in AXES]
    full_disk.leaves_alone(
        f"from pathlib import Path; from benchmarks.growth_figure import draw; "
        f"draw({points!r}, Path({str(picture)!r}))",
        picture,
    )


def test_the_figures_of_the_demo_on_a_full_disk_are_those_before(tmp_path: Path) -> None:
    pictures = [tmp_path / f"contrast.{kind}" for kind in ("png", "svg")]
    for picture in pictures:
        picture.write_bytes(b"before")
    full_disk.leaves_alone(
        "from pathlib import Path; from matplotlib.figure import Figure; "
        "from rglab.cli.demo import save_figure; "
        f"save_figure(Figure(), Path({str(tmp_path)!r}))",
        *pictures,
    )
