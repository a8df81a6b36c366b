# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parquet files: some columns of some rows at a time, with errors that say where."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.extras import needed
from m2r2_ros.core.reading import check_file, reading
from m2r2_ros.core.text import excerpt, listed

_EXPECTED: Final = 'Parquet of a LeRobot dataset: download it again'
#: Bytes of the footer's texts, and entries of its lists.
_MOST_TEXT, _MOST_LIST = 1 << 24, 1 << 20
#: Bytes of a column in a row group, and how many come out of one packed byte beyond a few.
_MOST_COLUMN: Final = 1 << 33
_MOST_RATIO, _FREE = 256, 1 << 26
#: Read of a file at a time, so that a large column is not held as a whole.
_BUFFER: Final = 1 << 20


def library(name: str) -> Any:  # noqa: ANN401 - a module
    """Return a module of the extra `lerobot`, see `needed`."""
    return needed(name, 'lerobot')


class StepTable:
    """A Parquet file, open."""

    def __init__(self, path: Path, file: Any) -> None:  # noqa: ANN401 - a ParquetFile
        self.path = path
        self._file = file
        self.columns: list[str] = file.schema_arrow.names
        self.rows: int = file.metadata.num_rows

    def type_of(self, column: str) -> Any:  # noqa: ANN401 - an Arrow type
        """Return the type of a column that is there."""
        return self._file.schema_arrow.field(column).type

    def expect(self, columns: Collection[str]) -> None:
        """Refuse a table without these columns.

        Raises:
            BagError: One is missing.
        """
        if lacking := [c for c in columns if c not in self.columns]:
            msg = f'{self.path}: no column {listed(lacking)}; it has {listed(self.columns)}'
            raise BagError(msg)

    def batches(
        self, columns: list[str], rows: int, low: int = 0, high: int | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Yield the number of the first row, and a batch of so many rows at most.

        Args:
            columns: The columns to read.
            rows: Of a batch.
            low: The first row.
            high: The row after the last; None for the end.
        """
        self.expect(columns)
        high = self.rows if high is None else min(high, self.rows)
        base = 0
        for group in range(self._file.metadata.num_row_groups):
            count = self._file.metadata.row_group(group).num_rows
            if base < high and base + count > low:
                yield from self._group(group, base, columns, rows, low, high)
            base += count

    def whole(self, columns: list[str], most: int) -> Any:  # noqa: ANN401 - an Arrow table
        """Return columns as a whole.

        Raises:
            BagError: A column is missing, or there are more than `most` rows.
        """
        if self.rows > most:
            msg = f'{self.path}: has {self.rows} rows, at most {most} are read'
            raise BagError(msg)
        self.expect(columns)
        for group in range(self._file.metadata.num_row_groups):
            self._check(group, columns)
        with self._errors():
            return self._file.read(columns=columns, use_threads=False)

    def _group(
        self, group: int, base: int, columns: list[str], rows: int, low: int, high: int
    ) -> Iterator[tuple[int, Any]]:
        self._check(group, columns)
        with self._errors():
            batches = self._file.iter_batches(
                rows, row_groups=[group], columns=columns, use_threads=False
            )
        while base < high:
            with self._errors():
                batch = next(batches, None)
            if batch is None:
                return
            first, last = max(low - base, 0), min(high - base, batch.num_rows)
            if first < last:
                yield base + first, batch.slice(first, last - first)
            base += batch.num_rows

    def _check(self, group: int, columns: list[str]) -> None:
        """Refuse columns that are larger than a file of this length can mean."""
        found = self._file.metadata.row_group(group)
        wanted = set(columns)
        for k in range(found.num_columns):
            column = found.column(k)
            if column.path_in_schema.partition('.')[0] not in wanted:
                continue
            size, packed = column.total_uncompressed_size, column.total_compressed_size
            if size > min(_MOST_COLUMN, max(packed, 0) * _MOST_RATIO + _FREE) or size < 0:
                name = excerpt(column.path_in_schema)
                msg = f'{self.path}: {name} says that {packed} bytes hold {size}: {_EXPECTED}'
                raise BagError(msg)

    def _errors(self) -> AbstractContextManager[None]:
        return reading(self.path, _EXPECTED, BagError)


@contextmanager
def step_table(path: Path) -> Iterator[StepTable]:
    """Open a Parquet file for reading.

    Raises:
        BagError: It is none, or damaged.
        ConfigError: pyarrow is not installed.
    """
    parquet = library('pyarrow.parquet')
    check_file(path, _EXPECTED, BagError)
    with reading(path, _EXPECTED, BagError):
        file = parquet.ParquetFile(
            path,
            memory_map=False,
            buffer_size=_BUFFER,
            pre_buffer=False,
            thrift_string_size_limit=_MOST_TEXT,
            thrift_container_size_limit=_MOST_LIST,
            arrow_extensions_enabled=False,
        )
    with file:
        yield StepTable(path, file)


def numbers_of(column: Any, width: int, what: str) -> NDArray[np.float64]:  # noqa: ANN401
    """Return a column of numbers, or of lists of them, as float64 (n, width); NaN where none is.

    Args:
        column: Arrow array.
        width: Numbers of a row.
        what: The column, for errors.

    Raises:
        BagError: It holds something else.
    """
    rows = len(column)
    while _is_list(column.type):
        if column.null_count:
            raise _unfit(what, 'a row without a value', width)
        column = column.flatten()
    if not holds_numbers(column.type):
        raise _unfit(what, str(column.type), width)
    if len(column) != rows * width:
        raise _unfit(what, f'{len(column)} numbers in {rows} rows', width)
    with reading(what, f'{width} numbers in each row', BagError):
        values = column.cast('float64', safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64).reshape(rows, width)


def whole_numbers_of(column: Any, what: str) -> NDArray[np.int64]:  # noqa: ANN401 - an Arrow array
    """Return a column of whole numbers as int64 (n,).

    Raises:
        BagError: It holds something else, or nothing in a row.
    """
    kinds = library('pyarrow').types
    while _is_list(column.type) and not column.null_count:
        column = column.flatten()
    if not kinds.is_integer(column.type) or column.null_count:
        found = 'rows without one' if column.null_count else column.type
        msg = f'{what}: expected whole numbers, found {found}'
        raise BagError(msg)
    with reading(what, 'whole numbers', BagError):
        return np.asarray(column.cast('int64').to_numpy(zero_copy_only=False), np.int64)


def holds_numbers(kind: Any) -> bool:  # noqa: ANN401 - an Arrow type
    """Return whether a column of a type holds numbers, or lists of them."""
    kinds = library('pyarrow').types
    while _is_list(kind):
        kind = kind.value_type
    return bool(kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind))


def _is_list(kind: Any) -> bool:  # noqa: ANN401 - an Arrow type
    kinds = library('pyarrow').types
    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


def _unfit(what: str, found: str, width: int) -> BagError:
    return BagError(f'{what}: expected {width} numbers in each row, found {found}')
