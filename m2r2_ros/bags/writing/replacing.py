# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may be overwritten: bags that this package wrote, and nothing else."""

from pathlib import Path
from typing import Final

from mcap.exceptions import McapError
from mcap.records import Header
from mcap.stream_reader import StreamReader

from m2r2_ros.core.errors import BagError

#: How files of this package say who wrote them.
LIBRARY: Final = 'm2r2_ros'


def check_replaceable(path: Path, *, overwrite: bool) -> None:
    """Refuse to write where something else is.

    Raises:
        BagError: `path` exists, and either must not be overwritten or is not a bag that this
            package wrote, with nothing but the bag in its folder.
    """
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        msg = f'{path} exists: choose another name, or allow to overwrite it'
        raise BagError(msg)
    reason = _not_ours(path)
    if reason:
        msg = f'{path} {reason}, and is not replaced: remove it yourself or choose another name'
        raise BagError(msg)


def make_way(partial: Path, path: Path, *, overwrite: bool) -> None:
    """See to it that a bag can be written to `partial` and then be called `path`.

    Raises:
        BagError: What is there must not be replaced, or `path` cannot be the name of a folder.
        OSError: An older `partial` cannot be removed.
    """
    if path.suffix in {'.mcap', '.db3'}:
        msg = f'{path}: a bag is a folder; leave {path.suffix} off its name'
        raise BagError(msg)
    check_replaceable(path, overwrite=overwrite)
    if partial.exists():
        if not overwrite:
            msg = (
                f'{partial} is there, from a run that did not finish or that still writes: repair '
                'it (m2r2 repair), remove it, or allow to overwrite it'
            )
            raise BagError(msg)
        check_replaceable(partial, overwrite=True)
        remove_bag(partial)


def publish(partial: Path, path: Path, *, overwrite: bool) -> None:
    """Rename a bag that is complete; an older one is there until it is.

    Raises:
        BagError: Something is there that must not be replaced.
        OSError: The file system refuses.
    """
    older = path.with_name(path.name + '.replaced')
    if path.exists():
        check_replaceable(path, overwrite=overwrite)
        if older.exists():
            check_replaceable(older, overwrite=overwrite)
            remove_bag(older)
        path.rename(older)
    partial.rename(path)
    if older.exists():
        remove_bag(older)


def refuse_same(out: Path, *sources: Path) -> None:
    """Refuse an output that is one of the inputs, holds one or lies in one.

    Raises:
        BagError: It is so.
    """
    target = out.resolve()
    for source in (source.resolve() for source in sources):
        if target == source or target in source.parents or source in target.parents:
            msg = f'{out} overlaps with {source}, which is never changed: write to another folder'
            raise BagError(msg)


def _not_ours(path: Path) -> str:
    if path.is_symlink() or not path.is_dir():
        return 'is not a rosbag2 folder'
    recordings = sorted(path.glob('*.mcap'))
    others = {p.name for p in path.iterdir()} - {'metadata.yaml'} - {p.name for p in recordings}
    if others:
        return f'holds other files than a bag of {LIBRARY} ({", ".join(sorted(others)[:3])})'
    if not recordings or not all(map(_written_here, recordings)):
        return f'is not a bag that {LIBRARY} wrote'
    return ''


def _written_here(file: Path) -> bool:
    try:
        with file.open('rb') as stream:
            header = next(StreamReader(stream).records)
    except (McapError, OSError, ValueError, StopIteration):
        return False
    return isinstance(header, Header) and header.library.startswith(LIBRARY)


def remove_bag(bag: Path) -> None:
    """Remove a folder that `check_replaceable` has passed: files only, never a tree."""
    for file in bag.iterdir():
        file.unlink()
    bag.rmdir()
