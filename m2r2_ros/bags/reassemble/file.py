# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""REASSEMBLE's HDF5 files: numbers in slices and blobs as files, with errors that say where."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.reassemble.layout import SEGMENTS, STAMPS, STATE
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.extras import needed
from m2r2_ros.core.reading import check_file, reading
from m2r2_ros.core.text import listed

_WAY_OUT: Final = 'what the data set describes: download the file again'
#: Bytes of a dataset of numbers, of a chunk of it and of an element; blobs of a byte in an element
#: have as many elements. HDF5 sets aside what is declared, whatever the file holds.
_MOST: Final = 1 << 28
_MOST_CHUNK: Final = 1 << 26
_MOST_ELEMENT: Final = 1 << 16
#: Elements read at a time of what is kept as bytes, one in an element of eight.
_SLICE: Final = 1 << 18


def library(name: str) -> Any:  # noqa: ANN401 - a module
    """Return a library of the extra `reassemble`.

    Raises:
        BagError: It is not installed.
    """
    return needed(name, 'reassemble', 'REASSEMBLE files', BagError)


class ReassembleFile:
    """A file of the data set, open."""

    def __init__(self, path: Path, root: Any) -> None:  # noqa: ANN401 - an h5py.File
        self.path = path
        self._root = root

    def __contains__(self, name: str) -> bool:
        with self._errors(name):
            try:
                self._object(name)
            except KeyError:
                return False
            return True

    def names(self, group: str) -> list[str]:
        """Return the names in a group, [] without such a group."""
        with self._errors(group):
            return list(self._object(group).keys()) if group in self else []

    def stamps(self, stream: str) -> NDArray[np.float64]:
        """Return the stamps of a stream, float64 (n,), seconds since 1970.

        Raises:
            BagError: There are none, or they are not a row of numbers.
        """
        name = f'{STAMPS}/{stream}'
        with self._errors(name):
            found = self._numbers(name)
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
            found = self._numbers(name)
            shape, kind = found.shape, found.dtype.kind
            if len(shape) != 2 or shape[1] != width or kind not in 'fiu':
                raise self.wrong(name, f'{found.dtype} {shape}', f'numbers (N, {width})')
            return int(shape[0])

    def rows(self, name: str, low: int, high: int) -> NDArray[np.float64]:
        """Return some rows of a dataset of numbers, float64 (high - low, width)."""
        with self._errors(name):
            return np.asarray(self._numbers(name)[low:high], np.float64)

    def value(self, name: str) -> Any:  # noqa: ANN401 - whatever is there
        """Return the only value of a dataset.

        Raises:
            BagError: It is missing, or holds several.
        """
        with self._errors(name):
            found = self._numbers(name)
            if found.size != 1:
                raise self.wrong(name, f'shape {found.shape}', 'one value')
            return np.asarray(found[()]).reshape(-1)[0]

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
            found = self._dataset(name)
            if found.shape != () or found.dtype.kind != 'V':
                raise self.wrong(name, f'{found.dtype} {found.shape}', 'one opaque value')
            offset = found.id.get_offset()
            if offset is None:  # small ones lie in the header
                if found.dtype.itemsize > _MOST_ELEMENT:
                    raise self.wrong(name, 'empty', 'one opaque value')
                return io.BytesIO(found[()].tobytes())
            return io.BufferedReader(_Window(self.path, offset, found.dtype.itemsize))

    def octets(self, name: str) -> bytes:
        """Return the bytes of a dataset that has one in each element.

        Raises:
            BagError: It is something else.
        """
        with self._errors(name):
            found = self._dataset(name)
            shape, whole = found.shape, found.dtype.kind in 'iu'
            if len(shape) != 1 or not whole:
                raise self.wrong(name, f'{found.dtype} {shape}', 'whole numbers (N,)')
            if shape[0] > _MOST:
                raise self.wrong(name, f'of {shape[0]} bytes', f'at most {_MOST}')
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

    def _errors(self, name: str) -> AbstractContextManager[None]:
        return reading(f'{self.path}: {name}', _WAY_OUT, BagError)

    def _object(self, name: str) -> Any:  # noqa: ANN401 - a group or a dataset
        """Return what is called so; links, which may lead to any file or in circles, are refused.

        Raises:
            KeyError: There is nothing.
        """
        found, hard = self._root, library('h5py').h5l.TYPE_HARD
        for part in filter(None, name.split('/')):
            links, key = found.id.links, part.encode()
            if not links.exists(key):
                raise KeyError(name)
            if links.get_info(key).type != hard:
                raise self.wrong(name, 'a link', 'no link')
            found = found[part]
        return found

    def _dataset(self, name: str) -> Any:  # noqa: ANN401 - an h5py.Dataset
        """Return a dataset that lies in this file."""
        found = self._object(name)
        if found.external or found.is_virtual:
            raise self.wrong(name, 'in another file', 'in this one')
        if prod(found.chunks or ()) * found.dtype.itemsize > _MOST_CHUNK + found.dtype.itemsize:
            raise self.wrong(name, f'in chunks of {found.chunks}', 'smaller ones')
        return found

    def _numbers(self, name: str) -> Any:  # noqa: ANN401 - an h5py.Dataset
        """Return a dataset of numbers, or of a text, that may be read as a whole."""
        found = self._dataset(name)
        if found.dtype.itemsize > _MOST_ELEMENT or found.size * found.dtype.itemsize > _MOST:
            raise self.wrong(name, f'{found.dtype} {found.shape}', f'at most {_MOST} bytes')
        return found


@contextmanager
def reassemble_file(path: Path) -> Iterator[ReassembleFile]:
    """Open a file of the data set for reading.

    Raises:
        BagError: It is not an HDF5 file, truncated, or not of REASSEMBLE.
    """
    h5py = library('h5py')
    check_file(path, 'HDF5', BagError)
    with reading(path, 'HDF5 of the data set: download it again', BagError):
        # These files are only read, and locks fail on many network drives.
        root = h5py.File(path, 'r', locking=False)
    with root:
        file = ReassembleFile(path, root)
        names = file.names('/')
        if not {STATE, STAMPS, SEGMENTS} & set(names):
            found = listed(sorted(names)) or 'nothing'
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
