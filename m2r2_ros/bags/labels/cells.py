# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cells of a table of labels, as spreadsheets and scripts write them."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from m2r2_ros.bags.labels.clock import SET_CLOCK
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.numbers import LATEST, parse_nanoseconds
from m2r2_ros.core.reading import check_file, reading
from m2r2_ros.core.text import excerpt
from m2r2_ros.core.time import SECOND

#: Bytes of a file, and its rows: hours of labels, sample by sample.
MOST_BYTES: Final = 16 << 20
MOST_ROWS: Final = 1_000_000
EXPECTED: Final = 'a CSV file with start, end, label'
#: Names of files that are tables.
SUFFIXES: Final = ('.csv', '.tsv')
#: What a time from the start of a recording may be, nanoseconds: days.
_FARTHEST: Final = 10**6 * SECOND
#: How far a cell may be rounded, nanoseconds.
_COARSEST: Final = 10**6
#: Steps of nanoseconds since 1970 of which a spreadsheet has kept 15 digits.
_FIFTEEN_DIGITS: Final = 10**4
_WAY_OUT: Final = (
    'write seconds from the start of the recording (start_s, end_s), which a spreadsheet keeps, or '
    'give the file as it was before'
)

Row = tuple[int, list[str]]


class Table(NamedTuple):
    """A table.

    Attributes:
        names: Of its columns.
        rows: Numbers of lines, from 1, and cells; empty rows are passed over. To be read once.
        comma: Whether numbers may have a comma before their decimals.
    """

    names: list[str]
    rows: Iterator[Row]
    comma: bool


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a table, whose rows are read while it is open.

    Cells are separated by commas, semicolons or tabs, whichever the first line has.

    Raises:
        LabelError: The file cannot be read, or has too many rows.
    """
    check_file(path, EXPECTED, LabelError, most=MOST_BYTES)
    with reading(path, EXPECTED, LabelError), path.open(newline='', encoding='utf-8-sig') as file:
        first = file.readline()
        if skipped := int(first.startswith('sep=')):  # by which Excel is told the separator
            first = file.readline()
        separator = _separator(first)
        table = csv.reader(chain([first], file), delimiter=separator)
        yield Table(next(table, []), _numbered(path, table, skipped), separator != ',')


def _numbered(path: Path, table: Any, skipped: int) -> Iterator[Row]:  # noqa: ANN401 - csv's
    for count, row in enumerate(table):
        if count >= MOST_ROWS:
            msg = f'{path}: has more than {MOST_ROWS} rows'
            raise LabelError(msg)
        if any(cell.strip() for cell in row):
            yield table.line_num + skipped, row


def _separator(line: str) -> str:
    """Return what separates the cells of the first line, outside of quotes."""
    bare = re.sub('"[^"]*"', '', line)
    return next((mark for mark in ';\t' if mark in bare), ',')


def parse_time(path: Path, line: int, name: str, cell: str, unit: int, *, comma: bool) -> int:
    """Return a time, nanoseconds; in frames where the unit is 0.

    Raises:
        LabelError: The cell is not a time, or a spreadsheet has rounded it.
    """
    text = cell.strip()
    text = text.replace(',', '.') if comma and text.count(',') == 1 and '.' not in text else text
    try:
        time = parse_nanoseconds(text, unit or 1)
        if unit == 0 and (not text.isdigit()):
            expected = 'expected the number of a frame, from 0'
            raise ValueError(expected)
    except ValueError as error:
        msg = f"{path}:{line}: {name} is '{excerpt(cell)}', {error}"
        raise LabelError(msg) from error
    if unit and time >= SET_CLOCK and _resolution(text) * unit > _COARSEST:
        msg = (
            f"{path}:{line}: {name} is '{excerpt(cell)}', which a spreadsheet has rounded to "
            f'{int(_resolution(text) * unit) / SECOND:g} s: {_WAY_OUT}'
        )
        raise LabelError(msg)
    return time


def unit_of(path: Path, line: int, name: str, cell: str, *, comma: bool) -> int:
    """Return the unit of a column whose name has none: that in which a time is one since 1970.

    Small numbers are seconds.

    Raises:
        LabelError: It cannot be told.
    """
    text = cell.strip().replace(',', '.') if comma else cell.strip()
    try:
        size = abs(Decimal(text)) if text.isascii() and len(text) <= 40 else Decimal('NaN')
    except InvalidOperation:
        return SECOND  # it is refused where it is read
    if not size.is_finite() or size * SECOND < _FARTHEST:
        return SECOND
    for unit in (SECOND, 10**6, 10**3, 1):
        if SET_CLOCK <= size * unit < LATEST:
            return unit
    msg = (
        f"{path}:{line}: {name} is '{excerpt(cell)}', neither a time since 1970 in s, ms, µs or ns "
        'nor seconds from the start of a recording: name its unit, as in '
        f'{name}_s or {name}_ns'
    )
    raise LabelError(msg)


def expect_exact(path: Path, name: str, times: list[int]) -> None:
    """Refuse nanoseconds since 1970 of which only 15 digits are left.

    Raises:
        LabelError: All are multiples of 10,000 ns, and not of more.
    """
    since = [t for t in times if t >= SET_CLOCK]
    fifteen = all(t % _FIFTEEN_DIGITS == 0 for t in since)
    if len(since) > 1 and fifteen and any(t % (10 * _FIFTEEN_DIGITS) for t in since):
        msg = (
            f'{path}: {name} has whole multiples of {_FIFTEEN_DIGITS} ns alone, as in {since[0]}: '
            f'a spreadsheet has kept 15 digits of them; {_WAY_OUT}'
        )
        raise LabelError(msg)


def expect_near(path: Path, line: int, name: str, time: int) -> None:
    """Refuse what is neither a time since 1970 nor one from the start of a recording.

    Raises:
        LabelError: It is neither, in the unit that the column says.
    """
    if abs(time) < _FARTHEST or time >= SET_CLOCK:
        return
    msg = (
        f'{path}:{line}: {name} is {time / SECOND:.0f} s, neither a time since 1970 nor one from '
        'the start of a recording: is the unit in the name of the column right?'
    )
    raise LabelError(msg)


def _resolution(text: str) -> Decimal:
    """Return what the last digit of a number with an exponent stands for, 0 without one."""
    mantissa, mark, exponent = text.lower().partition('e')
    if not mark:
        return Decimal(0)
    decimals = len(mantissa.partition('.')[2])
    return Decimal(1).scaleb(int(exponent) - decimals)
