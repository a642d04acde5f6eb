"""All that was found, for a reader: what agrees, what failed, what costs how much."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks import markdown
from benchmarks.markdown import number

Stage = Mapping[str, Any]
Row = Mapping[str, Any]
EAGER, CAPTURED, JAX = "eager", "captured", "JAX"


def as_markdown(found: Mapping[str, Any]) -> str:
    """The page: what to know first, then a table or two for each stage."""
    stages = found["stages"]
    wrong = complaints(found)
    lines = [
        "# What a GPU does to the numbers and to the time",
        "",
        (
            f"{_machine(stages.get('environment', {}))}; device `{found['device']}`"
            f"{', toy sizes' if found['toy'] else ''}; {found['seconds']:.0f} s"
        ),
        "",
        "**Nothing failed and nothing disagrees.**" if not wrong else "**Look at these first:**",
        *(f"- {one}" for one in wrong),
        "",
        "At a glance:",
        *(f"- {one}" for one in glance(found)),
    ]
    for name, shown in SHOWN.items():
        if name in stages:
            lines += ["", f"## {name}", "", _state(stages[name]), "", *shown(stages[name])]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def glance(found: Mapping[str, Any]) -> list[str]:
    """What agrees, and the ratios, a sentence each."""
    rows = {name: stage["rows"] for name, stage in found["stages"].items()}
    said = []
    if "suite" in found["stages"]:
        said.append(f"tests: {_counts(found['stages']['suite'])}")
    for what in ("losses", "observables"):
        judged = [
            row for row in rows.get("agreement", []) if row["what"] == what and "agree" in row
        ]
        agree = sum(row["agree"] for row in judged)
        said.append(f"{what} that agree with the CPU: {agree} of {len(judged)}")
    eager = {_case(row): row["ms"]["median"] for row in _timed(rows.get("speed", []), EAGER)}
    for way in (CAPTURED, JAX):
        ratios = [
            f"{eager[_case(row)] / row['ms']['median']:.2f} ({row['shape'].split()[0]}, "
            f"K = {row['members']})"
            for row in _timed(rows.get("speed", []), way)
            if _case(row) in eager
        ]
        said.append(f"times as fast as eager, {way}: {', '.join(ratios) or 'not measured'}")
    waits = [
        f"{row['waits']:.0%} ({row['shape'].split()[0]}, K = {row['members']})"
        for row in rows.get("speed", [])
        if "waits" in row
    ]
    said.append(
        f"of a step the device waits for its sequences: {', '.join(waits) or 'not measured'}"
    )
    ratios = [
        f"{row['ratio']:.2f} (n = {row['shape'][-1]})"
        for row in rows.get("algebra", [])
        if row["what"] == "eigvalsh" and "ratio" in row
    ]
    said.append(f"times as fast as the CPU, eigvalsh: {', '.join(ratios) or 'not measured'}")
    return said


def complaints(found: Mapping[str, Any]) -> list[str]:
    """What failed or disagrees, a sentence each."""
    said = []
    for name, stage in found["stages"].items():
        if stage["state"] != "done":
            said.append(f"{name}: {_state(stage)}")
        for row in stage["rows"]:
            if row.get("agree") is False:
                said.append(f"{name}: {_called(row)} disagrees: {_errors(row)}")
            elif name == "suite" and row["outcome"] == "failed":
                said.append(f"suite: {row['name']} failed")
            elif name == "speed" and "without a CUDA graph" in (row.get("note") or ""):
                said.append(f"speed: {row['shape']}, K = {row['members']}: {row['note']}")
    return said


def _state(stage: Stage) -> str:
    took = f" in {stage['seconds']:.0f} s" if "seconds" in stage else ""
    return f"{stage['state']}{took}" + (f": {stage['error']}" if "error" in stage else "")


def _machine(stage: Stage) -> str:
    if "machine" not in stage:
        return "machine unknown"
    packages = ", ".join(f"{name} {known}" for name, known in stage["packages"].items() if known)
    commit = f", commit {stage['commit'][:12]}" if stage.get("commit") else ""
    device = stage["device"].get("name", "no GPU")
    return f"{device}; {stage['machine']['cpu']}; Python {stage['python']}, {packages}{commit}"


def _environment(stage: Stage) -> Iterable[str]:
    facts = {**stage.get("device", {}), **stage.get("flags", {}), **stage.get("variables", {})}
    yield ", ".join(f"{name} {value}" for name, value in facts.items())
    yield ""
    yield table(
        ("product", "error", "tolerance", ""),
        [
            (row["what"], _small(row["error"]), _small(row["tolerance"]), _verdict(row))
            for row in stage["rows"]
        ],
    )


def _agreement(stage: Stage) -> Iterable[str]:
    losses = [row for row in stage["rows"] if row["what"] == "losses"]
    yield table(
        ("mixing", "precision", "trained as", "losses apart", "tolerance", ""),
        [
            (
                row["mixing"],
                row["precision"],
                row["way"],
                _small(row.get("worst")),
                _small(row.get("tolerance")),
                _verdict(row),
            )
            for row in losses
        ],
    )
    yield ""
    yield table(
        ("quantity", "precision", "worst of all mixings", "at", "tolerance", ""),
        [
            (
                row["quantity"],
                row["precision"],
                _small(row["worst"]),
                f"{row['mixing']}, {row['where']}",
                _small(row["tolerance"]),
                _verdict(row),
            )
            for row in _worst([row for row in stage["rows"] if row["what"] == "observables"])
        ],
    )


def _worst(rows: Sequence[Row]) -> list[Row]:
    """Of each quantity and precision the row that is farthest off; a disagreement before all."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row["quantity"], row["precision"]
        if key not in found or _distance(row) > _distance(found[key]):
            found[key] = row
    return [found[key] for key in sorted(found)]


