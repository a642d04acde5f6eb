"""Names of specs; as a program it adds specs of new values to `names.json`, and fills in names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rgcontract import (
    ExperimentSpec,
    Submission,
    chain_hash,
    measurement_hash,
    shape_hash,
    training_hash,
)
from rgcontract.fields import rows

NAMES = Path(__file__).parents[1] / "contract" / "golden" / "names.json"


def names_of(spec: dict[str, Any]) -> dict[str, str]:
    """The four hashes of a spec."""
    read = Submission.model_validate_json(json.dumps(spec))
    return {
        "measurement": measurement_hash(read),
        "training": training_hash(read),
        "chain": chain_hash(read.chain),
        "shape": shape_hash(read),
    }


def unused(specs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A spec of each value of an enumeration that none of these specs has."""
    read = [
        Submission.model_validate_json(json.dumps(one)).model_dump(mode="json") for one in specs
    ]
    found = []
    for row in rows(ExperimentSpec):
        values = [one[row.section].get(row.name) for one in read] if row.choices else []
        used = {one for value in values for one in (value if isinstance(value, list) else [value])}
        for choice in row.choices:
            if choice not in used:
                value = [choice] if row.type == "array" else choice
                found.append({row.section: {row.name: value}})
    return found


def _main() -> None:
    kept = json.loads(NAMES.read_text())
    kept += [{"spec": spec} for spec in unused([one["spec"] for one in kept])]
    filled = [one if "measurement" in one else one | names_of(one["spec"]) for one in kept]
    NAMES.write_text(json.dumps(filled, indent=1) + "\n")


if __name__ == "__main__":
    _main()
