# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bytes of one file of a recording in an object store."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, cast

from m2r2_ros.bags.remote.ahead import Ahead
from m2r2_ros.bags.remote.file import RemoteFile
from m2r2_ros.bags.remote.ranges import Ranges, Stored


class RemoteContent:
    """A file in an object store; see bags.content.Content."""

    def __init__(self, file: Stored) -> None:
        self.path = file.path
        self._ranges = Ranges(file)

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open the file, of which the beginning and the end are fetched at once."""
        return cast(BinaryIO, RemoteFile(self._ranges))

    def reader(self, spans: Sequence[tuple[int, int]]) -> Callable[[int], memoryview]:
        """Return what reads the ranges, which are fetched ahead."""
        return Ahead(self._ranges, spans).take
