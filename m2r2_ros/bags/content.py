# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bytes of one file of a recording, wherever it lies."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from m2r2_ros.core.errors import BagError


class Content(Protocol):
    """The bytes of one file.

    Attributes:
        path: The file.
    """

    path: Path

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open the file for reads here and there.

        Raises:
            OSError: (or BagError) It cannot be opened.
        """
        ...  # pragma: no cover

    def reader(self, spans: Sequence[tuple[int, int]]) -> Callable[[int], memoryview]:
        """Return what reads the k-th of some ranges, from byte to byte, in about this order.

        It returns fewer bytes where the file ends, and raises BagError where it cannot be read.
        """
        ...  # pragma: no cover


class LocalContent:
    """A file on a disk; see Content."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open the file; see Content."""
        return self.path.open('rb', buffering=1 << 18)

    def reader(self, spans: Sequence[tuple[int, int]]) -> Callable[[int], memoryview]:
        """Return what reads the ranges; see Content."""

        def read(k: int) -> memoryview:
            start, stop = spans[k]
            try:
                with self.path.open('rb', buffering=0) as file:
                    file.seek(start)
                    return memoryview(file.read(stop - start))
            except OSError as error:
                msg = f'{self.path} cannot be read: {error.strerror}'
                raise BagError(msg) from error

        return read
