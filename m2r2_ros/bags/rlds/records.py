# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TFRecord files: where their records lie, and whether they are whole."""

import os
import struct
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.extras import needed
from m2r2_ros.core.reading import check_file, reading

EXPECTED: Final = 'a TFRecord of an RLDS dataset: download it again'
#: Records of a file.
_MOST_RECORDS: Final = 1 << 20
#: Bytes of which the checksum is taken at a time.
_PIECE: Final = 1 << 20
_LENGTH: Final = struct.Struct('<QI')
_SUM: Final = struct.Struct('<I')
_MASK: Final = 0xA282EAD8


class RecordPlace(NamedTuple):
    """Where a record lies in its file.

    Attributes:
        at: Where its data begins.
        size: Bytes.
    """

    at: int
    size: int


class _Checksum(Protocol):
    def extend(self, crc: int, data: bytes) -> int:
        """Return the checksum of more data."""
        ...  # pragma: no cover


@cache
def checksum() -> _Checksum:
    """Return the library of the extra `rlds`.

    Raises:
        ConfigError: It is not installed.
    """
    found: _Checksum = needed('google_crc32c', 'rlds')
    return found


def record_places(path: Path) -> list[RecordPlace]:
    """Return where the records of a file lie; what they hold is not looked at.

    Raises:
        BagError: It is no TFRecord, or cut.
        ConfigError: What checks it is not installed.
    """
    check_file(path, EXPECTED, BagError)
    found: list[RecordPlace] = []
    with path.open('rb') as file, reading(path, EXPECTED, BagError):
        end, at = os.fstat(file.fileno()).st_size, 0
        while at < end:
            file.seek(at)
            header = file.read(_LENGTH.size)
            if len(header) < _LENGTH.size:
                raise _cut(path, len(found))
            size, crc = _LENGTH.unpack(header)
            if masked(checksum().extend(0, header[:8])) != crc:
                msg = f'{path}: record {len(found)}: its length does not fit its checksum'
                raise BagError(msg)
            place = RecordPlace(at + _LENGTH.size, size)
            at = place.at + size + _SUM.size
            if at > end:
                raise _cut(path, len(found))
            found.append(place)
            if len(found) > _MOST_RECORDS:
                msg = f'{path}: has more than {_MOST_RECORDS} records'
                raise BagError(msg)
    return found


def check_record(file: BinaryIO, place: RecordPlace, what: str) -> None:
    """Compare a record with its checksum.

    Raises:
        BagError: It does not fit.
    """
    file.seek(place.at)
    left, crc = place.size, 0
    while left > 0:
        piece = file.read(min(left, _PIECE))
        if not piece:
            break
        crc, left = checksum().extend(crc, piece), left - len(piece)
    told = file.read(_SUM.size)
    if left or len(told) < _SUM.size or masked(crc) != _SUM.unpack(told)[0]:
        msg = f'{what}: its content does not fit its checksum; download it again'
        raise BagError(msg)


def masked(crc: int) -> int:
    """Return a checksum as TFRecords keep it."""
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF


def _cut(path: Path, number: int) -> BagError:
    return BagError(f'{path}: is cut in record {number}; expected {EXPECTED}')