def _distance(row: Row) -> tuple[bool, float]:
    return not row["agree"], float(row["worst"])


def _suite(stage: Stage) -> Iterable[str]:
    yield _counts(stage)
    failed = [row for row in stage["rows"] if row["outcome"] == "failed"]
    if failed:
        yield ""
        yield table(("test", "why"), [(row["name"], _cell(_last(row["reason"]))) for row in failed])


def _counts(stage: Stage) -> str:
    counts = ", ".join(f"{n} {outcome}" for outcome, n in stage.get("counts", {}).items())
    return f"{counts}{'' if stage.get('complete') else '; not all were run'}"


def _speed(stage: Stage) -> Iterable[str]:
    eager = {_case(row): row["ms"]["median"] for row in _timed(stage["rows"], EAGER)}
    yield table(
        ("shape", "K", "way", "sequences", "ms/member-step", "member-steps/s", "eager / this", ""),
        [
            (
                row["shape"],
                str(row["members"]),
                row["way"],
                {True: "drawn", False: "there"}.get(row.get("sequences"), ""),
                _spread(row),
                number(row["member_steps_per_s"]) if "ms" in row else "",
                f"{eager[_case(row)] / row['ms']['median']:.2f}"
                if "ms" in row and _case(row) in eager
                else "",
                _cell(row.get("note") or ""),
            )
            for row in stage["rows"]
        ],
    )
    yield ""
    yield table(
        ("shape", "K", "sampling on the CPU, ms/member-step", "of a step the device waits"),
        [
            (
                row["shape"],
                str(row["members"]),
                number(row["sampling_ms"]),
                f"{row['waits']:.0%}" if "waits" in row else "",
            )
            for row in stage["rows"]
            if "sampling_ms" in row
        ],
    )
    peaks = [row for row in stage["rows"] if row.get("peak_bytes") is not None]
    if peaks:
        yield ""
        yield table(
            ("shape", "K", "way", "peak, MB", "estimated, MB", "peak / estimate", "reserved, MB"),
            [
                (
                    row["shape"],
                    str(row["members"]),
                    row["way"],
                    number(row["peak_bytes"] / 1e6),
                    number(row["estimated_bytes"] / 1e6),
                    f"{row['peak_bytes'] / row['estimated_bytes']:.2f}",
                    number(row["reserved_bytes"] / 1e6),
                )
                for row in peaks
            ],
        )


def _timed(rows: Iterable[Row], way: str) -> list[Row]:
    """Rows of a way on sequences that were there."""
    return [row for row in rows if row["way"] == way and "ms" in row and not row["sequences"]]


def _case(row: Row) -> tuple[str, int, bool]:
    return row["shape"], row["members"], bool(row.get("sequences"))


def _algebra(stage: Stage) -> Iterable[str]:
    yield table(
        ("what", "shape", "device, ms", "CPU, ms", "CPU / device", "errors", "tolerance", ""),
        [
            (
                row["what"],
                " x ".join(map(str, row["shape"])),
                number(row["device_ms"]["median"]),
                number(row["cpu_ms"]["median"]),
                f"{row['ratio']:.2f}",
                _errors(row),
                _small(row["tolerance"]),
                _verdict(row),
            )
            if "ratio" in row
            else (row["what"], " x ".join(map(str, row["shape"])), *[""] * 5, _cell(row["note"]))
            for row in stage["rows"]
        ],
    )


def _measuring(stage: Stage) -> Iterable[str]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in stage["rows"]:
        shown = number(row["ms"]["median"]) if "ms" in row else row["note"]
        found.setdefault((row["shape"], row["part"]), {})[row["device"]] = shown
    devices = list(dict.fromkeys(row["device"] for row in stage["rows"]))
    yield table(
        ("shape", "part", *(f"{device}, ms" for device in devices)),
        [
            (*key, *(on.get(device, "not measured") for device in devices))
            for key, on in found.items()
        ],
    )


SHOWN: dict[str, Callable[[Stage], Iterable[str]]] = {
    "suite": _suite,
    "agreement": _agreement,
    "speed": _speed,
    "algebra": _algebra,
    "measuring": _measuring,
    "environment": _environment,
}
"""In the order of the page."""


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table; nothing where it has no rows."""
    return markdown.table(head, body) if body else ""


def _called(row: Row) -> str:
    names = ("what", "quantity", "mixing", "precision", "way", "shape")
    return ", ".join(str(row[name]) for name in names if name in row)


def _errors(row: Row) -> str:
    if row.get("note"):
        return str(row["note"])
    if "checks" in row:
        return ", ".join(f"{name} {_small(error)}" for name, error in row["checks"].items())
    error = row.get("worst", row.get("error"))
    return f"{_small(error)}, allowed {_small(row['tolerance'])}"


def _verdict(row: Row) -> str:
    if row.get("agree"):
        return "agrees"
    return _cell(row.get("note") or "DISAGREES")


def _spread(row: Row) -> str:
    if "ms" not in row:
        return ""
    ms = row["ms"]
    return f"{number(ms['median'])} [{number(ms['least'])}, {number(ms['most'])}]"


def _small(value: float | str | None) -> str:
    """Two digits; what is no number by its name."""
    return "" if value is None else f"{float(value):.1e}"


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.startswith("E ")]
    return lines[-1][2:].strip() if lines else text.strip().rpartition("\n")[2]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
