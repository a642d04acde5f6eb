"""`rglab demo` (`make demo`): what it prints and writes, and that it can be interrupted."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest
from commands import RGLAB, Up, alive, environment, processes_of, sockets_in
from lab_processes import PATIENCE

from rgclient import Result

CTRL_C = b"\x03"


@dataclass(frozen=True)
class Demo:
    """A finished demo."""

    printed: str
    output: Path


@pytest.fixture(scope="module")
def demo(lab: Up, default_experiment: str, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo on a lab where its two experiments are measured (see `default_experiment`)."""
    output = tmp_path_factory.mktemp("demo") / "output"
    ran = subprocess.run(
        [RGLAB, "demo", "--output", str(output)],
        env=environment(RGLAB_DATA_DIR=str(lab.data_dir), COLUMNS="80"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "reading the stored measurements" in ran.stderr
    return Demo(ran.stdout, output)


def test_it_prints_ranks_drift_and_losses_for_both_correlation_lengths(demo: Demo) -> None:
    for title in ("Effective rank after training", "Kernel drift", "Masked-token loss"):
        assert title in demo.printed
    assert demo.printed.count("xi = 1 ") >= 3
    assert demo.printed.count("xi = 7 ") >= 3


def test_its_tables_fit_into_80_columns(demo: Demo) -> None:
    tables = [line for line in demo.printed.splitlines() if line[:1] in "┏┃┡│└"]
    assert max(map(len, tables)) <= 80


def test_the_figure_warns_of_networks_that_learnt_nothing(demo: Demo) -> None:
    svg = (demo.output / "contrast.svg").read_text()  # texts stand in it as comments too
    assert "UNDER-TRAINED at ξ = 1, 7" in svg
    assert "TOO FEW SAMPLES at ξ = 1, 7" in svg


def test_it_answers_in_words(demo: Demo) -> None:
    assert "Selective? position: " in demo.printed
    assert "; pooled: " in demo.printed


def test_it_warns_that_these_networks_are_under_trained(demo: Demo) -> None:
    """Three steps of training teach nothing; see `store_quickly`."""
    assert "under-trained: do not believe its rank yet" in demo.printed


@pytest.mark.parametrize("corr_len", [1, 7])
def test_it_writes_results_that_the_client_reads(demo: Demo, corr_len: int) -> None:
    result = Result.load(demo.output / f"corr_len_{corr_len}.json")
    assert result.chain.corr_len == pytest.approx(corr_len, rel=1e-9)  # xi is set exactly
    assert result.seeds == (0, 1, 2)


def test_it_writes_the_figure_as_picture_and_as_drawing(demo: Demo) -> None:
    assert (demo.output / "contrast.png").read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(demo.output / "contrast.svg").getroot().tag.endswith("svg")


def test_it_names_every_file_it_wrote(demo: Demo) -> None:
    written = {f"wrote {path}" for path in demo.output.iterdir()}
    assert written <= set(demo.printed.splitlines())


@dataclass(frozen=True)
class Interrupted:
    """A demo of its own, before and after Ctrl-C."""

    exit_code: int
    printed: str
    data_dir: Path
    processes: list[psutil.Process]


def _read_until(terminal: int, words: bytes) -> bytes:
    """What appears on a terminal up to these words, or up to its end."""
    seen = b""
    while words not in seen:
        try:
            seen += os.read(terminal, 65536)
        except OSError:  # EIO: the last process on the terminal has ended
            return seen
    return seen


@pytest.fixture(scope="module")
def interrupted(scratch: Path) -> Iterator[Interrupted]:
    """Ctrl-C on the terminal of the demo while it trains."""
    data_dir = scratch / "interrupted"
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", RGLAB, "demo", "--output", str(scratch / "never")],
        env=environment(RGLAB_DATA_DIR=str(data_dir), RGLAB_CONCURRENCY="1", TERM="xterm"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = _read_until(terminal, b"running, 0 of 3 seeds done")
    processes = processes_of(process.pid, data_dir)
    os.write(terminal, CTRL_C)
    seen += _read_until(terminal, b"never appears")
    yield Interrupted(process.wait(PATIENCE), seen.decode(errors="replace"), data_dir, processes)
    os.close(terminal)


def test_ctrl_c_ends_the_demo_with_exit_code_130(interrupted: Interrupted) -> None:
    assert interrupted.exit_code == 130, interrupted.printed
    assert "Traceback" not in interrupted.printed


def test_ctrl_c_says_what_becomes_of_the_work(interrupted: Interrupted) -> None:
    assert "everything that was started is stopped" in interrupted.printed


def test_ctrl_c_ends_every_process_of_the_demo(interrupted: Interrupted) -> None:
    assert len(interrupted.processes) >= 6  # as `rglab up`, and a trainer
    assert alive(interrupted.processes) == []
    assert sockets_in(interrupted.data_dir) == []
