# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments as a CSV file that a spreadsheet opens."""

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment, expect_labels
from m2r2_ros.core.numbers import parse_nanoseconds, parse_number
from m2r2_ros.core.reading import check_file, naming, reading
from m2r2_ros.core.text import excerpt, listed
from m2r2_ros.core.time import SECOND

#: Columns of start and end, and how many nanoseconds one unit of them is; the exact one first.
_TIME_COLUMNS: Final = (('start_ns', 'end_ns', 1), ('start', 'end', SECOND))
#: Bytes of a file: some hundred thousand segments.
MOST_BYTES: Final = 16 << 20
_MOST_COLUMNS: Final = 1000
_EXPECTED: Final = 'a CSV file with start, end, label'
#: What a spreadsheet would take for a formula, after quotes that keep it from doing so.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


class _Columns(NamedTuple):
    """Where the cells of a segment are, and the nanoseconds in a unit of its times."""

    start: int
    end: int
    label: int
    confidence: int | None
    reason: int | None
    unit: int


def write_segments_csv(path: Path, segments: Sequence[Segment]) -> None:
    """Write segments as start_ns, end_ns, start_s, end_s, label, confidence, reason.

    A label that a spreadsheet would run as a formula gets a single quote in front of it, which
    `read_segments_csv` takes off.

    Args:
        path: File to write.
        segments: In order; start_s and end_s are relative to the start of the first.
    """
    origin = segments[0].start if segments else 0
    with path.open('w', newline='', encoding='utf-8') as file:
        table = csv.writer(file)
        table.writerow(('start_ns', 'end_ns', 'start_s', 'end_s', 'label', 'confidence', 'reason'))
        for s in segments:
            seconds = [f'{Decimal(t - origin).scaleb(-9):f}' for t in (s.start, s.end)]
            label = f"'{s.label}" if _FORMULA.match(s.label) else s.label
            table.writerow((s.start, s.end, *seconds, label, f'{s.confidence:.6g}', s.reason))


def read_segments_csv(path: Path) -> list[Segment]:
    """Read segments, sorted by start.

    Needs the columns start_ns and end_ns (integer nanoseconds) or start and end (seconds), both
    since the Unix epoch, and label; confidence and reason may follow, other columns are passed
    over. Rows that last no time are left out, and those with a reason, which have no label.

    Raises:
        LabelError: The file cannot be read, lacks a column or has a wrong cell.
    """
    check_file(path, _EXPECTED, LabelError, most=MOST_BYTES)
    with reading(path, _EXPECTED, LabelError), path.open(newline='', encoding='utf-8-sig') as file:
        table = csv.reader(file)
        columns = _columns(path, next(table, []))
        rows = [_segment(path, table.line_num, row, columns) for row in table if row]
    with naming(path, LabelError):
        expect_labels({segment.label for segment in rows})
    kept = (s for s in rows if s.end > s.start and not s.reason)
    return sorted(kept, key=lambda s: (s.start, s.end))


def _columns(path: Path, names: Sequence[str]) -> _Columns:
    for start, end, unit in _TIME_COLUMNS:
        if {start, end, 'label'} <= set(names):
            wanted = (start, end, 'label', 'confidence', 'reason')
            if len(names) > _MOST_COLUMNS or max(names.count(name) for name in wanted) > 1:
                msg = f'{path}: expected each of {", ".join(wanted)} once in its first line'
                raise LabelError(msg)
            first, last, label = (names.index(name) for name in wanted[:3])
            confidence, reason = (names.index(n) if n in names else None for n in wanted[3:])
            return _Columns(first, last, label, confidence, reason, unit)
    msg = (
        f'{path} has the columns {listed(names) or "(none)"}: expected label and either '
        'start_ns, end_ns (nanoseconds) or start, end (seconds), since the Unix epoch'
    )
    raise LabelError(msg)


def _segment(path: Path, line: int, row: Sequence[str], columns: _Columns) -> Segment:
    name, cell, confidence, reason = '', '', 1.0, ''
    try:
        name, cell = 'start', row[columns.start]
        start = parse_nanoseconds(cell, columns.unit)
        name, cell = 'end', row[columns.end]
        end = parse_nanoseconds(cell, columns.unit)
        label = row[columns.label]
        if columns.confidence is not None and len(row) > columns.confidence:
            name, cell = 'confidence', row[columns.confidence]
            confidence = parse_number(cell) if cell else 1.0
        if columns.reason is not None and len(row) > columns.reason:
            reason = row[columns.reason]
    except IndexError:
        start = end = -1
    except ValueError as error:
        msg = f"{path}:{line}: {name} is '{excerpt(cell)}', {error}"
        raise LabelError(msg) from error
    if not 0 <= start <= end or not label:
        msg = f'{path}:{line}: expected a label and an end after the start'
        raise LabelError(msg)
    label = label[1:] if _quoted(label) else label
    return Segment(start, end, label, confidence, reason=reason)


def _quoted(label: str) -> bool:
    return label.startswith("'") and _FORMULA.match(label) is not None
