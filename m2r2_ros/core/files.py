# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are complete or not there at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import M2R2Error

#: What the name of a file or folder ends in until it is complete.
PARTIAL: Final = '.partial'


def partial_path(path: Path) -> Path:
    """Return where `path` is written before it is complete."""
    return path.with_name(path.name + PARTIAL)


def expect_regular(path: Path, error: type[M2R2Error]) -> None:
    """Refuse pipes, sockets and devices: opening one may wait forever, reading it may not end.

    Raises:
        error: `path` is one.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        msg = f'{path} is a pipe, a socket or a device; expected a file'
        raise error(msg)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a path to write a file to; it becomes `path`, in one step, when the block ends.

    After an exception `path` is what it was before, and the unfinished file is removed.
    """
    draft = partial_path(path)
    try:
        yield draft
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
