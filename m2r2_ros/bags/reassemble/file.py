# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""REASSEMBLE's HDF5 files: numbers in slices and blobs as files, with errors that say where."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.reassemble.layout import SEGMENTS, STAMPS, STATE
from m2r2_ros.core.errors import BagError

#: What h5py raises for files that are cut, damaged or not as expected.
_BROKEN: Final = (
    OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, OverflowError,
    MemoryError,
)  # fmt: skip
#: Elements read at a time of what is kept as bytes, one in an element of eight.
_SLICE: Final = 1 << 18


def library(name: str) -> Any:  # noqa: ANN401 - a module
    """Return a library of the extra `reassemble`.

    Raises:
        BagError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        msg = f"REASSEMBLE files need {name}: pip install 'm2r2_ros[reassemble]'"
        raise BagError(msg) from error


class ReassembleFile:
    """A file of the data set, open."""

    def __init__(self, path: Path, root: Any) -> None:  # noqa: ANN401 - an h5py.File
        self.path = path
        self._root = root

    def __contains__(self, name: str) -> bool:
        with self._errors(name):
            return name in self._root

    def names(self, group: str) -> list[str]:
        """Return the names in a group, [] without such a group."""
        with self._errors(group):
            return list(self._root[group].keys()) if group in self._root else []

    def stamps(self, stream: str) -> NDArray[np.float64]:
        """Return the stamps of a stream, float64 (n,), seconds since 1970.

        Raises:
            BagError: There are none, or they are not a row of numbers.
        """
        name = f'{STAMPS}/{stream}'
        with self._errors(name):
            found = self._root[name]
            # Some writers store columns.
            if len(found.shape) - (found.shape[1:] == (1,)) != 1 or found.dtype.kind not in 'fiu':
                raise self.wrong(name, f'{found.dtype} {found.shape}', 'numbers (N,)')
            return np.asarray(found[()], np.float64).reshape(-1)

    def length(self, name: str, width: int) -> int:
        """Return the number of rows of a dataset of numbers.

        Raises:
            BagError: It is not of shape (N, width).
        """
        with self._errors(name):
            found = self._root[name]
            shape, kind = found.shape, found.dtype.kind
            if len(shape) != 2 or shape[1] != width or kind not in 'fiu':
                raise self.wrong(name, f'{found.dtype} {shape}', f'numbers (N, {width})')
            return int(shape[0])

    def rows(self, name: str, low: int, high: int) -> NDArray[np.float64]:
        """Return some rows of a dataset of numbers, float64 (high - low, width)."""
        with self._errors(name):
            return np.asarray(self._root[name][low:high], np.float64)

    def value(self, name: str) -> Any:  # noqa: ANN401 - whatever is there
        """Return the only value of a dataset.

        Raises:
            BagError: It is missing, or holds several.
        """
        with self._errors(name):
            found = np.asarray(self._root[name][()])
            if found.size != 1:
                raise self.wrong(name, f'shape {found.shape}', 'one value')
            return found.reshape(-1)[0]

    def number(self, name: str) -> float:
        """Return the only value of a dataset of numbers or truth values.

        Raises:
            BagError: It is something else.
        """
        value = self.value(name)
        if not isinstance(value, np.number | np.bool_):
            raise self.wrong(name, repr(value), 'a number')
        with self._errors(name):
            return float(value)

    def blob(self, name: str) -> BinaryIO:
        """Return a dataset of one opaque value as a file, read from disk as it is asked for.

        Raises:
            BagError: It is something else.
        """
        with self._errors(name):
            found = self._root[name]
            if found.shape != () or found.dtype.kind != 'V':
                raise self.wrong(name, f'{found.dtype} {found.shape}', 'one opaque value')
            offset = found.id.get_offset()
            if offset is None:  # small ones lie in the header
                return io.BytesIO(found[()].tobytes())
            return io.BufferedReader(_Window(self.path, offset, found.dtype.itemsize))

    def octets(self, name: str) -> bytes:
        """Return the bytes of a dataset that has one in each element.

        Raises:
            BagError: It is something else.
        """
        with self._errors(name):
            found = self._root[name]
            shape, whole = found.shape, found.dtype.kind in 'iu'
            if len(shape) != 1 or not whole:
                raise self.wrong(name, f'{found.dtype} {shape}', 'whole numbers (N,)')
            parts = []
            for low in range(0, shape[0], _SLICE):
                part = found[low : low + _SLICE]
                if part.min() < 0 or part.max() > 255:
                    raise self.wrong(name, 'a number beyond', 'bytes, 0 to 255')
                parts.append(part.astype(np.uint8).tobytes())
            return b''.join(parts)

    def wrong(self, name: str, found: str, expected: str) -> BagError:
        """Return the error for a dataset that is not as it should be."""
        return BagError(
            f'{self.path}: {name} is {found}, expected {expected}: compare the file with the data '
            'set, or download it again'
        )

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            msg = f'{self.path}: {name} cannot be read: {error}; download the file again'
            raise BagError(msg) from error


@contextmanager
def reassemble_file(path: Path) -> Iterator[ReassembleFile]:
    """Open a file of the data set for reading.

    Raises:
        BagError: It is not an HDF5 file, truncated, or not of REASSEMBLE.
    """
    h5py = library('h5py')
    try:
        # These files are only read, and locks fail on many network drives.
        root = h5py.File(path, 'r', locking=False)
    except _BROKEN as error:
        msg = f'{path} cannot be read as HDF5: {error}; download it again'
        raise BagError(msg) from error
    with root:
        file = ReassembleFile(path, root)
        names = file.names('/')
        if not {STATE, STAMPS, SEGMENTS} & set(names):
            found = ', '.join(sorted(names)[:5]) or 'nothing'
            msg = f'{path} is not from REASSEMBLE: expected {STATE}, {STAMPS}; found {found}'
            raise BagError(msg)
        yield file


class _Window(io.RawIOBase):
    """A range of a file as a file of its own."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        super().__init__()
        self._file = path.open('rb')
        self._offset, self._size = offset, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        room = max(min(len(buffer), self._size - self._at), 0)
        self._file.seek(self._offset + self._at)
        got = self._file.readinto(memoryview(buffer)[:room])
        self._at += got
        return got

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
