# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a page gets: JSON, and one block of bytes with the arrays and images that it refers to."""

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: In the container: dtype or media type, first byte in the block, number of items or of bytes.
Reference = tuple[str, int, int]

_NAMES: Final = {'<f4': 'f4', '<f8': 'f8', '<u2': 'u2', '<u4': 'u4', '|u1': 'u1'}
#: Arrays begin at multiples of so many bytes, as typed arrays in a browser have to.
_ALIGNED: Final = 8


class Container:
    """Collects the arrays and files that JSON refers to."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def array(self, values: NDArray[Any]) -> Reference:
        """Add numbers of a type that browsers have; return what refers to them."""
        values = np.ascontiguousarray(values)
        little = values.astype(values.dtype.newbyteorder('<'), copy=False)
        return (_NAMES[little.dtype.str], self._add(little.tobytes()), values.size)

    def file(self, media_type: str, content: bytes) -> Reference:
        """Add an image; return what refers to it."""
        return (media_type, self._add(content), len(content))

    def pack(self, page: dict[str, Any]) -> bytes:
        """Return everything: length of the JSON (uint32, little endian), JSON, block."""
        text = json.dumps(page, allow_nan=False, separators=(',', ':')).encode()
        return b''.join([len(text).to_bytes(4, 'little'), text, *self._parts])

    def _add(self, content: bytes) -> int:
        start = self._size
        padding = -len(content) % _ALIGNED
        self._parts += [content, bytes(padding)]
        self._size += len(content) + padding
        return start
