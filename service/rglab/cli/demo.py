"""`rglab demo`: the paper's contrast from nothing to an answer."""

from __future__ import annotations

import time
from pathlib import Path

from matplotlib.figure import Figure
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from rgclient import Client, Experiment, Result, RGLabError
from rgcontract import State
from rgcontract.credentials import CredentialsError
from rgcontract.files import replacing
from rgfigures import drawn
from rglab.cli.console import err, out, say, stop
from rglab.cli.lab_client import Check, lab_client
from rglab.cli.options import OutputDirectory
from rglab.cli.signals import stoppable
from rglab.demo import contrast
from rglab.embedded.lab import LabError

POLL_SECONDS = 0.5


def demo(
    output: OutputDirectory = Path("demo-output"),
) -> None:
    """Measure the paper's contrast, xi = 1 against xi = 7, and say what it shows.

    Starts everything it needs and stops it again. What was measured is kept: a second demo only
    reads it.
    """
    began = time.monotonic()
    try:
        with stoppable(), lab_client() as (client, check):
            results = _measure(client, check)
    except KeyboardInterrupt:
        stop("interrupted; everything that was started is stopped, measured runs are kept", 130)
    except (LabError, RGLabError, CredentialsError, OSError) as error:
        stop(str(error))
    for table in contrast.tables(results):
        out.print(table)
    out.print(contrast.in_words(results), markup=False)
    try:
        written = _write(output, results)
    except OSError as error:
        stop(f"the measurements are kept, but cannot be written to {output}: {error}")
    for path in written:
        out.print(f"wrote {path}", markup=False, soft_wrap=True)
    out.print(f"took {time.monotonic() - began:.0f} s")


def _measure(client: Client, check: Check) -> list[Result]:
    experiments = [client.submit(**fields) for fields in contrast.specs()]
    if all(experiment.state == State.DONE for experiment in experiments):
        say("both correlation lengths are measured already: reading the stored measurements")
    else:
        _watch(client, experiments, check)
    return [experiment.wait(progress=False) for experiment in experiments]


def _watch(client: Client, experiments: list[Experiment], check: Check) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[now]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as progress:
        tasks = {
            experiment.id: progress.add_task(
                f"xi = {experiment.spec.chain.corr_len:g}", total=1.0, now=""
            )
            for experiment in experiments
        }
        while True:
            views = [client.view(experiment.id) for experiment in experiments]
            for view in views:
                done, total = view.run_counts.done, view.run_counts.total
                now = f"{view.state}, {done} of {total} seeds done"
                progress.update(tasks[view.id], completed=view.progress, now=now)
            if all(view.state.is_final for view in views):
                return
            check()
            time.sleep(POLL_SECONDS)


def _write(output: Path, results: list[Result]) -> list[Path]:
    output.mkdir(parents=True, exist_ok=True)
    written = save_figure(drawn("contrast", [result.data for result in results]), output)
    for result in results:
        path = output / f"corr_len_{result.data.spec.chain.corr_len:g}.json"
        written.append(result.save(path))
    return written


def save_figure(figure: Figure, output: Path) -> list[Path]:
    """The picture in a directory, as PNG and as SVG."""
    written = [output / "contrast.png", output / "contrast.svg"]
    for path in written:
        with replacing(path) as file:
            figure.savefig(file, format=path.suffix[1:], dpi=150)
    return written
