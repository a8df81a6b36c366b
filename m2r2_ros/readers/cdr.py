# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CDR, the serialisation of ROS 2: many messages together, or one after the other.

Plain CDR (XCDR1) in both byte orders. No length in a message causes an allocation: everything is a
view of the bytes that are there.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
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


def byte_orders(block: MessageBlock) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Sort the messages of a block by byte order.

    Yields:
        '<' or '>' and the indices of the messages; those without an encapsulation header that is
        plain CDR are in none.
    """
    long_enough = block.lengths >= ENCAPSULATION
    at = np.where(long_enough, block.offsets, 0)
    if len(block.data) < ENCAPSULATION:
        return
    kinds = gather(block.data, at, 2).view('>u2')
    for mark, order in ORDERS.items():
        which = np.flatnonzero((kinds == int.from_bytes(mark, 'big')) & long_enough)
        if len(which):
            yield order, which


class CdrColumns:
    """A cursor in each of n messages, moved together.

    Attributes:
        valid: bool (n,), False for messages that were too short or held an impossible length.
            What is read of them means nothing.
    """

    def __init__(self, block: MessageBlock, order: str, which: NDArray[np.intp]) -> None:
        self._data = block.data
        self._order = order
        self._starts = block.offsets[which] + ENCAPSULATION
        self._sizes = block.lengths[which] - ENCAPSULATION
        self._at = np.zeros(len(which), np.int64)
        self.valid = np.ones(len(which), np.bool_)

    def read(self, kind: str, count: int) -> NDArray[np.generic]:
        """Read `count` numbers of numpy type `kind` ('f8') from each; shape (n, count)."""
        dtype = np.dtype(self._order + kind)
        self.align(dtype.itemsize)
        size = dtype.itemsize * count
        self.valid &= self._at + size <= self._sizes
        if not self.valid.any():
            return np.zeros((len(self._at), count), kind)
        found = gather(self._data, np.where(self.valid, self._starts + self._at, 0), size)
        self._at += size
        return found.view(dtype).reshape(-1, count).astype(kind, copy=False)

    def stamp(self) -> NDArray[np.int64]:
        """Read a builtin_interfaces/Time; nanoseconds (n,)."""
        words = self.read('u4', 2).astype(np.uint32, copy=False)
        seconds = words[:, 0].astype(np.int32).astype(np.int64)
        return seconds * SECOND + words[:, 1].astype(np.int64)

    def string(self) -> None:
        """Pass over a string."""
        lengths = self.count()
        self._skip(lengths)
        some = self.valid & (lengths > 0)
        if some.any():
            last = self._data[np.where(some, self._starts + self._at - 1, 0)]
            self.valid &= ~some | (last == 0)

    def numbers(self, kind: str) -> NDArray[np.int64]:
        """Pass over a sequence of numbers; returns how many there were (n,)."""
        counts = self.count()
        size = np.dtype(kind).itemsize
        # Where nothing follows, nothing is aligned.
        self._at = np.where(counts > 0, -(-self._at // size) * size, self._at)
        self._skip(counts * size)
        return counts

    def count(self) -> NDArray[np.int64]:
        """Read the length of a string or sequence (n,)."""
        return self.read('u4', 1)[:, 0].astype(np.int64)

    def take(self, size: int, alignment: int) -> NDArray[np.uint8]:
        """Read bytes (n, size)."""
        self.align(alignment)
        return self.read('u1', size).astype(np.uint8, copy=False)

    def align(self, size: int) -> None:
        """Move to the next multiple of `size`."""
        self._at = -(-self._at // size) * size

    def finish(self) -> NDArray[np.bool_]:
        """Return `valid`, False also for messages that go on for longer than their type."""
        self.valid &= (self._sizes - self._at >= 0) & (self._sizes - self._at <= PADDING)
        return self.valid

    def _skip(self, sizes: NDArray[np.int64]) -> None:
        self._at += sizes
        self.valid &= self._at <= self._sizes


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
    """Return `size` bytes from each position, as void scalars (n,)."""
    every = np.ndarray((len(data) - size + 1,), f'V{size}', data, 0, (1,))
    return every[at]
