# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as a CSV file that a spreadsheet opens: segments, or a label for each sample."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from m2r2_ros.bags.labels.cells import (
    Table,
    expect_exact,
    expect_near,
    open_table,
    parse_time,
    unit_of,
)
from m2r2_ros.bags.labels.clock import SET_CLOCK, RecordingClock, shown_range
from m2r2_ros.bags.labels.columns import Columns, TimeColumn, find_columns
from m2r2_ros.bags.labels.samples import join_samples, sample_end
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment, expect_labels
from m2r2_ros.core.numbers import parse_number
from m2r2_ros.core.reading import naming
from m2r2_ros.core.text import excerpt
from m2r2_ros.core.time import SECOND

#: What a spreadsheet would take for a formula, after quotes that keep it from doing so.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
#: How far seconds and nanoseconds of one cell may differ by rounding, nanoseconds.
_ROUNDING: Final = 10**6


class LabelTable(NamedTuple):
    """What a table holds.

    Attributes:
        segments: Sorted by start.
        note: How its times were understood.
    """

    segments: list[Segment]
    note: str


class _Row(NamedTuple):
    """A row; its times are as the file has them."""

    line: int
    times: tuple[int, ...]
    label: str
    confidence: float
    reason: str


def write_segments_csv(
    path: Path, segments: Iterable[Segment], start: int, more: Mapping[str, str] | None = None
) -> None:
    """Write segments as start_s, end_s, label, confidence, reason.

    Seconds from the start of the recording keep all their digits in a spreadsheet, which
    nanoseconds since 1970 do not. A label that a spreadsheet would run as a formula gets a single
    quote in front of it, which `read_labels_csv` takes off.

    Args:
        path: File to write.
        segments: In order.
        start: When the recording began, on the clock of the segments, nanoseconds.
        more: Further columns, with what stands in each row of them.
    """
    more = more or {}
    with path.open('w', newline='', encoding='utf-8') as file:
        table = csv.writer(file)
        table.writerow(('start_s', 'end_s', 'label', 'confidence', 'reason', *more))
        said = [_quoted(text) for text in more.values()]
        for s in segments:
            seconds = [f'{Decimal(t - start).scaleb(-9):f}' for t in (s.start, s.end)]
            row = (*seconds, _quoted(s.label), f'{s.confidence:.6g}', s.reason)
            table.writerow((*row, *said))


def _quoted(text: str) -> str:
    """Return text that a spreadsheet does not run."""
    return f"'{text}" if _FORMULA.match(text) else text


def read_segments_csv(path: Path, clock: RecordingClock | None = None) -> list[Segment]:
    """Read the labels of a table as segments, see `read_labels_csv`."""
    return read_labels_csv(path, clock).segments


def read_labels_csv(path: Path, clock: RecordingClock | None = None) -> LabelTable:
    """Read a table of labels: a segment a row, or a sample or frame a row.

    The names of the columns say which: start, end, label; time, label; or frame, label. Rows that
    last no time are left out, and those with a reason, which have no label.

    Args:
        path: The file.
        clock: Of the recording, where times may count from its start; None takes times since 1970
            alone.

    Raises:
        LabelError: The file cannot be read, lacks a column, has a wrong cell, or is not of the time
            of the recording.
    """
    with open_table(path) as table:
        columns = find_columns(path, table.names)
        rows, note = _read(path, table, columns)
    with naming(path, LabelError):
        expect_labels({row.label for row in rows} - {''})
        placed, said = _placed(rows, columns, clock)
    segments = [s for s in placed if s.end > s.start and not s.reason]
    segments.sort(key=lambda s: (s.start, s.end))
    _expect_meeting(path, segments, clock)
    return LabelTable(segments, '; '.join(filter(None, (said, note))))


