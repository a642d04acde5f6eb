"""The bar: what it says, and where it is drawn."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from tqdm import tqdm

from rgclient._progress import ProgressBar, bar_class, doing, in_jupyter
from rgcontract import Experiment as View


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def view(answer: Any) -> Any:
    def make(state: str, **changes: Any) -> View:
        return View.model_validate_json(answer.experiment(state, **changes).content)

    return make


def test_waiting_says_why_and_the_place(view: Any) -> None:
    shown = doing(view("queued", waiting={"reason": "all workers are busy", "place": 4}))
    assert shown == "queued: all workers are busy (4 runs ahead)"


def test_what_goes_first_is_said_once(view: Any) -> None:
    shown = doing(view("queued", waiting={"reason": "28 runs go first", "place": 28}))
    assert shown == "queued: 28 runs go first"


def test_next_in_line_has_nothing_ahead(view: Any) -> None:
    assert doing(view("queued", waiting={"reason": "next in line", "place": 0})) == (
        "queued: next in line"
    )


def test_training_says_how_far(view: Any, make_run: Any) -> None:
    progress = {"phase": "training", "fraction": 0.5, "step": 750, "steps": 1500, "loss": 2.34567}
    runs = [make_run(0, "done"), make_run(1, "running", progress=progress)]
    shown = doing(view("running", runs=runs, run_counts={"done": 1, "running": 1}))
    assert shown == "1 of 2 runs done; seed 1 training 750/1500, loss 2.3457"


def test_there_may_be_no_loss_yet(view: Any, make_run: Any) -> None:
    progress = {"phase": "sampling", "fraction": 0, "step": 0, "steps": 1500, "loss": None}
    runs = [make_run(0, "running", progress=progress)]
    shown = doing(view("running", runs=runs, run_counts={"running": 1}))
    assert shown == "0 of 1 run done; seed 0 sampling 0/1500"


def test_the_end_is_the_state(view: Any) -> None:
    assert doing(view("done")) == "done"


def test_a_terminal_gets_a_line(view: Any) -> None:
    file = Terminal()
    bar = ProgressBar("exp1", file=file)
    bar.show(view("queued", waiting={"reason": "all workers are busy", "place": 4}))
    bar.show(view("running", progress=0.25))
    bar.close()
    assert "exp1" in file.getvalue()
    assert "queued: all workers are busy (4 runs ahead)" in file.getvalue()
    assert " 25%|" in file.getvalue()


def test_a_bar_goes_back_when_seeds_are_added(view: Any) -> None:
    file = Terminal()
    bar = ProgressBar("exp1", file=file)
    bar.show(view("running", progress=0.75))
    bar.show(view("running", progress=0.25))
    bar.close()
    assert file.getvalue().rindex(" 25%|") > file.getvalue().rindex(" 75%|")


def test_a_remark_is_shown(view: Any) -> None:
    file = Terminal()
    bar = ProgressBar("exp1", file=file)
    bar.note("the server does not answer")
    bar.close()
    assert "the server does not answer" in file.getvalue()


def test_a_log_file_gets_none(view: Any) -> None:
    file = io.StringIO()
    bar = ProgressBar("exp1", file=file)
    bar.show(view("running", progress=0.25))
    bar.close()
    assert file.getvalue() == ""


def test_it_can_be_turned_off(view: Any) -> None:
    file = Terminal()
    bar = ProgressBar("exp1", enabled=False, file=file)
    bar.show(view("running", progress=0.25))
    bar.close()
    assert file.getvalue() == ""


def test_a_notebook_with_ipywidgets_gets_its_own_bar() -> None:
    chosen = bar_class(in_notebook=True, find=lambda name: name)
    assert chosen.__module__ == "tqdm.notebook"


def test_a_notebook_without_gets_the_plain_one_and_no_warning() -> None:
    assert bar_class(in_notebook=True, find=lambda _: None) is tqdm


def test_a_terminal_gets_the_plain_one() -> None:
    assert bar_class(in_notebook=False, find=lambda name: name) is tqdm


@pytest.mark.parametrize(
    ("shell", "expected"), [(SimpleNamespace(kernel=1), True), (SimpleNamespace(), False)]
)
def test_a_kernel_is_a_notebook(shell: Any, expected: bool) -> None:
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    assert in_jupyter({"IPython": ipython}) is expected


def test_no_ipython_is_no_notebook() -> None:
    assert not in_jupyter({})
    assert not in_jupyter({"IPython": SimpleNamespace(get_ipython=lambda: None)})


def test_wait_draws_and_closes_the_bar(
    client: Any, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Terminal()
    monkeypatch.setattr(sys, "stderr", file)
    server.will(
        answer.acknowledgement(),
        answer.experiment("queued", waiting={"reason": "no worker", "place": 2}),
        answer.experiment("done"),
        answer.result(),
    )
    client.submit(corr_len=7).wait()
    assert "queued: no worker (2 runs ahead)" in file.getvalue()
    assert file.getvalue().endswith("\n")
