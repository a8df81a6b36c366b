# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Findings as JSON, and back."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from m2r2_ros.checks.checked import Checked
from m2r2_ros.checks.finding import Finding, NotRun, Severity
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import reading


def to_json(checked: Sequence[Checked]) -> str:
    """Return a list of recordings, each with its findings; times are int64 nanoseconds."""
    return json.dumps([to_entries(one) for one in checked], indent=2, allow_nan=False)


def to_entries(one: Checked) -> dict[str, Any]:
    """Return what JSON says of one recording."""
    found = [asdict(f) | {'severity': f.severity.value} for f in one.findings]
    return {
        'recording': str(one.recording),
        'name': one.name,
        'start': one.start,
        'end': one.end,
        'seconds': round(one.seconds, 3),
        'ran': list(one.ran),
        'findings': found,
        'not_run': [asdict(n) for n in one.not_run],
    }


def from_json(text: str, what: object) -> list[Checked]:
    """Read what `to_json` wrote.

    Raises:
        BagError: It is something else.
    """
    with reading(what, 'findings that m2r2 check --format json wrote', BagError):
        found = json.loads(text)
        if not isinstance(found, list):
            msg = f'it is a {type(found).__name__}, not a list'
            raise TypeError(msg)
        return [from_entries(entries) for entries in found]


def from_entries(entries: dict[str, Any]) -> Checked:
    """Return the recording that `to_entries` told of; anything else raises as it will."""
    return Checked(
        Path(entries['recording']),
        entries['name'],
        entries['start'],
        entries['end'],
        tuple(entries['ran']),
        tuple(Finding(**f | {'severity': Severity(f['severity'])}) for f in entries['findings']),
        tuple(NotRun(**n) for n in entries['not_run']),
        entries['seconds'],
    )
