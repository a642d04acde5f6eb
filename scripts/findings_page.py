"""Rewrites a measured part of docs/findings.md, and its figures, from a saved study.

`python scripts/findings_page.py paper-small study-output`, after `rglab study paper-small`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullLocator

from rgclient import Result
from rgcontract import Claim, Effect, Finding, Findings, Group
from rgcontract.files import replacing, write_text

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "findings.md"
IMAGES = ROOT / "docs" / "images" / "findings"
SHORT, LONG, UNTRAINED = "#0072b2", "#d55e00", "#999999"  # Okabe & Ito


@dataclass(frozen=True)
class Architecture:
    """A group of a study: its findings, and the results of its shortest and longest chain."""

    group: Group
    short: Result
    long: Result

    @property
    def name(self) -> str:
        """`context, layer, gelu`."""
        return ", ".join(str(value) for value in self.group.settings.values())

    @property
    def level(self) -> str:
        """The level that decides."""
        return self.short.level

    def finding(self, claim: Claim, level: str, result: Result | None = None) -> Finding | None:
        """A finding; the one that rests on a result, if one is given."""
        for found in self.group.findings:
            at = (found.claim, found.level) == (claim, level)
            if at and (result is None or found.experiments == [result.id]):
                return found
        return None


def architectures(directory: Path) -> list[Architecture]:
    """The groups of a saved study, in the order of its grid."""
    findings = Findings.model_validate_json((directory / "findings.json").read_bytes())
    results = {path.stem: Result.load(path) for path in directory.glob("e-*.json")}
    found = []
    for group in findings.groups:
        names = {name for finding in group.findings for name in finding.experiments}
        by_length = sorted((results[name] for name in names), key=lambda r: r.chain.corr_len)
        found.append(Architecture(group, by_length[0], by_length[-1]))
    return found


def verdicts(shown: list[Architecture]) -> Iterator[str]:
    """A table of verdicts: an architecture a row."""
    short, long = (f"{result.chain.corr_len:.3g}" for result in (shown[0].short, shown[0].long))
    yield (
        f"| architecture | falls with depth, xi = {short} | xi = {long} | selective | long chain's "
        f"collapse | drift in few transitions, xi = {short} | xi = {long} |"
    )
    yield "|---|---|---|---|---|---|---|"
    for one in shown:
        selective = one.finding(Claim.SELECTIVE, one.level)
        cells = [
            one.name,
            _verdict(one.finding(Claim.MONOTONE, one.level, one.short)),
            _verdict(one.finding(Claim.MONOTONE, one.level, one.long)),
            _verdict(selective),
            selective.flags.get("long_collapse", "") if selective else "",
            _verdict(one.finding(Claim.LOCALIZED, one.level, one.short)),
            _verdict(one.finding(Claim.LOCALIZED, one.level, one.long)),
        ]
        yield f"| {' | '.join(cells)} |"


def numbers(shown: list[Architecture]) -> Iterator[str]:
    """A table of effects with the intervals that decide."""
    yield (
        "| architecture | rho short | rho long | contrast | pooled contrast | N short | N long | "
        "excess short | excess long |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in shown:
        selective, pooled = (one.finding(Claim.SELECTIVE, at) for at in (one.level, "pooled"))
        drifts = [one.finding(Claim.LOCALIZED, one.level, of) for of in (one.short, one.long)]
        cells = [
            one.name,
            _effect(selective, "collapse_ratio_short"),
            _effect(selective, "collapse_ratio_long"),
            _effect(selective, "contrast"),
            _effect(pooled, "contrast"),
            *(_effect(drift, "effective_transitions") for drift in drifts),
            *(_excess(result) for result in (one.short, one.long)),
        ]
        yield f"| {' | '.join(cells)} |"


def _verdict(finding: Finding | None) -> str:
    if finding is None:
        return ""
    mark = "**" if finding.verdict != "inconclusive" else ""
    return f"{mark}{finding.verdict}{mark}{' (!)' if finding.warnings else ''}"


def _effect(finding: Finding | None, name: str) -> str:
    effect = finding.effects.get(name) if finding else None
    if effect is None or effect.estimate is None:
        return ""
    return f"{effect.estimate:.3f}{_interval(effect)}"


def _interval(effect: Effect) -> str:
    if effect.low is None or effect.high is None:
        return ""
    return f" [{effect.low:.3f}, {effect.high:.3f}]"


def _excess(result: Result) -> str:
    return f"{100 * (result.losses().gap_fraction.mean or 0):.1f} %"


def draw_ranks(shown: list[Architecture]) -> Figure:
    """Effective rank over that of layer 0, layer by layer, a panel for each architecture."""
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(3.0 * columns, 2.6 * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, columns, sharey="row", squeeze=False)
    for axes, one in zip(panels.flat, shown, strict=False):
        short = f"ξ = {one.short.chain.corr_len:.3g}"
        _profile(axes, one.short, "initial", UNTRAINED, f"{short}, untrained", ":")
        _profile(axes, one.short, "final", SHORT, short, "-")
        _profile(axes, one.long, "final", LONG, f"ξ = {one.long.chain.corr_len:.3g}", "-")
        axes.set_title(one.name, fontsize=9)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in panels[-1]:
        axes.set_xlabel("layer")
    for axes in panels[:, 0]:
        axes.set_ylabel("rank / rank at layer 0")
    figure.legend(
        *panels.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=3,
        frameon=False,
    )  # fmt: skip
    return figure


def _profile(axes: Axes, result: Result, when: str, colour: str, label: str, style: str) -> None:
    series = result.effective_rank(when=when)
    first = series.mean[0]
    axes.errorbar(
        range(len(series)),
        [mean / first for mean in series.mean],
        yerr=[error / first for error in series.standard_error],
        color=colour, linestyle=style, marker="o", markersize=2.5, capsize=2, label=label,
    )  # fmt: skip


def draw_collapse(shown: list[Architecture]) -> Figure:
    """Collapse ratios with the intervals that decide; a line for each architecture."""
    figure = Figure(figsize=(7.5, 0.42 * len(shown) + 1.3), layout="constrained")
    axes = figure.subplots()
    for place, one in enumerate(shown):
        found = one.finding(Claim.SELECTIVE, one.level)
        if found is None:
            continue
        chains = (("short", one.short, SHORT, -0.12), ("long", one.long, LONG, 0.12))
        for name, result, colour, shift in chains:
            effect = found.effects[f"collapse_ratio_{name}"]
            untrained = result.collapse_ratio(when="initial").mean
            label = f"ξ = {result.chain.corr_len:.3g}" if place == 0 else None
            axes.plot(untrained, place + shift, "|", color=colour, markersize=9, alpha=0.6,
                      label=f"{label}, untrained" if label else None)  # fmt: skip
            if effect.estimate is None or effect.low is None or effect.high is None:
                continue
            around = [[effect.estimate - effect.low], [effect.high - effect.estimate]]
            axes.errorbar(effect.estimate, place + shift, xerr=around, fmt="o", color=colour,
                          markersize=4, capsize=2, label=label)  # fmt: skip
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(0.5, 0.7, 1.0, 1.5, 2.0, 3.0)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(range(len(shown)), [one.name for one in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("collapse ratio, rank of the last layer / rank of layer 0")
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure


def main(name: str, directory: Path) -> None:
    """Rewrite the part of the page that is about the study of a name."""
    shown = architectures(directory)
    IMAGES.mkdir(parents=True, exist_ok=True)
    figures = (("ranks", draw_ranks(shown)), ("collapse", draw_collapse(shown)))
    for kind, figure in figures:
        with replacing(IMAGES / f"{name}-{kind}.png") as file:
            figure.savefig(file, format="png", dpi=110)
    begin, end = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    block = "\n".join([begin, "", *verdicts(shown), "", *numbers(shown), "", end])
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    write_text(PAGE, before + block + after)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
