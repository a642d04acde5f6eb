"""What the project is made of, and whether any of it is known to have a hole.

`python -m scripts.parts` writes build/sbom.json, a CycloneDX list of all that is installed, and
asks the index of packages for known holes. Where that cannot be asked, it says so and goes on: a
check must not fail for want of a network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

BUILD = Path(__file__).parents[1] / "build"
LIST = BUILD / "sbom.json"
SECONDS = 120
"""That asking may take in all; a connection, ten."""
# validating it by its schema takes half a minute: it is read, and compared with what is installed
TO_LIST = ["cyclonedx-py", "environment", "--no-validate", "--of", "JSON", "-o", str(LIST)]
TO_ASK = [
    "pip-audit", "--local", "--skip-editable", "--progress-spinner", "off", "--timeout", "10",
    "--format", "json",
]  # fmt: skip


def main() -> int:
    """Write the list, ask; 1 if the list is not whole or a hole is known."""
    BUILD.mkdir(exist_ok=True)
    subprocess.run(TO_LIST, check=True, capture_output=True)  # noqa: S603 - our own tools
    missing = unlisted(json.loads(LIST.read_text()))
    if missing:
        _say(f"not in {LIST}: {', '.join(missing)}")
        return 1
    _say(f"{LIST.relative_to(BUILD.parent)} lists all that is installed")
    try:
        asked = subprocess.run(  # noqa: S603 - our own tools
            TO_ASK, check=False, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        _say(f"known holes could not be asked for: no answer in {SECONDS} seconds")
        return 0
    said, holes = verdict(asked.stdout, asked.stderr)
    _say(said)
    return int(holes)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def unlisted(bom: dict[str, Any]) -> list[str]:
    """What is installed and not in a list, by name and version.

    Raises:
        ValueError: it is no list.
    """
    if bom.get("bomFormat") != "CycloneDX":
        raise ValueError(f"{LIST} is not of CycloneDX")
    listed = {(canonicalize_name(one["name"]), one["version"]) for one in bom["components"]}
    installed = {(canonicalize_name(one.name), one.version) for one in distributions()}
    return [f"{name} {version}" for name, version in sorted(installed - listed)]


def verdict(answer: str, errors: str) -> tuple[str, bool]:
    """What pip-audit found, in words, and whether that is a hole.

    It says that nothing is known also where the index knew none of the packages: what could not be
    asked is counted.

    Args:
        answer: its JSON; something else where it could not ask.
        errors: what it said beside it.
    """
    try:
        found: Sequence[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError):
        why = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return f"known holes could not be asked for: {why}", False
    asked = [one for one in found if "skip_reason" not in one]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'none yet'}"
        for one in asked
        for hole in one["vulns"]
    ]
    if holes:
        return "\n".join(holes), True
    if not asked:
        return f"known holes could not be asked for: the index knows none of {len(found)}", False
    unknown = len(found) - len(asked)
    rest = f"; {unknown} others are not known to the index" if unknown else ""
    return f"no hole is known of {len(asked)} packages{rest}", False


if __name__ == "__main__":
    sys.exit(main())
