# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments as a CSV file that a spreadsheet opens."""

import csv
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.files import expect_regular
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND

#: Columns of start and end, and how many nanoseconds one unit of them is; the exact one first.
_TIME_COLUMNS: Final = (('start_ns', 'end_ns', 1), ('start', 'end', SECOND))


def write_segments_csv(path: Path, segments: Sequence[Segment]) -> None:
    """Write segments as start_ns, end_ns, start_s, end_s, label, confidence.

    Args:
        path: File to write.
        segments: In order; start_s and end_s are relative to the start of the first.
    """
    origin = segments[0].start if segments else 0
    with path.open('w', newline='') as file:
        table = csv.writer(file)
        table.writerow(('start_ns', 'end_ns', 'start_s', 'end_s', 'label', 'confidence'))
        for s in segments:
            seconds = [f'{Decimal(t - origin).scaleb(-9):f}' for t in (s.start, s.end)]
            table.writerow((s.start, s.end, *seconds, s.label, f'{s.confidence:.6g}'))


def read_segments_csv(path: Path) -> list[Segment]:
    """Read segments, sorted by start.

    Needs the columns start_ns and end_ns (integer nanoseconds) or start and end (seconds), both
    since the Unix epoch, and label; confidence may follow, other columns are passed over. Rows
    that last no time are left out.

    Raises:
        LabelError: The file cannot be read, lacks a column or has a wrong cell.
    """
    expect_regular(path, LabelError)
    try:
        with path.open(newline='', encoding='utf-8-sig') as file:
            table = csv.DictReader(file)
            first, last, factor = _time_columns(path, table.fieldnames or [])
            rows = [_segment(f'{path}:{table.line_num}', row, first, last, factor) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f'{path} cannot be read: {error}; expected a CSV file with start, end, label'
        raise LabelError(msg) from error
    return sorted((s for s in rows if s.end > s.start), key=lambda s: (s.start, s.end))


def _time_columns(path: Path, columns: Sequence[str]) -> tuple[str, str, int]:
    for start, end, factor in _TIME_COLUMNS:
        if {start, end, 'label'} <= set(columns):
            return start, end, factor
    msg = (
        f'{path} has the columns {", ".join(columns) or "(none)"}: expected label and either '
        'start_ns, end_ns (nanoseconds) or start, end (seconds), since the Unix epoch'
    )
    raise LabelError(msg)


def _segment(place: str, row: dict[str, str | None], start: str, end: str, factor: int) -> Segment:
    cell = start
    try:
        first = _nanoseconds(row[start], factor)
        cell = end
        last = _nanoseconds(row[end], factor)
        cell = 'confidence'
        confidence = float(row.get('confidence') or 1.0)
    except (InvalidOperation, ValueError, TypeError, OverflowError) as error:
        msg = f'{place}: {cell} is {row.get(cell)!r}, expected a number'
        raise LabelError(msg) from error
    if last < first or not row['label']:
        msg = f'{place}: expected a label and an end after the start, not {row}'
        raise LabelError(msg)
    return Segment(first, last, row['label'], confidence)


def _nanoseconds(text: str | None, factor: int) -> int:
    # A float of seconds since 1970 is good to a quarter of a microsecond only.
    return int((Decimal(text or '') * factor).to_integral_value())
