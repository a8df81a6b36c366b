# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one reader of YAML: what a robot's files need of it, in memory that the file's size bounds.

It takes mappings, lists, text, numbers, true and false, and nothing. Aliases and merge keys, by
which a few bytes stand for gigabytes, tags, and keys that are no text or are there twice are
refused. Dates, and numbers with colons, underscores or another base, are text, as they are in
YAML 1.2: whoever wants a number there says what was found.
"""

import re
from pathlib import Path
from sys import intern
from typing import Any, Final

import yaml

from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.core.reading import read_text

#: Bytes of a file.
MOST_BYTES: Final = 16 << 20
#: Values in a file, and how deep they lie in each other.
MOST_VALUES: Final = 1_000_000
_DEEPEST: Final = 50
#: Digits of a whole number: 64 bits have 20.
_DIGITS: Final = 20

#: libyaml is ten times as fast.
_LOADER: Final = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
_WHOLE: Final = re.compile(r'[-+]?(?:0|[1-9][0-9]*)')
_FLOAT: Final = re.compile(
    r'[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)'
)
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(('', '~', 'null', 'Null', 'NULL')),
    **{
        form: value
        for words, value in ((('true', 'yes', 'on'), True), (('false', 'no', 'off'), False))
        for word in words
        for form in (word, word.capitalize(), word.upper())
    },
}
#: What begins a number or a word of these.
_SPECIAL: Final = frozenset('+-.0123456789~ntyofNTYOF')
_TEXT: Final = 'tag:yaml.org,2002:str'


def read_yaml(path: Path, expected: str, error: type[M2R2Error] = ConfigError) -> Any:  # noqa: ANN401
    """Return the content of a YAML file.

    Args:
        path: The file.
        expected: What it ought to be, for messages.
        error: Raised where it is not.

    Raises:
        error: The file is missing, too large, not UTF-8, or not YAML as it is read here.
    """
    text = read_text(path, expected, error, most=MOST_BYTES)
    return parse_yaml(text, str(path), expected, error)


def parse_yaml(text: str, place: str, expected: str, error: type[M2R2Error] = ConfigError) -> Any:  # noqa: ANN401
    """Return what a YAML text holds; None where it holds nothing.

    Args:
        text: The text.
        place: Where it was found, for messages.
        expected: What it ought to be, for messages.
        error: Raised where it is not.

    Raises:
        error: It is not YAML as it is read here; the message has the line, not what is in it.
    """
    try:
        return _Document(text).value()
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        msg = f'{place}: cannot be read as YAML: {_why(problem)}; expected {expected}'
        raise error(msg) from problem


def _why(problem: Exception) -> str:
    if isinstance(problem, yaml.MarkedYAMLError):
        mark = problem.problem_mark or problem.context_mark
        where = f'line {mark.line + 1}, column {mark.column + 1}: ' if mark else ''
        return where + (problem.problem or problem.context or 'not YAML')
    if isinstance(problem, yaml.reader.ReaderError):
        return f'character {problem.position} is one that YAML does not allow'
    return 'nested too deep' if isinstance(problem, RecursionError) else 'not UTF-8'


class _Document:
    """Makes values of libyaml's events one by one, so that nothing is built before it is checked.

    Raises:
        yaml.YAMLError: From `value`.
    """

    def __init__(self, text: str) -> None:
        loader = _LOADER(text)
        self._next = loader.get_event
        self._left = MOST_VALUES

    def value(self) -> Any:  # noqa: ANN401
        self._next()  # the stream
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._value(self._next(), 0)
        self._next()  # the end of the document
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise _refused(event, 'a second document')
        return value

    def _value(self, event: Any, depth: int) -> Any:  # noqa: ANN401
        self._left -= 1
        if self._left < 0:
            raise _refused(event, f'more than {MOST_VALUES} values')
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, 'an alias (*), which is not taken: write out what it stands for')
        if event.tag is not None and event.tag not in ('!', _TEXT):
            raise _refused(event, 'a tag, which is not taken')
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if depth == _DEEPEST:
            raise _refused(event, f'values nested more than {_DEEPEST} deep')
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := self._next(), yaml.SequenceEndEvent):
                items.append(self._value(event, depth + 1))
            return items
        return self._mapping(depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._value(event, depth)
            if not isinstance(key, str):
                raise _refused(event, 'a key that is no text: put it in quotes')
            if key == '<<' and event.implicit[0]:
                raise _refused(event, 'a merge key (<<), which is not taken')
            if key in found:
                raise _refused(event, 'a key for the second time')
            found[intern(key)] = self._value(self._next(), depth)
        return found

    def _scalar(self, event: Any) -> str | float | bool | None:  # noqa: ANN401
        text: str = event.value
        quoted = not event.implicit[0] or event.tag is not None
        if quoted or (text and text[0] not in _SPECIAL):
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _WHOLE.fullmatch(text):
            if len(text) > _DIGITS:
                raise _refused(event, f'a number of {len(text)} digits')
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text.lower().replace('.inf', 'inf').replace('.nan', 'nan'))
        return text


def _refused(event: Any, what: str) -> yaml.MarkedYAMLError:  # noqa: ANN401
    return yaml.MarkedYAMLError(problem=f'found {what}', problem_mark=event.start_mark)
