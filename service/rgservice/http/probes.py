"""What orchestrators ask, under whatever name they know; it tells a stranger nothing."""

from __future__ import annotations

from starlette.types import Scope

PROBES = {"/healthz", "/readyz"}


def is_probe(scope: Scope) -> bool:
    """Whether a request is one of them."""
    return scope.get("path") in PROBES
