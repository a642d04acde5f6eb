"""The commands of `rglab`, and what is common to them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rglab.cli import admin, audit, people
from rglab.cli.console import out, stop
from rglab.cli.demo import demo
from rglab.cli.study import study
from rglab.cli.up import up
from rgstore.settings import InvalidSettingError


class _Commands(TyperGroup):
    """Says of a wrong setting, whichever command meets it, what is allowed."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except InvalidSettingError as error:
            stop(str(error), 2)


app = typer.Typer(
    cls=_Commands,
    name="rglab",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        out.print(f"rglab {version('rglab')}")
        raise typer.Exit


@app.callback()
def rglab(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Say which release this is", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """RGLab: a measuring instrument for the physics of learning."""


app.command("up")(up)
app.command("demo")(demo)
app.command("study")(study)
app.command("migrate")(admin.migrate)
app.command("worker")(admin.worker)
app.command("calibrate")(admin.calibrate)
app.add_typer(people.user, name="user")
app.add_typer(people.token, name="token")
app.command("audit")(audit.show)
app.command("doctor")(admin.doctor)
