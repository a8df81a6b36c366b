# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of results and notes, which become parts of paths on every disk and in every store."""

from typing import Final

from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.text import printable

#: Where a store keeps what is no result, such as the notes of a run.
HIDDEN: Final = '.m2r2'
#: Largest note, bytes.
MAX_NOTE: Final = 1 << 22
#: Longest name, bytes; file systems allow 255, drafts need some of them.
_LONGEST: Final = 200


def check_name(name: str) -> None:
    """Refuse what cannot be a part of a path everywhere.

    Raises:
        OutputError: It is empty, hidden, too long, or holds what paths may not hold.
    """
    odd = not name or name.startswith('.') or '/' in name or '\\' in name
    if odd or printable(name) != name or len(name.encode()) > _LONGEST:
        msg = (
            f'{name!r} cannot be the name of a result: expected up to {_LONGEST} bytes of UTF-8 '
            'that do not begin with a dot, without slashes and control characters'
        )
        raise OutputError(msg)


def check_key(key: str) -> None:
    """Refuse a relative path with '/' that has empty or hidden parts, or leads elsewhere.

    Raises:
        OutputError: It is such a path.
    """
    for part in key.split('/'):
        check_name(part)
