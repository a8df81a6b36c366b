# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as a piece of work, and what became of it."""

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.remote.places import as_place

#: Longest key, bytes; a store allows some more, for what it puts behind them.
_LONGEST: Final = 160
#: Stands between the parts of a path in a key.
_BETWEEN: Final = '__'


@dataclass(frozen=True, slots=True)
class Item:
    """A recording that a fleet works on.

    Attributes:
        source: Its absolute path, or its URL.
        name: The name that it goes by.
        folder: Folder below the output folder that its results go to, with '/' between parts;
            '' for the output folder itself.
        named: The user named it, rather than a folder that it lies in.
    """

    source: str
    name: str
    folder: str = ''
    named: bool = True

    @property
    def place(self) -> Path:
        """The path to open it by."""
        return as_place(self.source)

    @property
    def key(self) -> str:
        """Folder and name as a file name that every store takes; different for different ones."""
        parts = [*filter(None, self.folder.split('/')), self.name]
        key = _BETWEEN.join(map(_plain, parts))
        if len(key.encode()) <= _LONGEST:
            return key
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        return f'{key.encode()[: _LONGEST - 17].decode(errors="ignore")}-{digest}'


class State(str, Enum):
    """What became of a recording."""

    DONE = 'done'
    KEPT = 'kept'  # its results were there already
    PASSED = 'passed over'  # nothing that this work is for
    BUSY = 'busy'  # another run is at it
    FAILED = 'failed'


@dataclass(frozen=True, slots=True)
class Did:
    """What a worker says of a recording that did not fail.

    Attributes:
        state: What became of it.
        recorded_s: Its length, s; 0 where it was not read.
        facts: What there is to tell, as JSON holds it.
    """

    state: State = State.DONE
    recorded_s: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """A recording that a worker has ended with.

    Attributes:
        item: The recording.
        state: What became of it.
        recorded_s: Its length, s; 0 where it was not read.
        wall_s: How long a worker had it, s.
        facts: What there is to tell of it.
        error: Why it failed; '' where it did not.
        trace: Where in the code, for what is not an error of users; '' otherwise.
        tries: How often it was begun.
    """

    item: Item
    state: State
    recorded_s: float = 0.0
    wall_s: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    error: str = ''
    trace: str = ''
    tries: int = 1


def _plain(part: str) -> str:
    """Return a part of a path without what some store refuses; '%' introduces what is replaced."""
    shown = ''.join(c if _is_plain(c) else _escaped(c) for c in part)
    return f'%2E{shown[1:]}' if shown.startswith('.') else shown


def _is_plain(character: str) -> bool:
    return character.isprintable() and character not in '%\\/'


def _escaped(character: str) -> str:
    return ''.join(f'%{byte:02X}' for byte in character.encode(errors='surrogateescape'))
