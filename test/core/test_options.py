# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How YAML files and their sections are read, and what is said where they are wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.core.options import (
    Section,
    above,
    between,
    check_options,
    is_kind,
    one_of,
    read_options,
)


@dataclass(frozen=True)
class Cooking:
    """Options of a kind."""

    dish: str
    minutes: int = between(10, 1, 600)
    heat: float = above(0.5, 0, 1)
    spices: float = between(0.0, 0)
    oven: bool = False
    shape: str = one_of('round', ('round', 'square'))
    guests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_options(self, 'cooking')


@pytest.mark.parametrize(
    ('content', 'told'),
    [
        (b'a: [1', 'cannot be read as YAML: line 2, column 1'),
        (b'- one', 'expected a recipe, found a list'),
        (b'3', 'expected a recipe, found a whole number'),
        (b'secret', 'expected a recipe, found text'),
    ],
)
def test_files_of_something_else_are_named_but_not_shown(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / 'cake.yaml'
    path.write_bytes(content)
    with pytest.raises(BagError) as raised:
        Section.read(path, 'a recipe', BagError)
    assert str(raised.value).startswith(f'{path}: {told}')
    assert 'secret' not in str(raised.value)


def test_an_empty_file_is_an_empty_section(tmp_path: Path) -> None:
    (tmp_path / 'cake.yaml').touch()
    assert Section.read(tmp_path / 'cake.yaml', 'a recipe').entries == {}


@pytest.mark.parametrize(
    ('value', 'kinds'),
    [
        (True, [bool]),
        (1, [int, float]),
        (1.5, [float]),
        (10**400, [int, float]),
        (float('nan'), []),
        (float('inf'), []),
        ('1', [str]),
        (None, []),
        ([1], [list]),
        ({}, [dict]),
    ],
)
def test_true_is_no_number_and_a_whole_number_is_one(value: object, kinds: list[type]) -> None:
    assert [k for k in (bool, int, float, str, list, dict) if is_kind(value, k)] == kinds


def test_a_section_gives_what_it_holds() -> None:
    section = Section(
        {'a': {'text': 'x', 'on': True, 'n': 3, 'half': 0.5, 'names': ['p', 'q'], 'two': [1, 2.5]}}
    ).section('a')
    assert section.text('text') == 'x'
    assert section.flag('on') is True
    assert section.count('n') == 3
    assert section.number('half') == 0.5
    assert section.texts('names') == ('p', 'q')
    assert section.numbers('two', 2) == [1.0, 2.5]
    assert section.choice('text', ('x', 'y')) == 'x'
    section.close()


def test_defaults_stand_in_for_what_is_missing() -> None:
    section = Section({})
    assert section.text('a', 'b') == 'b'
    assert section.count('n', 0) == 0
    assert section.texts('names', []) == ()
    assert section.section('more', {}).entries == {}
    assert section.get('null', (dict,), None) is None


@pytest.mark.parametrize(
    ('entries', 'ask', 'told'),
    [
        ({}, lambda s: s.text('k'), 'f.yaml: place.k: expected text, but it is missing'),
        ({'k': None}, lambda s: s.text('k', ''), 'place.k: expected text, found None'),
        ({'k': 3}, lambda s: s.text('k', expected='a name'), 'place.k: expected a name, found 3'),
        ({'k': True}, lambda s: s.number('k'), 'place.k: expected a number, found True'),
        ({'k': 0}, lambda s: s.count('k', 1), 'place.k: expected a whole number above 0, found 0'),
        ({'k': 1}, lambda s: s.flag('k'), 'place.k: expected true or false, found 1'),
        ({'k': 'z'}, lambda s: s.choice('k', ('x',)), "place.k: expected one of x, found 'z'"),
        ({'k': ['']}, lambda s: s.texts('k'), "different names, found ['']"),
        ({'k': ['a', 'a']}, lambda s: s.texts('k'), "different names, found ['a', 'a']"),
        ({'k': [1]}, lambda s: s.numbers('k', 2), 'place.k: expected 2 finite numbers, found [1]'),
        ({'k': [1, '2']}, lambda s: s.numbers('k', 2), "found [1, '2']"),
        ({'k': 3}, lambda s: s.section('k'), 'place.k: expected a mapping, found 3'),
        ({'k': {'l': 3}}, lambda s: s.section('k').text('l'), 'place.k.l: expected text, found 3'),
        ({'k': 1, 3: 2}, lambda s: s.close(), 'f.yaml: place: unknown entries 3, k; known: none'),
        ({'k': 1}, lambda s: (s.has('l'), s.close()), 'unknown entries k; known: l'),
    ],
)
def test_mistakes_name_file_section_and_key(entries: dict[Any, Any], ask: Any, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ask(Section(entries, 'place', file=Path('f.yaml')))
    assert told in str(raised.value)


def test_what_is_found_is_cut() -> None:
    with pytest.raises(ConfigError) as raised:
        Section({'k': ['x' * 10**6] * 10**3}).text('k')
    assert len(str(raised.value)) < 200


def test_options_are_made_of_a_section() -> None:
    made = read_options(Cooking, {'dish': 'cake', 'heat': 1, 'guests': ('a',)}, 'cooking')
    assert made == Cooking('cake', heat=1, guests=('a',))


@pytest.mark.parametrize(
    ('entries', 'told'),
    [
        ({}, r'cooking\.dish: expected an entry, but it is missing'),
        ({'dish': 'x', 'salt': 1}, 'cooking: unknown entries salt; known: dish, minutes'),
        ({'dish': 3}, 'cooking.dish: expected text, found 3'),
        ({'dish': 'x', 'minutes': 0}, 'minutes: expected a whole number, 1 to 600, found 0'),
        ({'dish': 'x', 'minutes': 601}, 'minutes: expected a whole number, 1 to 600'),
        ({'dish': 'x', 'minutes': 1.5}, 'minutes: expected a whole number'),
        ({'dish': 'x', 'minutes': True}, 'minutes: .* found True'),
        ({'dish': 'x', 'heat': 0}, 'heat: expected more than 0 and at most 1, found 0'),
        ({'dish': 'x', 'heat': float('nan')}, 'heat: .* found nan'),
        ({'dish': 'x', 'spices': -1}, 'spices: expected 0 or more, found -1'),
        ({'dish': 'x', 'oven': 1}, 'oven: expected true or false, found 1'),
        ({'dish': 'x', 'shape': 'flat'}, "shape: expected one of round, square, found 'flat'"),
        (['dish'], r"cooking: expected a mapping, found \['dish'\]"),
    ],
)
def test_wrong_options_are_named(entries: object, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_options(Cooking, entries, 'cooking')
