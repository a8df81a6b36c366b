# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TFRecord files, each of about the same size."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Final

import google_crc32c

from m2r2_ros.core.files import disk_errors

#: A file that has so many bytes takes no further record.
MOST_BYTES: Final = 256 << 20


@dataclass(slots=True)
class _Shard:
    """One file.

    Attributes:
        path: Where it is meanwhile.
        records: How many it has.
        size: Bytes.
    """

    path: Path
    records: int = 0
    size: int = 0


class Shards:
    """Records in several files; those since the last mark can be taken back."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Begin without files.

        Args:
            folder: Where they go.
            most_bytes: A file that has so many takes no further record.
        """
        self._folder, self._most = folder, most_bytes
        self._shards: list[_Shard] = []
        self._marked: tuple[int, int, int] = (0, 0, 0)
        self._file: BufferedWriter | None = None

    def append(self, length: int, parts: Iterator[bytes]) -> None:
        """Write a record.

        Args:
            length: Its bytes.
            parts: The record, part by part.

        Raises:
            OutputError: The disk refuses.
        """
        with disk_errors(self._folder):
            if self._file is None or self._shards[-1].size >= self._most:
                self._next()
            assert self._file is not None
            head = struct.pack('<Q', length)
            self._file.write(head + struct.pack('<I', _masked(google_crc32c.value(head))))
            found = 0
            for part in parts:
                found = google_crc32c.extend(found, part)
                self._file.write(part)
            self._file.write(struct.pack('<I', _masked(found)))
            shard = self._shards[-1]
            shard.records += 1
            shard.size = self._file.tell()

    def mark(self) -> None:
        """Keep what has been written."""
        last = self._shards[-1] if self._shards else _Shard(self._folder)
        self._marked = len(self._shards), last.records, last.size

    def take_back(self) -> None:
        """Remove what has been written since the last mark.

        Raises:
            OutputError: The disk refuses.
        """
        count, records, size = self._marked
        with disk_errors(self._folder):
            self.close()
            for shard in self._shards[count:]:
                shard.path.unlink()
            del self._shards[count:]
            if self._shards:
                last = self._shards[-1]
                last.records, last.size = records, size
                os.truncate(last.path, size)
                self._file = last.path.open('ab')

    def finish(self, stem: str) -> tuple[list[int], int]:
        """Give the files their names, NAME-00000-of-00003 and so on.

        Args:
            stem: What they begin with.

        Returns:
            Records of each file, and bytes of all.

        Raises:
            OutputError: The disk refuses.
        """
        with disk_errors(self._folder):
            self.close()
            for k, shard in enumerate(self._shards):
                shard.path.rename(self._folder / f'{stem}-{k:05d}-of-{len(self._shards):05d}')
        return [shard.records for shard in self._shards], sum(s.size for s in self._shards)

    def close(self) -> None:
        """Let go of the last file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next(self) -> None:
        self.close()
        shard = _Shard(self._folder / f'shard-{len(self._shards):05d}')
        self._file = shard.path.open('wb')
        self._shards.append(shard)


def _masked(crc: int) -> int:
    """Return a sum as TFRecord stores it, since records may hold sums themselves."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
