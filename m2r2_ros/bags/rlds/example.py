# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The values of a tf.train.Example, found where they lie in the file.

The three messages are simple, and a library for them would hold an episode twice in memory: images
stay in the file until they are asked for.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.rlds.records import RecordPlace
from m2r2_ros.core.errors import BagError

BYTES, FLOATS, INTS = 'texts or images', 'numbers', 'whole numbers'
#: Features of an example, characters of a name, bytes of the numbers of a feature.
_MOST_FEATURES: Final = 4096
_MOST_NAME: Final = 1024
MOST_NUMBERS: Final = 1 << 28
#: Values of a feature that are not packed together.
_MOST_VALUES: Final = 1 << 23
_VARINT, _LENGTH, _WORD = 0, 2, 5
_KINDS: Final = {1: BYTES, 2: FLOATS, 3: INTS}


@dataclass(slots=True)
class ExampleValues:
    """The values of a feature.

    Attributes:
        kind: BYTES, FLOATS, INTS, or '' for none.
        places: Where each value lies, or each run of packed numbers: first byte and length.
    """

    kind: str = ''
    places: list[tuple[int, int]] = field(default_factory=list)


class Example:
    """An example in a file.

    Attributes:
        values: By name.
    """

    def __init__(self, path: Path, file: BinaryIO, place: RecordPlace) -> None:
        """Find the values.

        Args:
            path: The file, for errors.
            file: The file, open for this call alone.
            place: Where the record lies.

        Raises:
            BagError: It is no example.
        """
        self.path = path
        self.values: dict[str, ExampleValues] = {}
        walk = _ExampleWalk(path, file)
        for tag, low, high in walk.fields(place.at, place.at + place.size):
            if tag != 1 << 3 | _LENGTH:
                continue
            for inner, begin, end in walk.fields(low, high):
                if inner == 1 << 3 | _LENGTH:
                    self._take(walk, begin, end)

    def numbers(self, file: BinaryIO, name: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """Return all numbers of a feature, float64 or int64 (n,).

        Raises:
            BagError: It holds none, or too many.
        """
        found = self.values.get(name, ExampleValues())
        size = sum(length for _, length in found.places)
        if found.kind not in (FLOATS, INTS) or size > MOST_NUMBERS:
            msg = f'{self.path}: {name}: expected numbers, found {size} bytes of {found.kind}'
            raise BagError(msg)
        data = b''.join(_read(file, *place) for place in found.places)
        if found.kind == FLOATS:
            if len(data) % 4:
                msg = f'{self.path}: {name}: {len(data)} bytes are no numbers'
                raise BagError(msg)
            with np.errstate(invalid='ignore'):  # NaN of any kind, which is dropped later
                return np.frombuffer(data, '<f4').astype(np.float64)
        return _whole_numbers(np.frombuffer(data, np.uint8), f'{self.path}: {name}')

    def data(self, file: BinaryIO, name: str, k: int, most: int) -> bytes:
        """Return a text or an image of a feature.

        Raises:
            BagError: It is missing, or longer than `most`.
        """
        found = self.values.get(name, ExampleValues())
        if found.kind != BYTES or k >= len(found.places) or found.places[k][1] > most:
            msg = f'{self.path}: {name}: value {k} is missing, or has more than {most} bytes'
            raise BagError(msg)
        return _read(file, *found.places[k])

    def _take(self, walk: '_ExampleWalk', low: int, high: int) -> None:
        """Find a feature, an entry of a map of names."""
        name, value = '', (high, high)
        for tag, begin, end in walk.fields(low, high):
            if tag == 1 << 3 | _LENGTH:
                if end - begin > _MOST_NAME:
                    walk.refuse(f'a name of {end - begin} bytes')
                name = walk.text(begin, end)
            elif tag == 2 << 3 | _LENGTH:
                value = begin, end
        if len(self.values) >= _MOST_FEATURES:
            walk.refuse(f'more than {_MOST_FEATURES} features')
        self.values[name] = _values(walk, *value)


class _ExampleWalk:
    """Goes over the fields of messages in a file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file

    def fields(self, low: int, high: int) -> '_Fields':
        """Return the tag of each field of a message, and where its content begins and ends."""
        return _Fields(self, low, high)

    def varint(self, at: int, high: int) -> tuple[int, int]:
        """Return a number, and where it ends."""
        self._file.seek(at)
        data = self._file.read(min(10, high - at))
        value = 0
        for k, byte in enumerate(data):
            value |= (byte & 0x7F) << 7 * k
            if byte < 0x80:
                return value, at + k + 1
        self.refuse('a number that does not end')

    def text(self, low: int, high: int) -> str:
        """Return a text."""
        try:
            return _read(self._file, low, high - low).decode()
        except UnicodeDecodeError as error:
            self.refuse('a name that is not UTF-8', error)

    def refuse(self, what: str, cause: Exception | None = None) -> NoReturn:
        """Raise the error for something that no example has."""
        msg = f'{self._path}: {what}; expected tf.train.Example in each record'
        raise BagError(msg) from cause


class _Fields:
    """The fields of a message, one by one."""

    def __init__(self, walk: _ExampleWalk, low: int, high: int) -> None:
        self._walk, self._at, self._high = walk, low, high

    def __iter__(self) -> '_Fields':
        return self

    def __next__(self) -> tuple[int, int, int]:
        if self._at >= self._high:
            raise StopIteration
        tag, low = self._walk.varint(self._at, self._high)
        kind = tag & 7
        if kind == _LENGTH:
            length, low = self._walk.varint(low, self._high)
            end = low + length
        elif kind == _VARINT:
            _, end = self._walk.varint(low, self._high)
        elif kind in (1, _WORD):
            end = low + (8 if kind == 1 else 4)
        else:
            self._walk.refuse(f'a field of kind {kind}')
        if end > self._high:
            left = self._high - low
            self._walk.refuse(f'a field of {end - low} bytes where {left} are left')
        self._at = end
        return tag, low, end


def _values(walk: _ExampleWalk, low: int, high: int) -> ExampleValues:
    """Find the values of a feature, which is a list of one of three kinds."""
    found = ExampleValues()
    for tag, begin, end in walk.fields(low, high):
        kind = _KINDS.get(tag >> 3)
        if kind is None or tag & 7 != _LENGTH:
            continue
        found = ExampleValues(kind)
        for inner, first, last in walk.fields(begin, end):
            if inner >> 3 != 1:
                continue
            if kind == BYTES and inner & 7 != _LENGTH:
                walk.refuse('a number among texts')
            found.places.append((first, last - first))
            if len(found.places) > _MOST_VALUES:
                walk.refuse(f'more than {_MOST_VALUES} values')
    return found


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def _whole_numbers(data: NDArray[np.uint8], what: str) -> NDArray[np.int64]:
    """Return packed numbers of seven bits a byte, least first, int64 (n,)."""
    if not len(data):
        return np.empty(0, np.int64)
    last = data < 0x80
    ends = np.flatnonzero(last)
    starts = np.append(0, ends[:-1] + 1)
    if not last[-1] or (ends - starts).max() > 9:
        msg = f'{what}: a whole number does not end'
        raise BagError(msg)
    place = np.arange(len(data)) - np.repeat(starts, ends - starts + 1)
    bits = (data & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.bitwise_or.reduceat(bits, starts).view(np.int64)