def _read(path: Path, table: Table, columns: Columns) -> tuple[list[_Row], str]:
    """Return the rows of a table, and what was found out of its times."""
    rows: list[_Row] = []
    doubles: list[tuple[tuple[int | None, ...], tuple[int | None, ...]]] = []
    units: dict[int, int] = {}
    for line, cells in table.rows:
        label, confidence, reason = _texts(path, line, cells, columns)
        if columns.seconds:
            parts = [
                tuple(_time(path, line, cells, c, table, units, empty=True) for c in pair)
                for pair in (columns.times, columns.seconds)
            ]
            doubles.append((parts[0], parts[1]))
            times: tuple[int, ...] = ()
        else:
            found = [_time(path, line, cells, c, table, units) for c in columns.times]
            times = tuple(t for t in found if t is not None)
        if not label and (len(columns.times) == 2 or len(cells) <= columns.label):
            msg = f'{path}:{line}: expected a label and an end after the start'
            raise LabelError(msg)
        rows.append(_Row(line, times, label, confidence, reason))
    _expect_exact(path, rows, doubles, columns)
    if not doubles:
        return rows, ''
    both, note = _as_edited(path, rows, doubles)
    return [row._replace(times=times) for row, times in zip(rows, both, strict=True)], note


def _time(
    path: Path,
    line: int,
    cells: Sequence[str],
    column: TimeColumn,
    table: Table,
    units: dict[int, int],
    *,
    empty: bool = False,
) -> int | None:
    """Return the time in a cell; None where it may be empty and is."""
    cell = cells[column.index] if column.index < len(cells) else ''
    if empty and not cell.strip():
        return None
    unit = column.unit
    if unit is None:
        unit = units.get(column.index)
        if unit is None:
            unit = unit_of(path, line, column.name, cell, comma=table.comma)
            units[column.index] = unit
    time = parse_time(path, line, column.name, cell, unit, comma=table.comma)
    if unit:
        expect_near(path, line, column.name, time)
    return time


def _texts(path: Path, line: int, cells: Sequence[str], columns: Columns) -> tuple[str, float, str]:
    """Return label, confidence and reason of a row."""
    label, confidence, reason = (
        cells[k] if k is not None and k < len(cells) else ''
        for k in (columns.label, columns.confidence, columns.reason)
    )
    try:
        number = parse_number(confidence.replace(',', '.')) if confidence.strip() else 1.0
    except ValueError as error:
        msg = f"{path}:{line}: confidence is '{excerpt(confidence)}', {error}"
        raise LabelError(msg) from error
    quoted = label.startswith("'") and _FORMULA.match(label) is not None
    return label[1:] if quoted else label, number, reason


def _expect_exact(
    path: Path,
    rows: Sequence[_Row],
    doubles: Sequence[tuple[tuple[int | None, ...], tuple[int | None, ...]]],
    columns: Columns,
) -> None:
    """Refuse nanoseconds since 1970 that a spreadsheet has rounded."""
    for k, column in enumerate(columns.times):
        if column.unit in (1, None):
            every = [own[k] for own, _ in doubles] if doubles else [row.times[k] for row in rows]
            expect_exact(path, column.name, [t for t in every if t is not None])


