# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message types that nobody wrote, with messages of them, and the numbers that they hold."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st
from rosbags.typesys.store import Typestore

from m2r2_ros.readers.definitions import store_for

ROOT: Final = 'some_msgs/msg/Root'
RULE: Final = '=' * 80 + '\n'
INTEGERS: Final = [f'{sign}int{bits}' for bits in (8, 16, 32, 64) for sign in ('u', '')]
NUMBERS: Final = ('bool', 'byte', 'char', 'float32', 'float64', *INTEGERS)
TEXTS: Final = st.text(st.characters(exclude_characters='\0', codec='utf-8'), max_size=5)


@dataclass(frozen=True)
class RandomType:
    """A type, by its fields: names of types, with [], or [n], behind those of arrays."""

    root: tuple[str, ...]
    inner: tuple[str, ...]

    @property
    def definition(self) -> str:
        def lines(fields: tuple[str, ...]) -> str:
            return ''.join(f'{kind} f{k}\n' for k, kind in enumerate(fields))

        return f'{lines(self.root)}{RULE}MSG: some_msgs/Inner\n{lines(self.inner)}'

    @property
    def store(self) -> Typestore:
        return store_for(ROOT, self.definition)


SUFFIXES: Final = st.sampled_from(['', '', '[]', '[2]', '[3]'])
PLAIN: Final = st.tuples(st.sampled_from([*NUMBERS, 'string']), SUFFIXES).map(''.join)
FIELDS: Final = st.tuples(
    st.one_of(PLAIN, SUFFIXES.map(lambda suffix: f'some_msgs/Inner{suffix}'))
).map(lambda parts: parts[0])
TYPES: Final = st.builds(
    RandomType,
    st.lists(FIELDS, min_size=1, max_size=6).map(tuple),
    st.lists(PLAIN, min_size=1, max_size=4).map(tuple),
)


def value(data: st.DataObject, kind: str) -> Any:
    """Draw a number or a text."""
    if kind == 'string':
        return data.draw(TEXTS)
    if kind == 'bool':
        return data.draw(st.booleans())
    if kind.startswith('float'):
        return data.draw(st.floats(width=32 if kind == 'float32' else 64, allow_nan=False))
    if kind == 'byte':  # signed or not: rosbags and ROS 2 differ
        return data.draw(st.integers(0, 127))
    bits = int(kind.strip('uint')) if 'int' in kind else 8
    signed = kind.startswith('int')
    low = -(2 ** (bits - 1)) if signed else 0
    return data.draw(st.integers(low, low + 2**bits - 1))


def message(data: st.DataObject, kind: RandomType, name: str = ROOT) -> Any:
    """Draw a message."""
    fields = kind.root if name == ROOT else kind.inner
    return kind.store.types[name](*(field(data, kind, text) for text in fields))


def field(data: st.DataObject, kind: RandomType, text: str) -> Any:
    base, bracket, count = text.partition('[')
    n = int(count.rstrip(']')) if count.rstrip(']') else data.draw(st.integers(0, 3))
    if base == 'some_msgs/Inner':
        made = [message(data, kind, 'some_msgs/msg/Inner') for _ in range(n if bracket else 1)]
        return made if bracket else made[0]
    if not bracket:
        return value(data, base)
    values = [value(data, base) for _ in range(n)]
    kinds = {'bool': np.bool_, 'byte': np.int8, 'char': np.uint8}
    return values if base == 'string' else np.array(values, kinds.get(base, base))


def paths(kind: RandomType, prefix: str = '', name: str = ROOT) -> list[str]:
    """Return a path to every field with numbers, in arrays of messages to those of the first."""
    found = []
    for k, text in enumerate(kind.root if name == ROOT else kind.inner):
        base, bracket, _ = text.partition('[')
        if base == 'some_msgs/Inner':
            index = '[0]' if bracket else ''
            found += paths(kind, f'{prefix}f{k}{index}.', 'some_msgs/msg/Inner')
        elif base != 'string':
            found.append(f'{prefix}f{k}')
    return found


def numbers_at(made: Any, path: str) -> list[float] | None:
    """Return the numbers of a message object at a path; None where it is too short for that."""
    for part in path.split('.'):
        name, _, index = part.partition('[')
        made = getattr(made, name)
        if index:
            if not len(made):
                return None
            made = made[int(index.rstrip(']'))]
    return [float(v) for v in np.atleast_1d(np.asarray(made))]
