"""`python -m rgkernels`: whether there are kernels on this machine, in one line; 1 if not."""

from __future__ import annotations

import sys

from rgkernels import UnusableError, native


def main() -> int:
    """Say it."""
    try:
        found = native()
    except UnusableError as error:
        print(f"torch trains: {error}")  # noqa: T201 - it is a command
        return 1
    print(f"{found.name} kernels: {found.detail}")  # noqa: T201 - it is a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