def _as_edited(
    path: Path,
    rows: Sequence[_Row],
    doubles: Sequence[tuple[tuple[int | None, ...], tuple[int | None, ...]]],
) -> tuple[list[tuple[int, ...]], str]:
    """Return nanoseconds, or seconds where somebody has edited them, of a table that has both.

    Both were written of one time, so that they differ by the same everywhere but where one of them
    was edited.
    """
    apart = [
        a - b
        for own, other in doubles
        for a, b in zip(own, other, strict=True)
        if a is not None and b is not None
    ]
    origin = sorted(apart)[(len(apart) - 1) // 2] if apart else 0  # the lower median
    agreeing = sum(abs(d - origin) <= _ROUNDING for d in apart)
    if (doubles and not apart) or 2 * agreeing < len(apart):
        msg = (
            f'{path}: start_ns, end_ns and start_s, end_s do not belong together: delete the two '
            'columns that were not edited'
        )
        raise LabelError(msg)
    edited: list[str] = []
    times = []
    for row, (own, other) in zip(rows, doubles, strict=True):
        found = []
        for a, b in zip(own, other, strict=True):
            if a is None and b is None:
                msg = f'{path}:{row.line}: expected a start and an end'
                raise LabelError(msg)
            if a is not None and b is not None and abs(a - b - origin) > _ROUNDING:
                edited.append(f'line {row.line}: {b / SECOND:g} s, not {(a - origin) / SECOND:g} s')
                a = None
            found.append(a if a is not None else (b or 0) + origin)
        times.append(tuple(found))
    note = (
        f'{len(edited)} times in seconds differ from those in nanoseconds and are taken '
        f'({edited[0]}{", ..." if len(edited) > 1 else ""})'
        if edited
        else ''
    )
    return times, note


def _placed(
    rows: Sequence[_Row], columns: Columns, clock: RecordingClock | None
) -> tuple[list[Segment], str]:
    """Put the rows on the clock of the recording, and say how their times were understood."""
    if not columns.times or columns.times[0].unit == 0:
        shift, said = 0, 'frames by number'
        rows = _frames(rows, columns, clock)
    else:
        shift, said = _shift(rows, clock)
    if len(columns.times) == 2:
        return [_segment(row, shift) for row in rows], said
    stamps = [row.times[0] + shift for row in rows]
    for (before, stamp), row in zip(pairwise(stamps), rows[1:], strict=True):
        if stamp < before:
            msg = f'line {row.line}: its time is before that of the row above: sort the rows'
            raise LabelError(msg)
    labels = ['' if row.reason else row.label for row in rows]
    return join_samples(stamps, labels, sample_end(stamps)), f'{said}, a label for each'


def _segment(row: _Row, shift: int) -> Segment:
    start, end = (time + shift for time in row.times)
    if not 0 <= start <= end:
        msg = f'line {row.line}: expected a label and an end after the start'
        raise LabelError(msg)
    return Segment(start, end, row.label, row.confidence, reason=row.reason)


def _frames(rows: Sequence[_Row], columns: Columns, clock: RecordingClock | None) -> list[_Row]:
    """Return rows whose numbers of frames have become times."""
    if clock is None:
        msg = 'has numbers of frames, which need the recording: give it, too, by the same name'
        raise LabelError(msg)
    if not columns.times:
        rows = [row._replace(times=(k,)) for k, row in enumerate(rows)]
    numbers = np.array([row.times for row in rows], np.int64)
    stamps = clock.frame_times(numbers.reshape(-1)).reshape(numbers.shape)
    return [row._replace(times=tuple(own.tolist())) for row, own in zip(rows, stamps, strict=True)]


def _shift(rows: Sequence[_Row], clock: RecordingClock | None) -> tuple[int, str]:
    """Return what has to be added to the times of a table, nanoseconds, and what they are."""
    every = [time for row in rows for time in row.times]
    if not every:
        return 0, 'no labels'
    if max(every) >= SET_CLOCK:
        if min(every) < SET_CLOCK:
            line = next(row.line for row in rows if min(row.times) < SET_CLOCK)
            msg = (
                f'line {line}: its time is no time since 1970, but others are: expected all of '
                'them from the start of the recording, or all since 1970'
            )
            raise LabelError(msg)
        return 0, 'times since 1970'
    if clock is None:
        msg = 'has seconds from the start, which need the recording: give it, too, by the same name'
        raise LabelError(msg)
    simulated = clock.start < SET_CLOCK
    if simulated and clock.start <= min(every) and max(every) > clock.end - clock.start:
        return 0, 'times of the simulated clock'
    return clock.start, 'times from the start of the recording'


def _expect_meeting(path: Path, segments: Sequence[Segment], clock: RecordingClock | None) -> None:
    """Refuse labels none of which is of the time of the recording."""
    if clock is None or not segments:
        return
    start, end = segments[0].start, max(s.end for s in segments)
    if start <= clock.end and end >= clock.start:
        return
    msg = (
        f'{path}: the labels, {shown_range(start, end, clock.start)}, and the recording, {clock}, '
        'have no time in common: are both of the same trial, and the unit and the clock the same?'
    )
    raise LabelError(msg)
