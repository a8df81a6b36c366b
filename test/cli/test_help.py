# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The help of every command: what it does, an example that parses, a sentence for each option."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from m2r2_ros.cli.commands import COMMANDS
from m2r2_ros.cli.lazy import Imported

EXAMPLE = re.compile(r'^For example: (m2r2 .+)\Z', re.MULTILINE | re.DOTALL)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each command, and those of groups, by what one types for it."""
    imported = Imported(COMMANDS)
    for name in COMMANDS:
        command = imported[name]
        below = getattr(command, 'commands', {})
        yield from ((f'{name} {other}', found) for other, found in below.items())
        if not below:
            yield name, command


EVERY = dict(commands())
each = pytest.mark.parametrize('name', EVERY)


def test_all_commands_are_looked_at() -> None:
    assert {name.split()[0] for name in EVERY} == set(COMMANDS)
    assert {'import table', 'import reassemble'} <= EVERY.keys()


@each
def test_help_begins_with_a_sentence(name: str) -> None:
    first = EVERY[name].help.split('\n\n')[0]
    assert first[0].isupper()
    assert first.endswith('.')


@each
def test_help_ends_with_an_example_that_parses(name: str) -> None:
    """In the order of the words: the command, its arguments, options that it has."""
    found = EXAMPLE.search(EVERY[name].help)
    assert found, f'm2r2 {name} --help has no example'
    words = shlex.split(found[1].partition(' > ')[0])
    path = name.split()
    assert words[1 : 1 + len(path)] == path
    # Everything but the work itself: unknown options and missing arguments are errors.
    EVERY[name].make_context(name, words[1 + len(path) :])


@each
def test_each_option_is_explained(name: str) -> None:
    for parameter in EVERY[name].params:
        text = (getattr(parameter, 'help', '') or '').strip()
        assert text.endswith('.'), f'm2r2 {name}: {parameter.name}'


def test_examples_that_do_not_parse_are_found() -> None:
    command = EVERY['name']
    with pytest.raises(Exception, match='No such option'):
        command.make_context('name', ['found', '--nams', 'names.yaml', '--out', 'named'])
    with pytest.raises(Exception, match='Missing'):
        command.make_context('name', ['found'])
