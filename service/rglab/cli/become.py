"""`python -m rglab.cli.become PROGRAM ARGUMENTS`: a worker's program, under Ctrl-C as ours are.

The worker is not imported here, but by name: the service installs without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

from rgstore import interrupts


def load() -> Callable[[], int | None]:
    """The main function of the program that the first argument names."""
    program = sys.argv.pop(1)
    main: Callable[[], int | None] = import_module(program).main
    return main


if __name__ == "__main__":
    sys.exit(interrupts.run(load))
