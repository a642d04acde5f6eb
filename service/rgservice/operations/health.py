"""`python -m rgservice.operations.health URL`: exit code 0 if it answers 200, for containers."""

from __future__ import annotations

import sys

import httpx


def main(url: str) -> int:
    """0 if it answers 200, otherwise 1 with the cause on standard error."""
    try:
        answer = httpx.get(url, timeout=4)
    except httpx.TransportError as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    if answer.status_code != 200:
        sys.stderr.write(f"{url}: {answer.status_code} {answer.text}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
