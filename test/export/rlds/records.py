# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TFRecord files of tf.train.Example taken apart by hand, every sum compared."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

#: CRC-32C, bit by bit, since the library is what writes it.
_TABLE = [0] * 256
for _k in range(256):
    _crc = _k
    for _ in range(8):
        _crc = _crc >> 1 ^ (0x82F63B78 if _crc & 1 else 0)
    _TABLE[_k] = _crc


def masked_sum(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % (1 << 32)


def records(path: Path) -> list[bytes]:
    """Return the records of a file."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        length, check = struct.unpack_from('<QI', data, at)
        assert check == masked_sum(data[at : at + 8])
        record = data[at + 12 : at + 12 + length]
        assert struct.unpack_from('<I', data, at + 12 + length)[0] == masked_sum(record)
        found.append(record)
        at += 16 + length
    return found


def example(record: bytes) -> dict[str, list[Any]]:
    """Return the features of a tf.train.Example by name."""
    ((_, features),) = _fields(record)
    found: dict[str, list[Any]] = {}
    for _, entry in _fields(features):
        (_, name), (_, feature) = _fields(entry)
        ((kind, values),) = _fields(feature)
        found[name.decode()] = _values(kind, values)
    return found


def _values(kind: int, data: bytes) -> list[Any]:
    if kind == 1:
        return [value for _, value in _fields(data)]
    ((_, packed),) = _fields(data)
    if kind == 2:
        return list(np.frombuffer(packed, '<f4').tolist())
    found, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        found.append(value - (1 << 64) if value >> 63 else value)
    return found


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        length, at = _varint(data, at)
        assert tag & 7 == 2
        yield tag >> 3, data[at : at + length]
        at += length
    assert at == len(data)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
