# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What YAML is read as, and what of it is refused by line and without showing it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.core.yaml_text import MOST_BYTES, MOST_VALUES, parse_yaml, read_yaml
from test.real_data import DATA

ROOT = Path(__file__).resolve().parents[2]
BOMB = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'a{k}: &a{k} [{", ".join([f"*a{k - 1}"] * 9)}]\n' for k in range(1, 12)
)


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('', None),
        ('# nothing', None),
        ('--- \n...\n', None),
        ('a: 1\nb: [-2, 0.5, .5, 1., 1.0e+3, +3]', {'a': 1, 'b': [-2, 0.5, 0.5, 1.0, 1e3, 3]}),
        ('[yes, No, ON, off, True, null, ~, ]', [True, False, True, False, True, None, None]),
        ('["1", \'yes\', !!str 1, ! 2, "", "<<"]', ['1', 'yes', '1', '2', '', '<<']),
        ('[1:30:00, 0x10, 010, 1_000, 0b1, 1e5, 1:30.5]',
         ['1:30:00', '0x10', '010', '1_000', '0b1', '1e5', '1:30.5']),
        ('[2001-01-01, 2001-99-99, 2001-01-01T00:00:00Z, =, <<]',
         ['2001-01-01', '2001-99-99', '2001-01-01T00:00:00Z', '=', '<<']),
        ('[.inf, -.INF, 1.0e+999999]', [float('inf'), -float('inf'), float('inf')]),
        ('a: |\n  two\n  lines\nb: >-\n  one\n  line', {'a': 'two\nlines\n', 'b': 'one line'}),
        ('%YAML 1.1\n---\n{a: {b: [{c: d}]}}', {'a': {'b': [{'c': 'd'}]}}),
        ('9223372036854775807', 2**63 - 1),
    ],
)  # fmt: skip
def test_what_text_stands_for(text: str, value: Any) -> None:
    found = parse_yaml(text, 'here', 'YAML')
    assert found == value
    assert repr(found) == repr(value)  # True is no 1


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        (BOMB, 'line 2, column 10: found an alias'),
        ('a: &x 1\nb: *x', 'line 2, column 4: found an alias'),
        ('a: &x {b: 1}\nc:\n  <<: *x', 'merge key'),
        ('<<: {a: 1}', 'merge key'),
        ('&a [*a]', 'alias'),
        ('a: 1\nb: 2\na: 3', 'line 3, column 1: found a key for the second time'),
        ('1: x', 'line 1, column 1: found a key that is no text'),
        ('? [a]\n: x', 'no text'),
        ('? {a: b}\n: x', 'no text'),
        ('~: x', 'no text'),
        ('yes: x', 'no text'),
        ('x: ' + '9' * 10**4, 'line 1, column 4: found a number of 10000 digits'),
        ('!!binary aGFsbG8=', 'tag'),
        ('!!set {a, b}', 'tag'),
        ('!!omap [a: 1]', 'tag'),
        ('!!int "1"', 'tag'),
        ('!!float 1', 'tag'),
        ('!!python/object/apply:os.getcwd []', 'tag'),
        ('!mine {a: 1}', 'tag'),
        ('a: 1\n---\nb: 2', 'line 2, column 1: found a second document'),
        ('[' * 51 + ']' * 51, 'nested more than 50 deep'),
        ('{a: ' * 51 + '}' * 51, 'nested more than 50 deep'),
        ('[' * 100_000, 'maximum nesting depth'),
        ('- ' * 100_000, 'nested more than 50 deep'),
        ('a: [1', 'line 2, column 1'),
        ('a: b: c', 'line 1, column 5'),
        ('\ta: 1', 'line 1, column 1'),
        ('a: "\\ud800"', 'line 1'),
        ('a: \0', 'character'),
        ('a: \x1b[31m', 'character'),
        ('a: \udcff', 'not UTF-8'),
        ('[' + '0,' * MOST_VALUES + ']', 'more than 1000000 values'),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_by_its_line(text: str, told: str) -> None:
    with pytest.raises(BagError) as raised:
        parse_yaml(text, 'here', 'a recipe', BagError)
    message = str(raised.value)
    assert message.startswith('here: cannot be read as YAML: ')
    assert told in message
    assert message.endswith('expected a recipe')
    assert len(message) < 250


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-32', 'latin-1'])
def test_text_of_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / 'a.yaml').write_text('a: ä', encoding=encoding)
    with pytest.raises(ConfigError, match=r'a\.yaml cannot be read: not UTF-8 at byte'):
        read_yaml(tmp_path / 'a.yaml', 'a recipe')


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / 'a.yaml').write_text('a: ä', encoding='utf-8-sig')
    assert read_yaml(tmp_path / 'a.yaml', 'a recipe') == {'a': 'ä'}


def test_a_file_of_any_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / 'a.yaml'
    path.touch()
    with path.open('r+b') as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ConfigError, match=f'has {MOST_BYTES + 1} bytes, at most {MOST_BYTES}'):
        read_yaml(path, 'a recipe')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'cake\.yaml: no such file; expected a recipe'):
        read_yaml(tmp_path / 'cake.yaml', 'a recipe')
    with pytest.raises(ConfigError, match='is a folder; expected a recipe'):
        read_yaml(tmp_path, 'a recipe')


FILES = [
    *ROOT.glob('config/**/*.yaml'),
    *ROOT.glob('models/*/bundle.yaml'),
    *DATA.glob('real_bags/*/metadata.yaml'),
]


@pytest.mark.parametrize('path', FILES, ids=str)
def test_files_that_are_there_read_as_pyyaml_reads_them(path: Path) -> None:
    assert read_yaml(path, 'YAML') == yaml.safe_load(path.read_text(encoding='utf-8'))
