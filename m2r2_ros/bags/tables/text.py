# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read text tables a block of lines at a time, and say which line is wrong."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn, TextIO

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.tables.spec import Column, TextFormat
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.numbers import LATEST, parse_nanoseconds
from m2r2_ros.core.reading import check_file, reading
from m2r2_ros.core.text import excerpt, listed

_BLOCK: Final = 4096
#: Characters of a line.
_LONGEST: Final = 1 << 20

Row = tuple[int, list[str]]


def find_table(folder: Path, name: str) -> Path | None:
    """Return `name` in a folder, compressed or not; None where it is not there."""
    stem = name.removesuffix('.gz')
    for path in (folder / name, folder / stem, folder / f'{stem}.gz'):
        if path.is_file():
            return path
    return None


class TextTable:
    """The rows of a text file, all of the same number of cells.

    Iterating yields the number of the line, from 1, and its cells. Empty lines and comments are
    passed over.
    """

    def __init__(self, path: Path, text: TextFormat) -> None:
        self.path = path
        self._text = text
        self._line = 0

    def __iter__(self) -> Iterator[Row]:
        expected = 'a table of text'
        check_file(self.path, expected, ConfigError)
        with reading(self.path, expected, ConfigError), self._open() as file:
            width = -1
            for cells in self._cells(file):
                if width >= 0 and len(cells) != width:
                    self.refuse(self._line, f'{len(cells)} columns, expected {width}')
                width = len(cells)
                yield self._line, cells

    def rows(self, columns: Sequence[Column]) -> Iterator[Row]:
        """Yield line numbers and the cells of `columns`.

        Raises:
            ConfigError: A column is not there, or the file cannot be read.
        """
        rows = iter(self)
        first = next(rows, None)
        if first is None:
            return
        where = [self._index(column, first) for column in columns]
        if not self._text.header:
            yield first[0], [first[1][k] for k in where]
        for line, cells in rows:
            yield line, [cells[k] for k in where]

    def nanoseconds(self, line: int, cell: str, unit: int) -> int:
        """Return a time; exact, which a float of seconds since 1970 would not be."""
        try:
            return parse_nanoseconds(cell, unit)
        except ValueError as error:
            self.refuse(line, f"time '{excerpt(cell)}', {error}")

    def refuse(self, line: int, what: str) -> NoReturn:
        """Raise ConfigError."""
        msg = f'{self.path}:{line} has {what}'
        raise ConfigError(msg)

    def _open(self) -> TextIO:
        if self.path.suffix == '.gz':
            return gzip.open(self.path, 'rt', encoding='utf-8')
        return self.path.open(encoding='utf-8')

    def _cells(self, file: TextIO) -> Iterator[list[str]]:
        lines = self._lines(file)
        if self._text.delimiter is None:
            return (line.split() for line in lines)
        read = csv.reader(lines, delimiter=self._text.delimiter, skipinitialspace=True)
        return ([cell.strip() for cell in cells] for cells in read)

    def _lines(self, file: TextIO) -> Iterator[str]:
        comment = self._text.comment
        for self._line, line in enumerate(iter(partial(file.readline, _LONGEST), ''), 1):
            if len(line) == _LONGEST:
                self.refuse(self._line, f'a line of {_LONGEST} characters or more')
            if comment and comment in line:
                line = line[: line.index(comment)]
            if line.strip():
                yield line

    def _index(self, column: Column, first: Row) -> int:
        line, cells = first
        if isinstance(column, str):
            if not self._text.header:
                self.refuse(line, f'no header, so no column {column!r}: say `header: true`')
            if column not in cells:
                self.refuse(line, f'no column {column!r}, but {listed(cells)}')
            return cells.index(column)
        if column >= len(cells):
            self.refuse(line, f'{len(cells)} columns, so no column {column} (counted from 0)')
        return column


def number_blocks(
    table: TextTable, time: Column, unit: int, columns: Sequence[Column], epoch: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield stamps int64 (n,), nanoseconds, and values float64 (n, len(columns)).

    Args:
        table: The table.
        time: Column of the time.
        unit: Nanoseconds in one unit of it.
        columns: Columns of the values; NaN and infinity are values like others.
        epoch: What is added to the time, nanoseconds.

    Raises:
        ConfigError: A cell is not a number, the time goes back or is not after 1970.
    """
    rows = table.rows((time, *columns))
    last = 0
    while block := list(islice(rows, _BLOCK)):
        stamps = np.empty(len(block), np.int64)
        for i, (line, cells) in enumerate(block):
            stamp = table.nanoseconds(line, cells[0], unit) + epoch
            if stamp < last or not 0 < stamp < LATEST:
                table.refuse(line, _wrong_time(cells[0], stamp))
            stamps[i] = last = stamp
        yield stamps, _values(table, block, columns)


def _wrong_time(cell: str, stamp: int) -> str:
    if stamp <= 0:
        return f'time {cell}, which is not after 1970: set `epoch` in the specification'
    if stamp >= LATEST:
        return f'time {cell}, which is after 2038: is its unit right, and `epoch`?'
    return f'time {cell}, which goes back: sort the rows by time, or import the parts apart'


def _values(
    table: TextTable, block: Sequence[Row], columns: Sequence[Column]
) -> NDArray[np.float64]:
    try:
        return np.array([[float(cell) for cell in cells[1:]] for _, cells in block], np.float64)
    except ValueError:
        for line, cells in block:
            for column, cell in zip(columns, cells[1:], strict=True):
                try:
                    float(cell)
                except ValueError:
                    table.refuse(line, f"'{excerpt(cell)}' in column {column}, expected a number")
        raise
