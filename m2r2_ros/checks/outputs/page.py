# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Findings as a page: how many of which check in which recording, then where each lies in time."""

import html
from collections.abc import Mapping, Sequence
from typing import Final

from m2r2_ros.checks.catalogue_entry import CheckFacts
from m2r2_ros.checks.checked import Checked
from m2r2_ros.checks.finding import Finding, NotRun, Severity
from m2r2_ros.checks.outputs.numbers import quantity
from m2r2_ros.checks.outputs.table import counted
from m2r2_ros.pages.shell import PAGE_STYLE

#: Width of a lane of time in steps, and its height, pixels.
_WIDE, _HIGH = 600, 10
#: Findings of one recording that are listed; nobody reads more.
_MOST: Final = 500


def to_page(checked: Sequence[Checked], facts: Mapping[str, CheckFacts]) -> str:
    """Return one HTML file that needs no other, the recordings with most errors first.

    Args:
        checked: The recordings.
        facts: What the checks are, by id.
    """
    order = sorted(checked, key=lambda one: (-one.count(Severity.ERROR), -len(one.findings)))
    title = f'{counted(sum(not one.together for one in checked), "recording")} checked'
    sections = ''.join(_section(one, k) for k, one in enumerate(order))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        f'<title>{title}</title><style>{PAGE_STYLE}{_STYLE}</style></head>'
        f'<body class="checks"><h1>{title}</h1>{_overview(order)}{sections}'
        f'<h2>The checks</h2>{_catalogue(checked, facts)}</body></html>\n'
    )


def _overview(checked: Sequence[Checked]) -> str:
    """Return a row for each recording and a column for each check that found something."""
    found = sorted({f.check for one in checked for f in one.findings})
    if not found:
        ran = any(one.ran for one in checked)
        return f'<p>{"Nothing was found" if ran else "Nothing was checked"}.</p>'
    titles = ''.join(f'<th class="number">{html.escape(check)}</th>' for check in found)
    rows = ''.join(
        f'<tr><td><a href="#r{k}">{html.escape(one.name)}</a></td>'
        + ''.join(_cell(one, check) for check in found)
        + '</tr>'
        for k, one in enumerate(checked)
    )
    return f'<table><thead><tr><th>recording</th>{titles}</tr></thead><tbody>{rows}</tbody></table>'


def _cell(one: Checked, check: str) -> str:
    some = [f for f in one.findings if f.check == check]
    if some:
        worst = min(some, key=lambda f: list(Severity).index(f.severity)).severity.value
        return f'<td class="number {worst}">{len(some)}</td>'
    return f'<td class="number">{"0" if check in one.ran else "not run"}</td>'


def _section(one: Checked, k: int) -> str:
    rows = ''.join(_row(one, f) for f in one.findings[:_MOST])
    more = len(one.findings) - _MOST
    rest = f'<p>{more} more are in the JSON.</p>' if more > 0 else ''
    table = (
        '<table><thead><tr><th></th><th>check</th><th>topic or label</th><th>where</th>'
        '<th class="number">measured</th><th class="number">threshold</th><th></th></tr></thead>'
        f'<tbody>{rows}</tbody></table>{rest}'
        if rows
        else f'<p>Nothing found by {counted(len(one.ran), "check")}.</p>'
        if one.ran
        else '<p>Not checked.</p>'
    )
    reasons = ''.join(f'<li>{html.escape(_reason(n))}</li>' for n in one.not_run)
    not_run = (
        f'<details><summary>Not run ({len(one.not_run)})</summary><ul>{reasons}</ul></details>'
        if reasons
        else ''
    )
    return f'<h2 id="r{k}">{html.escape(one.name)}</h2>{table}{not_run}'


def _row(one: Checked, finding: Finding) -> str:
    measured, threshold = (
        quantity(value, finding.unit) for value in (finding.measured, finding.threshold)
    )
    severity = finding.severity.value
    texts = (finding.check, finding.topic)
    cells = ''.join(f'<td>{html.escape(text)}</td>' for text in texts)
    numbers = ''.join(f'<td class="number">{html.escape(t)}</td>' for t in (measured, threshold))
    return (
        f'<tr><td class="{severity}">{severity}</td>{cells}'
        f'<td class="where">{one.place(finding)}{_lane(one, finding)}</td>{numbers}'
        f'<td>{html.escape(finding.message)}</td></tr>'
    )


def _lane(one: Checked, finding: Finding) -> str:
    """Draw where in the recording it lies; nothing for what has no place."""
    if finding.start is None or finding.end is None:
        return ''
    scale = _WIDE / max(one.end - one.start, 1)
    first, last = (
        min(max((t - one.start) * scale, 0.0), float(_WIDE)) for t in (finding.start, finding.end)
    )
    left = min(first, _WIDE - 4)
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect x="{left:.1f}" width="{max(last - left, 4):.1f}" height="{_HIGH}" '
        f'class="{finding.severity.value}"/></svg>'
    )


def _catalogue(checked: Sequence[Checked], facts: Mapping[str, CheckFacts]) -> str:
    """Return what each check that was wanted looks for, and how many recordings it was run on."""
    rows = ''.join(
        f'<tr><td>{html.escape(check)}</td><td>{html.escape(facts[check].what)}</td>'
        f'<td class="number">{sum(check in one.ran for one in checked)}</td></tr>'
        for check in facts
    )
    return (
        '<table><thead><tr><th>check</th><th>found when</th>'
        '<th class="number">run on</th></tr></thead>'
        f'<tbody>{rows}</tbody></table>'
    )


def _reason(not_run: NotRun) -> str:
    of = f' of {not_run.topic}' if not_run.topic else ''
    return f'{not_run.check}{of}: {not_run.why}'


_STYLE: Final = """
body.checks { margin: 16px 24px; overflow: auto }
.checks table { border-collapse: collapse; width: 100%; margin-bottom: 12px }
.checks th, .checks td { text-align: left; padding: 4px 10px; border-bottom: 1px solid #8884;
  vertical-align: top }
.checks th.number, .checks .number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap }
.checks .where { min-width: 12em } .checks svg { display: block; width: 100%; height: 5px;
  background: #8883 }
.checks td.error { color: #b3261e; font-weight: 600 } .checks td.warning { color: #8a5a00 }
.checks rect.error { fill: #b3261e } .checks rect.warning { fill: #d99a1c }
@media (prefers-color-scheme: dark) { .checks td.error { color: #ff8a80 }
  .checks td.warning { color: #ffca66 } }
"""
