"""The progress bar of `wait`: one line that says what an experiment is doing.

`tqdm.auto` warns in a notebook without ipywidgets and then fails; here the plain bar serves.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from rgclient._glance import runs_text
from rgclient._numbers import count
from rgclient._per_process import PerProcess
from rgcontract import State
from rgcontract.unknown import Unknown

if TYPE_CHECKING:
    from rgcontract import Experiment as View

LOCK = PerProcess(threading.RLock)
FORMAT = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


class ProgressBar:
    """A bar from 0 to 1. In a log file, where a bar would fill pages, there is none."""

    def __init__(self, name: str, *, enabled: bool = True, file: TextIO | None = None) -> None:
        in_notebook = in_jupyter()
        self._bar: Any = None
        if enabled and (in_notebook or (file or sys.stderr).isatty()):
            # tqdm's own lock is every bar's and, in a forked process, may be locked for ever
            own = {"_lock": LOCK(), "monitor_interval": 0}
            kind = type("Bar", (bar_class(in_notebook=in_notebook),), own)
            self._bar = kind(total=1.0, desc=name, bar_format=FORMAT, file=file, dynamic_ncols=True)

    def show(self, view: View) -> None:
        """Move to where the experiment is."""
        self.move(view.progress, doing(view))

    def move(self, fraction: float, text: str) -> None:
        """Move to a part of the whole and say what is going on."""
        if self._bar is not None:
            self._bar.update(fraction - self._bar.n)
        self.note(text)

    def note(self, text: str) -> None:
        """Say something else, the bar staying where it is."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def doing(view: View) -> str:
    """What an experiment is doing, in a line."""
    if view.state is State.QUEUED and view.waiting is not None:
        place, reason = view.waiting.place, view.waiting.reason
        ahead = (
            f" ({count(place, 'run')} ahead)" if place and str(place) not in reason.split() else ""
        )
        return f"queued: {reason}{ahead}"
    parts = [view.state.value if view.state.is_final else runs_text(view.run_counts)]
    if isinstance(view.state, Unknown):
        parts.insert(0, f"state {view.state!r}, which this client does not know: still asking")
    for run in view.runs:
        if run.progress is not None:
            at = run.progress
            loss = "" if at.loss is None else f", loss {at.loss:.4f}"
            parts.append(f"seed {run.seed} {at.phase} {at.step}/{at.steps}{loss}")
            break
    return "; ".join(parts)


def bar_class(*, in_notebook: bool, find: Callable[[str], object | None] = find_spec) -> Any:
    """The notebook's bar where it can be drawn, else the one for a terminal."""
    if in_notebook and find("ipywidgets") is not None:
        from tqdm.notebook import tqdm as notebook_bar  # noqa: PLC0415 - needs ipywidgets

        return notebook_bar
    return tqdm


def in_jupyter(modules: Mapping[str, Any] = sys.modules) -> bool:
    """Whether a Jupyter kernel runs this; IPython in a terminal is none."""
    get_ipython = getattr(modules.get("IPython"), "get_ipython", None)
    return get_ipython is not None and hasattr(get_ipython(), "kernel")
