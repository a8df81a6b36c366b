# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the columns of a table of labels are, by the names in its first line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND

#: Nanoseconds in a unit, by what ends the name of a column.
_UNITS: Final = {
    's': SECOND, 'sec': SECOND, 'seconds': SECOND, 'ms': 10**6, 'us': 10**3, 'µs': 10**3,
    'μs': 10**3, 'ns': 1, 'frame': 0, 'frames': 0,
}  # fmt: skip
_NAMES: Final = {
    'start': 'start', 'begin': 'start', 'end': 'end', 'stop': 'end',
    'time': 'time', 'timestamp': 'time', 'stamp': 'time', 't': 'time', 'frame': 'time',
    'label': 'label', 'action': 'label', 'phase': 'label',
    'confidence': 'confidence', 'reason': 'reason',
}  # fmt: skip
#: Names of columns that are numbers of frames without another word.
_FRAMES: Final = ('frame',)
_MOST_COLUMNS: Final = 1000
_EXPECTED: Final = (
    'expected a label and either start and end, time, or frame; the unit may follow, as in '
    'start_s, end_ms, time_ns or start_frame'
)


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column with times.

    Attributes:
        index: Its place.
        name: As the file has it.
        unit: Nanoseconds in a unit; 0 where it numbers frames, None where its numbers have to say.
    """

    index: int
    name: str
    unit: int | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the cells of a row are.

    Attributes:
        times: The columns of start and end, or that of the time of a sample; none where each row is
            a frame.
        seconds: Those of start and end in seconds where `times` are those in nanoseconds.
        label: Index of the label.
        confidence: Index of the confidence, None without.
        reason: Index of the reason, None without.
    """

    times: tuple[TimeColumn, ...]
    seconds: tuple[TimeColumn, ...]
    label: int
    confidence: int | None
    reason: int | None


def find_columns(path: object, names: Sequence[str]) -> Columns:
    """Tell the columns of a table by their names.

    Raises:
        LabelError: A column is missing, or there twice.
    """
    if len(names) > _MOST_COLUMNS:
        msg = f'{path}: has {len(names)} columns, at most {_MOST_COLUMNS} are read'
        raise LabelError(msg)
    found: dict[str, list[TimeColumn]] = {}
    for index, name in enumerate(names):
        role, unit = _meaning(name)
        if role:
            found.setdefault(role, []).append(TimeColumn(index, name.strip(), unit))
    label, confidence, reason = (_only(path, found, r) for r in ('label', 'confidence', 'reason'))
    if label is None:
        msg = f'{path} has the columns {listed(names) or "(none)"}: {_EXPECTED}'
        raise LabelError(msg)
    times, seconds = _times(path, found, names)
    return Columns(times, seconds, label, confidence, reason)


def _meaning(name: str) -> tuple[str, int | None]:
    """Return what a column is, '' for nothing known, and its unit."""
    words = [w for w in re.split(r'[^a-z0-9µμ]+', name.lower()) if w]
    if not words or words[0] not in _NAMES:
        return '', None
    role, rest = _NAMES[words[0]], [w for w in words[1:] if w != 'time']
    if role not in ('start', 'end', 'time'):
        return (role, None) if not rest else ('', None)
    if words[0] in _FRAMES:
        return (role, 0) if rest in ([], ['index'], ['number']) else ('', None)
    if not rest:
        return role, None
    return (role, _UNITS[rest[0]]) if len(rest) == 1 and rest[0] in _UNITS else ('', None)


def _only(path: object, found: dict[str, list[TimeColumn]], role: str) -> int | None:
    """Return the place of a column that may be there once."""
    columns = found.get(role, [])
    exact = [c for c in columns if c.name.lower() == role] or columns
    if len(exact) > 1:
        named = ', '.join(c.name for c in exact)
        msg = f'{path}: expected one column for the {role} in its first line, found {named}'
        raise LabelError(msg)
    return exact[0].index if exact else None


def _times(
    path: object, found: dict[str, list[TimeColumn]], names: Sequence[str]
) -> tuple[tuple[TimeColumn, ...], tuple[TimeColumn, ...]]:
    """Return the columns of times, and those that have the same in seconds."""
    starts, ends = found.get('start', []), found.get('end', [])
    if not starts and not ends:
        return _sample_times(path, found.get('time', [])), ()
    pairs = [(a, next((b for b in ends if b.unit == a.unit), None)) for a in starts]
    whole = [(a, b) for a, b in pairs if b is not None]
    units = [a.unit for a, _ in whole]
    if len(whole) == len(starts) == len(ends) == 1:
        return whole[0], ()
    if len(whole) == len(starts) == len(ends) == 2 and set(units) == {1, SECOND}:
        return whole[units.index(1)], whole[units.index(SECOND)]
    msg = f'{path} has the columns {listed(names, 12)}: expected one start and one end, of one unit'
    raise LabelError(msg)


def _sample_times(path: object, columns: Sequence[TimeColumn]) -> tuple[TimeColumn, ...]:
    """Return the column of the time of a sample, which goes before a number of frames."""
    times = [c for c in columns if c.unit != 0] or list(columns)
    if len(times) > 1:
        msg = (
            f'{path}: expected one column of times, found {", ".join(c.name for c in times)}: '
            'delete the others'
        )
        raise LabelError(msg)
    return tuple(times)
