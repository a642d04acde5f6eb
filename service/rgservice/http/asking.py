"""What every route that asks for something takes beside its body."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body is answered the same and counted once",
    ),
]  # fmt: skip

DryRun = Annotated[bool, Query(description="Only say what it would cost")]
