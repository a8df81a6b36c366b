# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One episode as tf.train.Example: columns that grow on the disk, joined when all are there."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Bytes of a column that stay in memory, and that are copied at once.
_IN_MEMORY: Final = 1 << 20
_AT_ONCE: Final = 1 << 20
#: Tags of protocol buffers: field 1 and field 2, with a length.
_FIRST: Final = b'\x0a'
_SECOND: Final = b'\x12'
#: Which list of a tf.train.Feature holds bytes, floats and whole numbers.
_BYTES: Final = _FIRST
_FLOATS: Final = _SECOND
_INTEGERS: Final = b'\x1a'


class ExampleColumn:
    """The values of one feature in all steps of an episode."""

    def __init__(self, kind: bytes, folder: Path) -> None:
        """Begin without values.

        Args:
            kind: Tag of the list that holds them.
            folder: Where what does not stay in memory goes.
        """
        self._kind, self._size = kind, 0
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115 - closed below

    @property
    def _packed(self) -> bytes:
        """What stands before numbers, which follow each other without tags."""
        return b'' if self._kind == _BYTES else _FIRST + varint(self._size)

    def write(self, data: bytes) -> None:
        """Add what is a value, or several."""
        self._file.write(data)
        self._size += len(data)

    def parts(self) -> Iterator[bytes]:
        """Yield the column as a tf.train.Feature."""
        packed = self._packed
        yield self._kind + varint(len(packed) + self._size) + packed
        self._file.seek(0)
        while part := self._file.read(_AT_ONCE):
            yield part

    def __len__(self) -> int:
        length = len(self._packed) + self._size
        return 1 + len(varint(length)) + length

    def close(self) -> None:
        """Remove it."""
        self._file.close()


class EpisodeExample:
    """One episode.

    Attributes:
        columns: By the path of their feature, such as steps/action.
    """

    def __init__(self, folder: Path) -> None:
        """Begin without columns; what does not stay in memory goes to a folder."""
        self.columns: dict[str, ExampleColumn] = {}
        self._folder = folder

    def add_bytes(self, key: str, values: Iterable[bytes]) -> None:
        """Add a value for each step."""
        column = self._column(key, _BYTES)
        for value in values:
            column.write(_FIRST + varint(len(value)))
            column.write(value)

    def add_texts(self, key: str, values: Iterable[str]) -> None:
        """Add a text for each step."""
        self.add_bytes(key, (value.encode() for value in values))

    def add_floats(self, key: str, values: NDArray[np.float32]) -> None:
        """Add rows, one for each step."""
        self._column(key, _FLOATS).write(np.ascontiguousarray(values, '<f4').tobytes())

    def add_integers(self, key: str, values: Iterable[int]) -> None:
        """Add a number for each step."""
        self._column(key, _INTEGERS).write(b''.join(map(varint, values)))

    def __len__(self) -> int:
        """Return the bytes of it all."""
        length = sum(1 + len(varint(n)) + n for n in map(self._entry_length, self.columns))
        return 1 + len(varint(length)) + length

    def parts(self) -> Iterator[bytes]:
        """Yield it all."""
        entries = {key: self._entry_length(key) for key in self.columns}
        yield _FIRST + varint(sum(1 + len(varint(n)) + n for n in entries.values()))
        for key, length in entries.items():
            column, name = self.columns[key], key.encode()
            yield _FIRST + varint(length) + _FIRST + varint(len(name)) + name
            yield _SECOND + varint(len(column))
            yield from column.parts()

    def close(self) -> None:
        """Remove it."""
        for column in self.columns.values():
            column.close()
        self.columns.clear()

    def _column(self, key: str, kind: bytes) -> ExampleColumn:
        if key not in self.columns:
            self.columns[key] = ExampleColumn(kind, self._folder)
        return self.columns[key]

    def _entry_length(self, key: str) -> int:
        name, length = len(key.encode()), len(self.columns[key])
        return 1 + len(varint(name)) + name + 1 + len(varint(length)) + length


def varint(number: int) -> bytes:
    """Return a whole number as protocol buffers have it; a negative one has ten bytes."""
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
