# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in folders, data sets and object stores."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from m2r2_ros.bags.folder import dangling, has_metadata, is_part, storage_files
from m2r2_ros.bags.formats import check_kind, is_folder
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.bags.remote.places import in_order, is_remote, real_name
from m2r2_ros.bags.rosbag2 import ANNOTATIONS
from m2r2_ros.bags.steps.datasets import episodes_of, is_dataset, is_episode
from m2r2_ros.bags.writing.replacing import REPLACED
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.files import PARTIAL


def find_recordings(
    paths: Iterable[Path], passed_over: Callable[[str], None] = lambda what: None
) -> list[Path]:
    """Return the recordings that `paths` are or hold at any depth, sorted, each once.

    A folder is one recording if it has a metadata.yaml, or if its files are called after it, as
    after a crash; the files of any other folder are recordings of their own. Whether they can be
    opened is not looked at.

    Args:
        paths: Recordings, and folders of them; links to folders within these are not followed.
        passed_over: Called with what is in the way in a folder, such as one that cannot be listed.

    Raises:
        BagError: A path holds none, or does not exist.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if is_remote(path):
            here = _search_remote(path, passed_over)
        elif is_episode(path):
            here = [path]
        elif is_folder(path):
            here = list(_search(path, passed_over))
        else:
            check_kind(path)
            here = [path]
        if not here:
            expected = 'rosbag2 folders, .mcap, .db3, .h5 or .bag files, or a dataset'
            msg = f'{path} holds no recording; expected {expected}'
            raise BagError(msg)
        for recording in here:
            found.setdefault(real_name(recording), recording)
    return in_order(list(found.values()))


def _search_remote(top: Path, passed_over: Callable[[str], None]) -> list[Path]:
    """Return the recordings that a URL is or holds."""
    from m2r2_ros.bags.remote.opening import remote_recordings  # optional

    found = remote_recordings(top, passed_over)
    for path in found:
        if path == top and path.suffix:
            check_kind(path)
    return found


def _search(top: Path, passed_over: Callable[[str], None]) -> Iterator[Path]:
    """Yield the recordings in a folder, which may be nested deeper than Python recurses."""
    storage_files(top)  # a folder that was asked for has to be there
    folders = [top]
    while folders:
        folder = folders.pop()
        if is_dataset(folder):
            try:
                yield from episodes_of(folder, passed_over)
            except M2R2Error as error:
                if folder is top:
                    raise
                passed_over(str(error))
            continue
        try:
            files, has_one = storage_files(folder), has_metadata(folder)
            for link in dangling(folder):
                passed_over(f'{link} is a link to nothing: fetch what it stands for')
            with os.scandir(folder) as entries:
                # A bag that is being written, or was not finished, is opened only where it is
                # named.
                below = [
                    folder / entry.name
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False)
                    and not entry.name.endswith((PARTIAL, REPLACED))
                ]
        except (BagError, OSError) as error:
            passed_over(str(error))
            continue
        if folder is not top and folder.name.endswith(ANNOTATIONS) and not has_one:
            continue  # what people said of a recording
        name = recording_name(folder) if folder is top else folder.name
        if has_one or (files and all(is_part(f, name) for f in files)):
            yield folder
            continue
        yield from files
        folders += below


def expect_distinct_names(paths: Iterable[Path]) -> None:
    """Refuse two recordings of one name, whose labels would have one place.

    Raises:
        BagError: There are two.
    """
    names: dict[str, Path] = {}
    for path in paths:
        other = names.setdefault(recording_name(path), path)
        if other != path:
            msg = f'{path} and {other} have one name: label them into different folders'
            raise BagError(msg)
