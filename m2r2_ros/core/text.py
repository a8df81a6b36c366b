# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text from outside as it is shown: on one line, without anything that a terminal acts on."""

import unicodedata
from collections.abc import Sequence
from typing import Final

#: Characters of a file or a message that an error shows at most.
EXCERPT: Final = 80


def printable(text: str) -> str:
    r"""Return text with control characters, line ends and marks of direction as escapes: \x1b.

    Lone surrogates, which stand for the bytes of a file name that is not UTF-8, are escaped too.
    """
    if text.isprintable():
        return text
    return ''.join(map(_shown, text))


def excerpt(text: str, most: int = EXCERPT) -> str:
    """Return the beginning of a text as it is shown."""
    shown = printable(text[: most + 1])
    return shown if len(shown) <= most else f'{shown[:most]}...'


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return the first of some names, and how many more there are."""
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(excerpt(name) for name in names[:most]) + more


def _shown(character: str) -> str:
    # Wide and narrow spaces are not printable to Python.
    if character.isprintable() or unicodedata.category(character) == 'Zs':
        return character
    return character.encode('unicode_escape').decode()
