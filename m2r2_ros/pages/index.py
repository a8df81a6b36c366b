# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The index of the reports of a folder: a row for each recording, the worst first."""

import html
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from m2r2_ros.core.files import write_text
from m2r2_ros.core.labels import colours_of
from m2r2_ros.core.palette import hex_colour
from m2r2_ros.pages.lanes import LabelLane
from m2r2_ros.pages.report import Reported
from m2r2_ros.pages.shell import PAGE_STYLE

#: Scores that are shown, and what they are called.
_SCORES: Final = {
    'accuracy': 'accuracy',
    'edit': 'edit',
    'f1@50': 'F1@50',
    'boundary_f1@2s': 'boundary F1 2 s',
}
#: Lanes of a recording that are drawn; width of one in steps, and its height, pixels.
_LANES, _WIDE, _HIGH = 4, 600, 9


def write_index(path: Path, reports: Sequence[Reported], failed: Sequence[str]) -> None:
    """Write the index; an older one is replaced.

    Args:
        path: File to write, beside the reports NAME.html.
        reports: What was reported.
        failed: Why others were not.
    """
    shown = _SCORES if any(report.scores for report in reports) else {}
    rows = '\n'.join(_row(report, list(shown)) for report in sorted(reports, key=_worst))
    titles = ''.join(f'<th>{title}</th>' for title in shown.values())
    order = ', those with the lowest scores first' if shown else ''
    problems = ''.join(f'<li>{html.escape(problem)}</li>' for problem in failed)
    lost = (
        f'<h2>Not reported ({len(failed)})</h2><ul class="lost">{problems}</ul>' if failed else ''
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f'<title>{len(reports)} recordings</title><style>{PAGE_STYLE}{_STYLE}</style></head>'
        f'<body class="index"><h1>{len(reports)} recordings{order}</h1><table><thead>'
        f'<tr><th>recording</th><th>lanes</th><th>length</th>{titles}<th>notes</th></tr></thead>'
        f'<tbody>{rows}</tbody></table>{lost}</body></html>\n'
    )
    write_text(path, page)


def report_name(name: str) -> str:
    """Return what the file with the report of a recording is called."""
    return f'{name}.html'


def _worst(report: Reported) -> tuple[float, str]:
    """Return what the order goes by: the lowest accuracy, then the name; unscored ones last."""
    known = [s.to_dict()['accuracy'] for s in report.scores.values()]
    numbers = [value for value in known if value is not None]
    return (min(numbers) if numbers else math.inf, report.name)


def _row(report: Reported, shown: Sequence[str]) -> str:
    name = html.escape(report.name)
    link = html.escape(quote(report_name(report.name)), quote=True)
    columns = []
    for key in shown:
        values = [scores.to_dict()[key] for scores in report.scores.values()]
        columns.append('<br>'.join('-' if v is None else f'{v:.4g}' for v in values))
    cells = ''.join(f'<td class="number">{column}</td>' for column in columns)
    lanes = ''.join(_lane(lane, report) for lane in report.lanes[:_LANES])
    notes = html.escape('; '.join(report.problems))
    seconds = (report.end - report.start) / 1e9
    return (
        f'<tr><td><a href="{link}">{name}</a></td><td class="lanes">{lanes}</td>'
        f'<td class="number">{seconds:.1f} s</td>{cells}<td>{notes}</td></tr>'
    )


def _lane(lane: LabelLane, report: Reported) -> str:
    """Draw a lane in steps; of segments within one step, the last is drawn."""
    colours = {name: hex_colour(c) for name, c in colours_of(report.labels, ()).items()}
    scale = _WIDE / max(report.end - report.start, 1)
    drawn: dict[int, tuple[int, str]] = {}
    for s in lane.segments:
        first, last = (round((t - report.start) * scale) for t in (s.start, s.end))
        if last > 0 and first < _WIDE:
            drawn[max(first, 0)] = (min(max(last, first + 1), _WIDE), s.label)
    bars = ''.join(
        f'<rect x="{first}" width="{last - first}" height="{_HIGH}" fill="{colours[label]}">'
        f'<title>{html.escape(label)}</title></rect>'
        for first, (last, label) in drawn.items()
    )
    title = html.escape(lane.title, quote=True)
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none" role="img" '
        f'aria-label="{title}"><title>{title}</title>{bars}</svg>'
    )


_STYLE: Final = """
body.index { margin: 16px 24px; overflow: auto }
.index table { border-collapse: collapse; width: 100% }
.index th, .index td { text-align: left; padding: 6px 10px; border-bottom: 1px solid #8884;
  vertical-align: middle }
.index .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.index .lanes { width: 50% } .index svg { display: block; width: 100%; height: 11px; margin: 1px 0 }
.index .lost { color: #a33 }
"""
