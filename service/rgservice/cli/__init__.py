"""`rglab`: the operator's command line."""

from __future__ import annotations

import typer

from rgservice.cli import admin
from rgservice.cli.demo import demo
from rgservice.cli.study import study
from rgservice.cli.up import up

app = typer.Typer(
    name="rglab",
    help="RGLab: a measuring instrument for the physics of learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up)
app.command("demo")(demo)
app.command("study")(study)
app.command("migrate")(admin.migrate)
app.command("worker")(admin.worker)
app.command("calibrate")(admin.calibrate)
app.command("token")(admin.token)
app.command("doctor")(admin.doctor)


def main() -> None:
    """Run the command line."""
    app()


__all__ = ["app", "main"]
