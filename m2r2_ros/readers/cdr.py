# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CDR, the serialisation of ROS 2.

Plain CDR (XCDR1) in both byte orders. No length in a message causes an allocation: everything is a
view of the bytes that are there.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND

#: Middlewares may pad a message to a multiple of four bytes.
PADDING = 3
#: Bytes in front of a message, of which the first two give its byte order.
ENCAPSULATION = 4
ORDERS = {b'\x00\x00': '>', b'\x00\x01': '<'}
#: Why messages are dropped.
MALFORMED = 'malformed'
UNSUPPORTED = 'unsupported_encoding'
JOINT_MISSING = 'joint_missing'
EMPTY = 'empty'
RATE_CHANGED = 'rate_changed'
LENGTH_CHANGED = 'length_changed'


class Unusable(Exception):  # noqa: N818 - not an error, only counted
    """A message that holds no sample; `reason` is a short name to count it under."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Fields:
    """A cursor in one message.

    Raises:
        Unusable: From every method, where the message is too short or malformed.
    """

    def __init__(self, raw: NDArray[np.uint8]) -> None:
        order = ORDERS.get(raw[:2].tobytes())
        if order is None or len(raw) < ENCAPSULATION:
            raise Unusable(MALFORMED)
        self._order = order
        self._raw = raw[ENCAPSULATION:]
        self._at = 0

    def number(self, code: str) -> int:
        """Read an integer of `struct` type `code`."""
        size = struct.calcsize(code)
        value: int = struct.unpack(self._order + code, self._take(size, size).data)[0]
        return value

    def stamp(self) -> int:
        """Read a builtin_interfaces/Time, nanoseconds."""
        return self.number('i') * SECOND + self.number('I')

    def string(self) -> str:
        """Read a string."""
        text = self._take(self.number('I'), 1).tobytes()
        if text and text[-1]:
            raise Unusable(MALFORMED)
        return text[:-1].decode(errors='replace')

    def numbers(self, kind: str) -> NDArray[np.generic]:
        """Return a sequence of numbers of numpy type `kind`, a view."""
        count = self.number('I')
        if not count:
            return np.empty(0, kind)
        dtype = np.dtype(self._order + kind)
        return self._take(count * dtype.itemsize, dtype.itemsize).view(dtype)

    def items(self, smallest: int) -> range:
        """Read the length of a sequence whose items take at least `smallest` bytes each."""
        count = self.number('I')
        if count * smallest > len(self._raw) - self._at:
            raise Unusable(MALFORMED)
        return range(count)

    def tell(self, alignment: int) -> int:
        """Return the next multiple of `alignment`."""
        return -(-self._at // alignment) * alignment

    def finish(self) -> None:
        """Refuse a message that goes on for longer than its type."""
        if len(self._raw) - self._at > PADDING:
            raise Unusable(MALFORMED)

    def _take(self, size: int, alignment: int) -> NDArray[np.uint8]:
        start = self.tell(alignment)
        if start + size > len(self._raw):
            raise Unusable(MALFORMED)
        self._at = start + size
        return self._raw[start : self._at]


def gather(data: NDArray[np.uint8], at: NDArray[np.int64], size: int) -> NDArray[np.void]:
    """Return `size` bytes from each position, as void scalars of the shape of `at`."""
    every = np.ndarray((len(data) - size + 1,), f'V{size}', data, 0, (1,))
    return every[at]
