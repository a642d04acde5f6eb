"""`rglab study`: a grid of experiments, from a name or a file to verdicts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from rgclient import Client, Findings, RGLabError
from rgcontract import PRESETS, strictjson
from rgcontract.credentials import CredentialsError
from rgcontract.section import MAX_SEEDS
from rglab.cli.console import out, say, stop
from rglab.cli.lab_client import lab_client
from rglab.cli.options import OutputDirectory
from rglab.cli.signals import stoppable
from rglab.embedded.lab import LabError

STYLES = {"supported": "green", "refuted": "red", "inconclusive": "yellow"}
EFFECTS = (
    "effect of monotone: ln(rank_L / rank_0); of selective: rank_L / rank_0, long minus short; "
    "of localized: effective number of transitions"
)


def study(
    preset: Annotated[str | None, typer.Argument(help=f"One of: {', '.join(PRESETS)}")] = None,
    file: Annotated[Path | None, typer.Option(help="The body of a study, JSON")] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Training seeds of every experiment", min=1, max=MAX_SEEDS)
    ] = None,
    output: OutputDirectory = Path("study-output"),
) -> None:
    """Ask for a study, wait for it and print the verdict on each claim.

    It runs on the lab that RGLAB_URL and RGLAB_TOKEN name, or on that of `rglab up`, or on one
    that is started for it. What is measured is kept: after Ctrl-C the same command goes on.
    """
    fields = _fields(preset, file, seeds)
    try:
        with stoppable(), _client() as client:
            asked = client.study(**fields)
            say(f"study {asked.id}: {len(asked.experiments)} experiments")
            findings = asked.wait()
            results = asked.results()
    except KeyboardInterrupt:
        stop("interrupted; what is measured is kept, the same command goes on", 130)
    except (LabError, RGLabError, CredentialsError, OSError) as error:
        stop(str(error))
    for table in tables(findings):
        out.print(table)
    out.print(EFFECTS, markup=False)
    for line in reasons(findings):
        out.print(line, markup=False)
    try:
        output.mkdir(parents=True, exist_ok=True)
        findings.save(output / "findings.json")
        for _, result in results:
            result.save(output / f"{result.id}.json")
    except OSError as error:
        stop(f"the measurements are kept, but cannot be written to {output}: {error}")
    written = f"{output}: findings.json and {len(results)} results"
    out.print(f"wrote {written}", markup=False, soft_wrap=True)


@contextmanager
def _client() -> Iterator[Client]:
    if os.environ.get("RGLAB_URL"):
        with Client() as client:
            yield client
    else:
        with lab_client() as (client, _):
            yield client


def _fields(preset: str | None, file: Path | None, seeds: int | None) -> dict[str, Any]:
    if (preset is None) == (file is None):
        stop("give the name of a preset, or --file with the body of a study", 2)
    if preset is not None and preset not in PRESETS:
        stop(f"{preset!r} is no preset; there are {', '.join(PRESETS)}", 2)
    fields: dict[str, Any] = {"preset": preset}
    if file is not None:
        try:
            fields = strictjson.loads(file.read_bytes())
        except (OSError, strictjson.StrictJsonError) as error:
            stop(f"{file} cannot be read: {error}", 2)
        if not isinstance(fields, dict):
            stop(f"{file} is not a JSON object", 2)
    return fields if seeds is None else {**fields, "seeds": seeds}


def tables(findings: Findings) -> list[Table]:
    """A table of verdicts for each architecture; `!` where there is a warning, said below."""
    found: dict[str, Table] = {}
    for row in findings.table():
        title = row["settings"] or "verdicts"
        if title not in found:
            found[title] = Table(
                title=title,
                title_justify="left",
                caption_justify="left",
                box=None,
                pad_edge=False,
                collapse_padding=True,
            )
            for name in ("claim", "level", "chain", "verdict", "effect"):
                found[title].add_column(name, no_wrap=True)
        flag = " !" if row["warnings"] else ""
        found[title].add_row(
            *(Text(row[name]) for name in ("claim", "level", "chain")),
            Text(row["verdict"] + flag, STYLES[row["verdict"]]),
            Text(row["effect"].partition(" ")[2]),
        )
        if flag:
            said = {*str(found[title].caption or "").split("; "), f"! {row['warnings']}"}
            found[title].caption = "; ".join(sorted(said - {""}))
    return list(found.values())


def reasons(findings: Findings) -> list[str]:
    """What decides each verdict, but for the pooled ones: they are in the file."""
    return [
        " ".join(filter(None, [row["settings"], row["claim"], f"{row['chain']}:", row["reason"]]))
        for row in findings.table()
        if row["level"] != "pooled"
    ]
