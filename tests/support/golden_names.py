"""Names of specs; as a program it fills in those that `names.json` has none of yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rgcontract import Submission, chain_hash, measurement_hash, shape_hash, training_hash

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


def _main() -> None:
    kept = json.loads(NAMES.read_text())
    filled = [one if "measurement" in one else one | names_of(one["spec"]) for one in kept]
    NAMES.write_text(json.dumps(filled, indent=1) + "\n")


if __name__ == "__main__":
    _main()
