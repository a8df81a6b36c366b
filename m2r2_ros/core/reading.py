# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The border where files come in: sizes are checked first, and libraries' errors become ours."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.text import excerpt, printable

_KINDS = {stat.S_IFDIR: 'a folder', stat.S_IFIFO: 'a pipe', stat.S_IFSOCK: 'a socket'}


@contextmanager
def reading(what: object, expected: str, error: type[M2R2Error]) -> Iterator[None]:
    """Turn whatever is raised in the block into an error about what is being read.

    Libraries raise what they like over damaged data, so nothing is passed on. A block should hold
    little more than their calls: a mistake of ours in it would be blamed on the data.

    Args:
        what: The file, or the place in it.
        expected: What it ought to be.
        error: Raised instead.

    Raises:
        error: Something was raised that is not for users already.
    """
    try:
        yield
    except M2R2Error:
        raise
    except FileNotFoundError as problem:
        msg = f'{what}: no such file; expected {expected}'
        raise error(msg) from problem
    except Exception as problem:
        msg = f'{what} cannot be read: {why(problem)}; expected {expected}'
        raise error(msg) from problem


@contextmanager
def naming(what: object, error: type[M2R2Error]) -> Iterator[None]:
    """Name the place in errors of the block that do not name it already.

    Raises:
        error: The block raised one of ours.
    """
    try:
        yield
    except M2R2Error as problem:
        text = str(problem)
        raise error(
            text if text.startswith(printable(str(what))) else f'{what}: {text}'
        ) from problem


def why(problem: Exception) -> str:
    """Return in a few words why something was raised."""
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    if isinstance(problem, UnicodeDecodeError):
        return f'not UTF-8 at byte {problem.start}'
    text, kind = ' '.join(str(problem).split()), type(problem).__name__
    if not text or type(problem) is ValueError:  # which says no more than that data is wrong
        return excerpt(text or kind, 160)
    return excerpt(f'{kind}: {text}', 160)


def check_file(
    path: Path, expected: str, error: type[M2R2Error], *, most: int | None = None
) -> None:
    """Refuse what is no file, such as a pipe, which would be waited for, and what is too large.

    Args:
        path: The file.
        expected: What it ought to be.
        error: Raised where it is something else.
        most: Bytes that it may have; None for any number.

    Raises:
        error: There is no such file, it is not a regular one, or it is too large.
    """
    with reading(path, expected, error):
        found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), 'a device')
        msg = f'{path}: is {kind}; expected {expected}'
        raise error(msg)
    if most is not None and found.st_size > most:
        msg = f'{path}: has {found.st_size} bytes, at most {most} are read; expected {expected}'
        raise error(msg)


def read_text(path: Path, expected: str, error: type[M2R2Error], *, most: int) -> str:
    """Return the text of a UTF-8 file of at most so many bytes, without a byte order mark.

    Raises:
        error: It cannot be read, is not UTF-8, or is too large.
    """
    check_file(path, expected, error, most=most)
    with reading(path, expected, error):
        return path.read_text(encoding='utf-8-sig')
