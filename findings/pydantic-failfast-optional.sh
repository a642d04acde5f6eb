#!/usr/bin/env bash
# package: pydantic 2.14.4
# guess: FailFast() goes into Annotated as Strict() does, also where the list may be None
# seen: it cannot be hashed, so `Annotated[list[int], FailFast()] | None` is a TypeError while the class is made ("unhashable type: 'FailFast'"); alone, and as Field(fail_fast=True) in the same union, it works
# here: rows of a matrix stop at their first wrong entry by Field(fail_fast=True) (client/rgcontract/chains.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "pydantic==2.14.4"
v/bin/python - <<'PY'
from typing import Annotated

from pydantic import BaseModel, FailFast, Field, Strict, ValidationError


def outcome(metadata):
    try:
        class Model(BaseModel):
            items: Annotated[list[int], metadata] | None = None
    except TypeError as error:
        return str(error)
    try:
        Model(items=["a", "b", "c"])
    except ValidationError as error:
        return f"{error.error_count()} errors"


seen = {name: outcome(made) for name, made in {
    "FailFast()": FailFast(), "Field(fail_fast=True)": Field(fail_fast=True), "Strict()": Strict(),
}.items()}
print(seen)
assert seen == {
    "FailFast()": "unhashable type: 'FailFast'",
    "Field(fail_fast=True)": "1 errors",
    "Strict()": "3 errors",
}
PY
