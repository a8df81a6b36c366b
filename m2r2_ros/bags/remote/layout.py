# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How results lie in an object store, where nothing can be renamed.

The files of a result NAME are `NAME/<attempt>/...`, with an attempt of its own for each worker
that tried; the marker `.m2r2/done/NAME.json` names the attempt that counts.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from m2r2_ros.bags.remote.listing import Key
from m2r2_ros.bags.remote.names import HIDDEN, check_key, check_name
from m2r2_ros.bags.remote.ranges import Ranges, Stored
from m2r2_ros.core.errors import M2R2Error, OutputError

#: Folder of the markers, and how their names end.
DONE: Final = 'done'
MARKER: Final = '.json'
#: Largest marker, bytes, and what it says of its format.
MAX_MARKER: Final = 1 << 22
FORMAT: Final = 'm2r2_ros result 1'

#: Names from what was listed downwards.
_Place = tuple[str, ...]


def marker_of(attempt: str, sizes: dict[str, int]) -> bytes:
    """Return a marker: the attempt that counts, and its files with their bytes."""
    entries = {'format': FORMAT, 'attempt': attempt, 'files': sizes}
    return json.dumps(entries, indent=1, sort_keys=True, ensure_ascii=False).encode()


def read_marker(data: bytes, place: object) -> tuple[str, dict[str, int]]:
    """Return the attempt and the bytes of its files by name.

    Raises:
        OutputError: It is damaged.
    """
    try:
        match json.loads(data):
            case {'format': str(kind), 'attempt': str(attempt), 'files': dict(sizes)} if (
                kind == FORMAT and all(type(size) is int for size in sizes.values())
            ):
                check_name(attempt)
                for key in sizes:
                    check_key(key)
                return attempt, sizes
            case _:
                problem = 'not what a marker holds'
    except (ValueError, RecursionError, OutputError) as error:
        problem = str(error)
    msg = f'{place} is damaged ({problem}): remove it, and the result is made again'
    raise OutputError(msg)


def published(top: Path, keys: Sequence[Key], passed_over: Callable[[str], None]) -> list[Key]:
    """Leave out of a listing what workers put there that is no result, or none yet.

    Markers are read only where several workers tried.

    Args:
        top: What was listed.
        keys: The files under it.
        passed_over: Called with markers that are damaged.
    """
    markers: dict[_Place, dict[str, Key]] = defaultdict(dict)
    for key in keys:
        names = key.parts
        if names[-3:-1] == (HIDDEN, DONE) and names[-1].endswith(MARKER):
            markers[names[:-3]][names[-1].removesuffix(MARKER)] = key
    stores = {key.parts[: key.parts.index(HIDDEN)] for key in keys if HIDDEN in key.parts}
    if not stores:
        return list(keys)
    attempts: dict[_Place, set[str]] = defaultdict(set)
    for key in keys:
        for result in _results(key.parts, stores):
            attempts[result].add(key.parts[len(result)])
    counting: dict[_Place, str] = {}
    for result, tried in attempts.items():
        marker = markers.get(result[:-1], {}).get(result[-1])
        if marker is not None:
            counting[result] = _counting(marker.under(top), tried, passed_over)
    return [
        key
        for key in keys
        if HIDDEN not in key.parts
        and all(
            counting.get(result) == key.parts[len(result)] for result in _results(key.parts, stores)
        )
    ]


def _results(names: _Place, stores: set[_Place]) -> list[_Place]:
    """Return the results, of stores in stores too, that a file lies in or is left of."""
    depths = (depth for depth in range(len(names) - 2) if names[depth] != HIDDEN)
    return [names[: depth + 1] for depth in depths if names[:depth] in stores]


def _counting(marker: Stored, tried: set[str], passed_over: Callable[[str], None]) -> str:
    """Return the attempt that counts."""
    if len(tried) == 1:
        return next(iter(tried))
    try:
        size = min(marker.size, MAX_MARKER)
        return read_marker(Ranges(marker).fetch(0, size), marker.path)[0]
    except M2R2Error as error:
        passed_over(str(error))
        return ''
