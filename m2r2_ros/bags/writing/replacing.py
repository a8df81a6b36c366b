# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may be overwritten: bags that this package wrote, and nothing else."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from m2r2_ros import __version__
from m2r2_ros.bags.rosbag2 import METADATA
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import Claim, disk_errors
from m2r2_ros.core.text import printable

#: How files of this package say who wrote them, and whether they can be made again.
LIBRARY: Final = 'm2r2_ros'
DERIVED: Final = f'{LIBRARY} {__version__}'
RECORDED: Final = f'{LIBRARY} {__version__} recorder'
#: What the name of a bag ends in while another one takes its place.
REPLACED: Final = '.replaced'


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

    Whoever calls has the claim on `path`, so that no one writes to `partial`.

    Raises:
        BagError: What is there must not be replaced, or `path` cannot be the name of a folder.
        OSError: An older `partial` cannot be removed.
    """
    if path.suffix in {'.mcap', '.db3'}:
        msg = f'{path}: a bag is a folder; leave {path.suffix} off its name'
        raise BagError(msg)
    if printable(path.name) != path.name:
        msg = f'{path}: its name is not UTF-8 or holds control characters: choose another one'
        raise BagError(msg)
    recover(path)
    check_replaceable(path, overwrite=overwrite)
    if overwrite:
        _clear(replaced_path(path))
    if partial.exists():
        if not overwrite:
            msg = (
                f'{partial} is there, from a run that did not finish: repair it (m2r2 repair), '
                'remove it, or allow to overwrite it'
            )
            raise BagError(msg)
        _clear(partial)


def publish(partial: Path, path: Path, *, overwrite: bool) -> None:
    """Rename a bag that is complete; an older one is there until it is.

    A run that is killed in between leaves the older one as `<path>.replaced`: see `recover`.

    Raises:
        BagError: Something is there that must not be replaced.
        OSError: The file system refuses.
    """
    if path.exists():
        check_replaceable(path, overwrite=overwrite)
        _clear(replaced_path(path))
        path.rename(replaced_path(path))
    partial.rename(path)
    forget(path)


def forget(path: Path) -> None:
    """Remove the predecessor of a bag that has taken its place.

    Raises:
        OSError: The file system refuses.
    """
    with suppress(BagError):  # someone else's folder that happens to have the name
        _clear(replaced_path(path))


def recover(path: Path) -> None:
    """Bring back the bag that a killed run had moved away to put another in its place.

    Raises:
        OSError: The file system refuses.
    """
    older = replaced_path(path)
    if older.exists() and not path.exists() and not _not_ours(older):
        older.rename(path)


def bring_back(path: Path) -> None:
    """Do what `recover` does, where no one is writing the bag.

    Raises:
        OutputError: Another run is writing it, or the file system refuses.
    """
    if replaced_path(path).exists():
        with Claim(path), disk_errors(path):
            recover(path)


def replaced_path(path: Path) -> Path:
    """Return where a bag is while another one takes its place."""
    return path.with_name(path.name + REPLACED)


def _not_ours(path: Path) -> str:
    if path.is_symlink() or not path.is_dir():
        return 'is not a rosbag2 folder'
    recordings = sorted(path.glob('*.mcap'))
    others = {p.name for p in path.iterdir()} - {METADATA} - {p.name for p in recordings}
    if others:
        return f'holds other files than a bag of {LIBRARY} ({", ".join(sorted(others)[:3])})'
    if not recordings or not all(map(_written_here, recordings)):
        return f'is not a bag that {LIBRARY} wrote'
    return ''


def library_of(file: Path) -> str:
    """Return what an MCAP file says of who wrote it; '' where it says nothing."""
    from mcap.exceptions import McapError
    from mcap.records import Header
    from mcap.stream_reader import StreamReader

    try:
        with file.open('rb') as stream:
            header = next(StreamReader(stream).records)
    except (McapError, OSError, ValueError, StopIteration):
        return ''
    match header:
        case Header(library=name):
            return name
    return ''


def _written_here(file: Path) -> bool:
    """Return whether a file begins as ours do; an empty one may be of a run killed that early."""
    return library_of(file).startswith(LIBRARY) or (file.is_file() and not file.stat().st_size)


def _clear(bag: Path) -> None:
    """Remove a bag that this package wrote, or what is left of one, if it is there.

    Raises:
        BagError: It is something else.
        OSError: The file system refuses.
    """
    if bag.is_dir() and not bag.is_symlink() and not any(bag.iterdir()):
        bag.rmdir()
    elif bag.exists() or bag.is_symlink():
        check_replaceable(bag, overwrite=True)
        remove_bag(bag)


def remove_bag(bag: Path) -> None:
    """Remove a folder that `check_replaceable` has passed: files only, never a tree."""
    # What says whose bag it is goes last: a run may be killed on the way.
    for file in sorted(bag.iterdir(), key=lambda file: file.suffix == '.mcap'):
        file.unlink()
    bag.rmdir()
