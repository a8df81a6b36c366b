# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A file in an object store as a binary file, for what is read here and there: an index."""

import io
from collections import OrderedDict
from typing import Final

from m2r2_ros.bags.remote.ranges import Ranges

#: Fetched at once when a file is opened: its end, where the index of a recording lies.
_TAIL: Final = 1 << 20
#: Fetched at the same time: its beginning.
_HEAD: Final = 1 << 16
#: Fetched where something is missing, and up to so much as more is read behind it.
_BLOCK: Final = 1 << 17
_MOST: Final = 1 << 22
#: Bytes that are kept besides.
_KEPT: Final = 1 << 24


class RemoteFile(io.RawIOBase):
    """A file of which what was fetched last is kept; a read returns all that was asked for."""

    def __init__(self, ranges: Ranges) -> None:
        """Fetch the beginning and the end.

        Raises:
            BagError: They cannot be read.
        """
        super().__init__()
        self._ranges = ranges
        self._at = 0
        self._pieces: OrderedDict[int, bytes] = OrderedDict()
        self._grown, self._ended = _BLOCK, -1
        size = ranges.size
        head = ranges.begin(0, _HEAD) if size > _TAIL else None
        low = max(0, size - _TAIL)
        self._fixed = [(low, ranges.fetch(low, size))]
        if head is not None:
            self._fixed.append((0, head.result()))

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Say where the next read begins, as files do."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ranges.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only at the end.

        Raises:
            BagError: They cannot be read.
        """
        end = self._ranges.size if size is None or size < 0 else self._at + size
        found = []
        while self._at < min(end, self._ranges.size):
            start, piece = self._piece(self._at, end)
            part = piece[self._at - start : end - start]
            found.append(part)
            self._at += len(part)
        return b''.join(found)

    def readinto(self, buffer: object) -> int:
        """Fill a buffer, as files do."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _piece(self, at: int, end: int) -> tuple[int, bytes]:
        """Return bytes that hold the one at `at`, and where they begin."""
        kept = [*self._fixed, *reversed(self._pieces.items())]
        for start, piece in kept:
            if start <= at < start + len(piece):
                return start, piece
        # Whoever goes on from piece to piece gets ever larger ones.
        self._grown = min(2 * self._grown, _MOST) if at == self._ended else _BLOCK
        stop = max(end, at + self._grown)
        stop = min([stop, *(start for start, _ in self._fixed if start > at)])
        data = self._ranges.fetch(at, stop)
        self._ended = at + len(data)
        self._pieces[at] = data
        while len(self._pieces) > 1 and sum(map(len, self._pieces.values())) > _KEPT:
            self._pieces.popitem(last=False)
        return at, data
