# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parquet files of a LeRobot data set: frames, episodes, and texts by number."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from m2r2_ros.core.files import disk_errors
from m2r2_ros.export.lerobot.features import INTEGERS

_COMPRESSION: Final = 'zstd'
#: Episodes that are written at once.
_EPISODES: Final = 100


class FrameTable:
    """The frames of one episode, written as they come."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Begin a file."""
        self._path, self._schema = path, schema
        with disk_errors(path):
            self._writer = pq.ParquetWriter(path, schema, compression=_COMPRESSION)

    def add(self, columns: Mapping[str, Any]) -> None:
        """Write rows, given by column."""
        arrays = [
            column if isinstance(column, pa.Array) else pa.array(column, field.type)
            for field in self._schema
            for column in [columns[field.name]]
        ]
        with disk_errors(self._path):
            self._writer.write_table(pa.table(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        with disk_errors(self._path):
            self._writer.close()


class TableFiles:
    """Files with the frames of several episodes each."""

    def __init__(
        self, folder: Path, schema: pa.Schema, most_bytes: int, files_of_chunk: int
    ) -> None:
        """Begin without files.

        Args:
            folder: Where they go.
            schema: Their columns.
            most_bytes: A file that has so many takes no further episode.
            files_of_chunk: Files in a folder.
        """
        self._folder, self._schema = folder, schema
        self._most, self._of_chunk = most_bytes, files_of_chunk
        self._number = -1
        self._file: Any = None
        self._writer: pq.ParquetWriter | None = None

    def begin(self, size: int) -> tuple[int, int]:
        """Choose the file of an episode of about so many bytes; returns its chunk and number."""
        with disk_errors(self._folder):
            if self._file is None or self._file.tell() + size > self._most:
                self.close()
                self._number += 1
                chunk, file = divmod(self._number, self._of_chunk)
                path = self._folder / f'chunk-{chunk:03d}' / f'file-{file:03d}.parquet'
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open('wb')
                self._writer = pq.ParquetWriter(self._file, self._schema, compression=_COMPRESSION)
        return divmod(self._number, self._of_chunk)

    def write(self, table: pa.Table) -> None:
        """Write rows of that episode."""
        assert self._writer is not None
        with disk_errors(self._folder):
            self._writer.write_table(table.select(self._schema.names))

    def close(self) -> None:
        """Finish the last file."""
        if self._writer is not None:
            with disk_errors(self._folder):
                self._writer.close()
                self._file.close()
            self._writer = None

    def abandon(self) -> None:
        """Close the last file, whatever is in it."""
        with suppress(Exception):
            self.close()


class EpisodeTable:
    """The file with a row for each episode."""

    def __init__(self, path: Path, videos: Sequence[str], stats: Mapping[str, Any]) -> None:
        """Begin.

        Args:
            path: The file.
            videos: Keys of the cameras that have videos.
            stats: Features that there are statistics of, and whether they are images.
        """
        self._path, self._rows = path, list[dict[str, Any]]()
        self._writer: pq.ParquetWriter | None = None
        fields = [('episode_index', pa.int64()), ('tasks', pa.list_(pa.string()))]
        fields += [
            (name, pa.int64())
            for name in (
                'length', 'data/chunk_index', 'data/file_index', 'dataset_from_index',
                'dataset_to_index', 'meta/episodes/chunk_index', 'meta/episodes/file_index',
            )
        ]  # fmt: skip
        for key in videos:
            fields += [(f'videos/{key}/{k}_index', pa.int64()) for k in ('chunk', 'file')]
            fields += [(f'videos/{key}/{k}_timestamp', pa.float64()) for k in ('from', 'to')]
        for key, names in stats.items():
            for name in names:
                exact = name == 'count' or (name in ('min', 'max') and key in INTEGERS)
                fields.append((f'stats/{key}/{name}', _type(names[name], exact=exact)))
        self._schema = pa.schema(fields)

    def add(self, row: dict[str, Any]) -> None:
        """Write an episode."""
        self._rows.append({**row, 'meta/episodes/chunk_index': 0, 'meta/episodes/file_index': 0})
        if len(self._rows) >= _EPISODES:
            self._flush()

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        if self._writer is not None:
            with disk_errors(self._path):
                self._writer.close()

    def _flush(self) -> None:
        with disk_errors(self._path):
            if self._writer is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = pq.ParquetWriter(self._path, self._schema, compression=_COMPRESSION)
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()


def _type(values: Any, *, exact: bool) -> pa.DataType:  # noqa: ANN401 - lists of lists
    """Return the type of numbers in lists."""
    if isinstance(values, list):
        return pa.list_(_type(values[0], exact=exact))
    return pa.int64() if exact else pa.float64()


def write_texts(path: Path, column: str, texts: Sequence[str]) -> None:
    """Write texts by number, with the texts as the index of a data frame of pandas.

    Readers find a text by the place of its row, and read it from the index: where the file does not
    say which column that is, they take numbers for texts.

    Args:
        path: The file.
        column: What the texts are called, such as task; their numbers are in task_index.
        texts: In order of their numbers.
    """
    number = f'{column}_index'
    described = [
        _described(number, 'int64', 'int64'),
        _described(column, 'unicode', 'object'),
    ]
    pandas = {
        'index_columns': [column],
        'column_indexes': [_described(None, 'unicode', 'object')],
        'columns': described,
        'creator': {'library': 'pyarrow', 'version': pa.__version__},
        'pandas_version': '2.2.0',
    }
    table = pa.table(
        {number: pa.array(range(len(texts)), pa.int64()), column: pa.array(texts, pa.string())}
    )
    with disk_errors(path):
        pq.write_table(table.replace_schema_metadata({'pandas': json.dumps(pandas)}), path)


def _described(name: str | None, kind: str, numpy: str) -> dict[str, Any]:
    types = {'pandas_type': kind, 'numpy_type': numpy}
    return {'name': name, 'field_name': name, **types, 'metadata': None}
