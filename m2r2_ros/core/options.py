# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YAML files, their sections, and options as dataclasses: one way to read and to refuse them.

Every refusal reads `FILE: section.key: expected X, found Y`.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from reprlib import Repr
from typing import Any, ClassVar, Final, NoReturn, Protocol, TypeVar, get_type_hints

from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.core.text import excerpt, listed
from m2r2_ros.core.yaml_text import read_yaml

#: What a value of each kind is called in messages.
_KINDS: Final[dict[Any, str]] = {
    str: 'text', int: 'a whole number', float: 'a number', bool: 'true or false', list: 'a list',
    dict: 'a mapping',
}  # fmt: skip

#: What an entry may be called.
_NAME: Final = re.compile(r'[\w@/. -]{1,40}')
#: Shows what was found, cut where a file holds something large in the wrong place.
_found = Repr()
_found.maxlist = _found.maxtuple = _found.maxdict = 5
_found.maxstring = _found.maxother = _found.maxlong = 60
_found.maxlevel = 2


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar('T')
Options = TypeVar('Options', bound=Dataclass)


def shown(value: object) -> str:
    """Return a value that was found, as errors show it."""
    return excerpt(_found.repr(value))


def is_kind(value: object, kind: Any) -> bool:  # noqa: ANN401
    """Return whether a value is of a kind: a whole number is a number, True and NaN are not."""
    if kind is float:
        return is_kind(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


class Section:
    """A mapping in a file; it knows its place, and which of its keys were asked for."""

    def __init__(
        self,
        content: object,
        place: str = '',
        *,
        file: Path | None = None,
        expected: str = 'a mapping',
        error: type[M2R2Error] = ConfigError,
    ) -> None:
        """Take what YAML made of a section.

        Args:
            content: The mapping.
            place: Its dotted name; '' for the whole file.
            file: Where it was read; None where the caller names it.
            expected: What it ought to be, for messages.
            error: Raised where the content is not as expected.

        Raises:
            error: It is not a mapping.
        """
        self._place, self._file, self._error = place, file, error
        self._known: list[str] = []
        self._content: dict[Any, Any] = dict(content) if isinstance(content, Mapping) else {}
        if not isinstance(content, Mapping):
            self.refuse('', expected, content)

    @classmethod
    def read(cls, path: Path, expected: str, error: type[M2R2Error] = ConfigError) -> 'Section':
        """Read a file that holds a mapping; an empty one holds an empty mapping.

        Raises:
            error: The file cannot be read, or holds something else.
        """
        content = read_yaml(path, expected, error)
        content = {} if content is None else content
        return cls(content, file=path, expected=expected, error=error)

    @property
    def entries(self) -> dict[str, Any]:
        """The mapping as it was read."""
        return self._content

    def has(self, key: str) -> bool:
        """Return whether `key` is here."""
        self._known.append(key)
        return key in self._content

    def get(self, key: str, kinds: Collection[Any], *default: object, expected: str = '') -> Any:  # noqa: ANN401
        """Return the value of `key`, of one of these kinds; without a default it must be there."""
        self._known.append(key)
        value = self._content.get(key, *default)
        if default and value is default[0]:
            return value
        if not any(is_kind(value, kind) for kind in kinds):
            self.refuse(key, expected or ' or '.join(_KINDS[kind] for kind in kinds), value)
        return value

    def text(self, key: str, *default: str, expected: str = '') -> str:
        """Return text."""
        return str(self.get(key, (str,), *default, expected=expected))

    def flag(self, key: str, *default: bool) -> bool:
        """Return true or false."""
        return bool(self.get(key, (bool,), *default))

    def number(self, key: str, *default: float, expected: str = '') -> float:
        """Return a finite number; a whole one stays whole."""
        value: float = self.get(key, (float,), *default, expected=expected)
        return value

    def count(self, key: str, *default: int, expected: str = 'a whole number above 0') -> int:
        """Return a whole number above 0."""
        value = self.get(key, (int,), *default, expected=expected)
        if value <= 0 and not (default and value is default[0]):
            self.refuse(key, expected, value)
        return int(value)

    def choice(self, key: str, choices: Collection[str], *default: str) -> str:
        """Return one of `choices`."""
        expected = f'one of {", ".join(choices)}'
        value = self.text(key, *default, expected=expected)
        if value not in choices:
            self.refuse(key, expected, value)
        return value

    def texts(
        self, key: str, *default: list[str], expected: str = 'a list of different names'
    ) -> tuple[str, ...]:
        """Return a list of names that differ."""
        value = self.get(key, (list,), *default, expected=expected)
        if not all(isinstance(v, str) and v for v in value) or len(set(value)) != len(value):
            self.refuse(key, expected, value)
        return tuple(value)

    def numbers(self, key: str, length: int) -> list[float]:
        """Return a list of so many finite numbers."""
        value = self.get(key, (list,), expected=f'{length} finite numbers')
        if len(value) != length or not all(is_kind(item, float) for item in value):
            self.refuse(key, f'{length} finite numbers', value)
        return [float(item) for item in value]

    def section(self, key: str, *default: dict[str, Any]) -> 'Section':
        """Return a mapping in this one."""
        return self.part(key, self.get(key, (dict,), *default))

    def part(self, name: str, content: object) -> 'Section':
        """Return what is called `name` in this section, with its content."""
        self._known.append(name)
        return Section(content, self._name(name), file=self._file, error=self._error)

    def close(self) -> None:
        """Refuse the keys that were not asked for."""
        expect_known(self._content, self._known, self._where(), self._error)

    def refuse(self, key: str, expected: str, value: object) -> NoReturn:
        """Raise the error of this section: `key` is not as expected, '' for all of it."""
        where = f'{self._where(key)}: ' if self._where(key) else ''
        if key and key not in self._content:
            found = 'but it is missing'
        elif self._name(key):
            found = f'found {shown(value)}'
        else:  # any file may have been given by mistake, and what is in it may be secret
            found = f'found {_KINDS.get(type(value), "nothing")}'
        msg = f'{where}expected {expected}, {found}'
        raise self._error(msg)

    def _name(self, key: str) -> str:
        return '.'.join(part for part in (self._place, key) if part)

    def _where(self, key: str = '') -> str:
        return ': '.join(str(part) for part in (self._file, self._name(key)) if part)


def expect_known(
    entries: Mapping[Any, Any],
    known: Collection[str],
    place: str,
    error: type[M2R2Error] = ConfigError,
) -> None:
    """Refuse keys that are not known.

    Raises:
        error: There are such keys.
    """
    if unknown := sorted(_name(str(key)) for key in entries if key not in known):
        names = ', '.join(dict.fromkeys(known)) or 'none'
        msg = f'{place}: unknown entries {listed(unknown)}; known: {names}'
        raise error(msg)


def _name(key: str) -> str:
    """Return a key as errors show it; lines of a file given by mistake may look like keys too."""
    return key if _NAME.fullmatch(key) else '(no name)'


def between(default: T, low: float, high: float = math.inf) -> T:
    """Return a dataclass field with a number from low to high."""
    text = f'{low:g} or more' if high == math.inf else f'{low:g} to {high:g}'
    check = {'check': lambda value: low <= value <= high, 'expected': text}
    made: T = field(default=default, metadata=check)
    return made


def above(default: T, low: float, high: float = math.inf) -> T:
    """Return a dataclass field with a number above low, and up to high."""
    text = f'more than {low:g}' + ('' if high == math.inf else f' and at most {high:g}')
    check = {'check': lambda value: low < value <= high, 'expected': text}
    made: T = field(default=default, metadata=check)
    return made


def one_of(default: str, choices: Collection[str]) -> str:
    """Return a dataclass field with one of these texts."""
    check = {'check': lambda value: value in choices, 'expected': f'one of {", ".join(choices)}'}
    made: str = field(default=default, metadata=check)
    return made


def check_options(options: Dataclass, place: str, error: type[M2R2Error] = ConfigError) -> None:
    """Check the plain fields of a dataclass against their annotations and ranges.

    Fields of other types (lists, mappings, dataclasses) are left to the caller.

    Args:
        options: The dataclass; its ranges are from `between`, `above` and `one_of`.
        place: Name of the section, for messages.
        error: Raised where a value does not fit.

    Raises:
        error: A value is of another type or out of range.
    """
    kinds = get_type_hints(type(options))
    for f in fields(options):
        kind, value = kinds[f.name], getattr(options, f.name)
        if kind not in _KINDS:
            continue
        check = f.metadata.get('check', lambda value: True)
        if not is_kind(value, kind) or not check(value):
            expected = f.metadata.get('expected', _KINDS[kind])
            whole = 'a whole number, ' if kind is int and expected != _KINDS[int] else ''
            msg = f'{place}.{f.name}: expected {whole}{expected}, found {shown(value)}'
            raise error(msg)


def read_options(
    kind: type[Options], entries: object, place: str, error: type[M2R2Error] = ConfigError
) -> Options:
    """Make a dataclass of a section whose keys are the names of its fields.

    Raises:
        error: The section is not a mapping, or a key is unknown or missing.
    """
    section = Section(entries, place, error=error)
    for f in fields(kind):
        if not section.has(f.name) and f.default is MISSING and f.default_factory is MISSING:
            section.refuse(f.name, 'an entry', None)
    section.close()
    return kind(**section.entries)
