# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Findings as lines of text, a recording after another."""

from collections.abc import Iterator, Sequence

from m2r2_ros.checks.checked import Checked
from m2r2_ros.checks.finding import Severity
from m2r2_ros.checks.outputs.numbers import compared
from m2r2_ros.core.text import listed


def to_lines(checked: Sequence[Checked]) -> Iterator[str]:
    """Yield what was found in each recording, then which checks were not run, and why."""
    for one in checked:
        yield f'{one.name}: {_summary(one)}'
        rows = [
            (f.severity.value, f.check, f.topic, one.place(f), compared(f), f.message)
            for f in one.findings
        ]
        widths = [max((len(row[k]) for row in rows), default=0) for k in range(5)]
        for *cells, message in rows:
            padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            yield f'  {"  ".join(padded)}  {message}'
    if len(checked) > 1:
        yield _total(checked)
    yield from _not_run(checked)


def _not_run(checked: Sequence[Checked]) -> Iterator[str]:
    """Yield a line for each reason, which many recordings may share."""
    reasons: dict[str, tuple[dict[str, dict[str, None]], dict[str, None]]] = {}
    for one in checked:
        for n in one.not_run:
            checks, names = reasons.setdefault(n.why, ({}, {}))
            checks.setdefault(n.check, {})[n.topic] = None
            names[one.name] = None
    for why, (checks, names) in reasons.items():
        topics = dict.fromkeys(topic for found in checks.values() for topic in found if topic)
        of = f' of {listed(list(topics))}' if topics else ''
        where = f' ({listed(list(names), 3)})' if len(checked) > 1 else ''
        yield f'not run: {", ".join(checks)}{of}{where}: {why}'


def _summary(one: Checked) -> str:
    errors, warnings = one.count(Severity.ERROR), one.count(Severity.WARNING)
    found = f'{counted(errors, "error")}, {counted(warnings, "warning")}'
    if not one.findings and not one.ran:
        return 'not checked'
    said = found if one.findings else 'nothing found'
    return f'{said} ({counted(len(one.ran), "check")} run)'


def _total(checked: Sequence[Checked]) -> str:
    errors = sum(one.count(Severity.ERROR) for one in checked)
    warnings = sum(one.count(Severity.WARNING) for one in checked)
    recordings = [one for one in checked if not one.together]
    clean = sum(bool(one.ran) and not one.findings for one in recordings)
    return (
        f'{counted(errors, "error")} and {counted(warnings, "warning")} in all; nothing found in '
        f'{clean} of {counted(len(recordings), "recording")}'
    )


def counted(number: int, what: str) -> str:
    """Return a number of things, such as '1 error' or '2 errors'."""
    return f'{number} {what}{"" if number == 1 else "s"}'
