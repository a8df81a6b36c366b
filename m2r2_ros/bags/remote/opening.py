# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in object stores: found by one listing, and opened by as few requests as it takes."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from m2r2_ros.bags.folder import (
    EXPECTED_METADATA,
    MAX_METADATA,
    SUFFIXES,
    BagFolder,
    described,
    in_file_order,
    information_in,
    is_part,
)
from m2r2_ros.bags.remote.layout import published
from m2r2_ros.bags.remote.listing import files_under, keys_under
from m2r2_ros.bags.remote.ranges import Ranges, Stored, stored
from m2r2_ros.bags.rosbag2 import ANNOTATIONS, METADATA
from m2r2_ros.bags.source import Source
from m2r2_ros.bags.writing.replacing import REPLACED
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import PARTIAL
from m2r2_ros.core.reading import reading
from m2r2_ros.core.yaml_text import parse_yaml

_EXPECTED: Final = 'expected a rosbag2 folder, an .mcap, a .db3, an .h5 or a .bag'


def remote_folder(path: Path) -> tuple[BagFolder, dict[Path, Stored]] | Stored:
    """Ask what is at a URL: the recording in a folder and the files there, or a bare file.

    Raises:
        BagError: There is none, or its metadata.yaml is broken.
    """
    if path.suffix in SUFFIXES and (file := stored(path)) is not None:
        return file
    files = {file.path: file for file in files_under(path, deep=False)}
    if files:
        return _folder(path, files), files
    file = None if path.suffix in SUFFIXES else stored(path)
    if file is None:
        msg = f'{path} does not exist; {_EXPECTED}'
        raise BagError(msg)
    return file


def _folder(folder: Path, files: dict[Path, Stored]) -> BagFolder:
    """Return the recording in a folder; see bags.folder.read_folder."""
    there = in_file_order(path for path in files if path.suffix in SUFFIXES)
    metadata = files.get(folder / METADATA)
    if metadata is None:
        if not there:
            msg = f'{folder} holds no recording: neither {METADATA} nor .mcap nor .db3 files'
            raise BagError(msg)
        return BagFolder(there, {})
    if metadata.size > MAX_METADATA:
        msg = f'{metadata.path}: has {metadata.size} bytes, at most {MAX_METADATA} are read'
        raise BagError(msg)
    data = Ranges(metadata).fetch(0, metadata.size)
    with reading(metadata.path, EXPECTED_METADATA, BagError):
        text = data.decode('utf-8-sig')
    content = parse_yaml(text, str(metadata.path), EXPECTED_METADATA, BagError)
    return described(folder, there, information_in(content, metadata.path), files)


def open_remote(file: Stored, open_file: Callable[[Path], Source]) -> Source:
    """Open one file of a recording in an object store.

    Args:
        file: An MCAP file, which is read by ranges, or another, which is copied to the disk first.
        open_file: Opens a file on the disk.

    Raises:
        BagError: It cannot be read, or is no recording.
    """
    if file.path.suffix == '.mcap':
        from m2r2_ros.bags.mcap.source import McapSource
        from m2r2_ros.bags.remote.content import RemoteContent

        return McapSource(file.path, RemoteContent(file))
    from m2r2_ros.bags.remote.local_copy import CopiedSource

    return CopiedSource(file, open_file)


def remote_recordings(path: Path, passed_over: Callable[[str], None]) -> list[Path]:
    """Return the recordings that a URL is or holds at any depth, by one listing, sorted.

    What is one follows the rules of bags.finding.find_recordings. Of results that workers put
    there only those that are whole count.

    Args:
        path: The URL.
        passed_over: Called with what is in the way.

    Raises:
        BagError: It cannot be listed.
    """
    if path.suffix in SUFFIXES and stored(path) is not None:
        return [path]
    keys = published(path, keys_under(path), passed_over)
    if not keys:
        return [] if stored(path) is None else [path]
    folders: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for key in keys:
        folders[key.parts[:-1]].append(Path(key.parts[-1]))
    found: list[tuple[str, ...]] = []
    taken: set[tuple[str, ...]] = set()
    for folder in sorted(folders, key=lambda folder: (len(folder), folder)):
        if _is_within(folder, taken):
            continue
        name = folder[-1] if folder else path.name
        here = _recordings_in(name, folders[folder], top=not folder)
        if here is None:
            taken.add(folder)
            found.append(folder)
        else:
            found += [(*folder, file.name) for file in here]
    return [path / '/'.join(parts) if parts else path for parts in sorted(found)]


def _recordings_in(name: str, files: list[Path], *, top: bool) -> list[Path] | None:
    """Return which files of a folder are recordings; None if all of them are one."""
    has_one = any(file.name == METADATA for file in files)
    if not top and name.endswith(ANNOTATIONS) and not has_one:
        return []
    there = in_file_order(file for file in files if file.suffix in SUFFIXES)
    if has_one or (there and all(is_part(file, name) for file in there)):
        return None
    return there


def _is_within(folder: tuple[str, ...], taken: set[tuple[str, ...]]) -> bool:
    """Return whether a folder lies in a recording, or in one that is not looked into."""
    above = range(len(folder))
    return (
        any(folder[:depth] in taken for depth in above)
        or any(name.endswith((PARTIAL, REPLACED)) for name in folder)
        or any(name.endswith(ANNOTATIONS) for name in folder[:-1])
    )
