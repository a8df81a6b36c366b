# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The files of a rosbag2 folder, and what its metadata.yaml says of them."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.remote.places import is_remote
from m2r2_ros.bags.rosbag2 import INFORMATION, METADATA, REPAIR
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.options import Section
from m2r2_ros.core.text import listed
from m2r2_ros.core.yaml_text import read_yaml

#: What the names of recordings end in.
SUFFIXES: Final = ('.mcap', '.db3', '.h5', '.bag')
_NUMBERED_FIRST: Final = re.compile(
    r'(?P<number>[0-9]{1,9})_(?P<name>.+)_[0-9]{4}(_[0-9]{2}){2}-[0-9]{2}(_[0-9]{2}){2}'
)
#: A larger metadata.yaml is not read: it would take many seconds, and hold thousands of topics.
MAX_METADATA: Final = 1 << 22
EXPECTED_METADATA: Final = 'rosbag2 metadata: remove it to open the files beside it without it'


@dataclass(frozen=True, slots=True)
class BagFolder:
    """What makes up the recording in a folder.

    Attributes:
        files: Its files in order, each once.
        counts: Messages by topic, as metadata.yaml counts them; {} unknown.
        notes: What is odd about it.
    """

    files: list[Path]
    counts: dict[str, int]
    notes: tuple[str, ...] = ()


def read_folder(folder: Path) -> BagFolder:
    """Find the files of a recording.

    Raises:
        BagError: There are none, or metadata.yaml is broken or names one that is not there.
    """
    there = storage_files(folder)
    metadata = folder / METADATA
    if not has_metadata(folder):
        if not there:
            msg = f'{folder} holds no recording: neither {METADATA} nor .mcap nor .db3 files'
            raise BagError(msg)
        return BagFolder(there, {})
    size = metadata.stat().st_size
    if size > MAX_METADATA:
        note = f'{METADATA} has {size} bytes, more than the {MAX_METADATA} that are read: ignored'
        return BagFolder(_expect_files(metadata, there), {}, (note,))
    return described(folder, there, _information(metadata))


def described(
    folder: Path,
    there: list[Path],
    information: dict[str, Any],
    listed_files: Collection[Path] | None = None,
) -> BagFolder:
    """Return the recording in a folder as its metadata.yaml describes it.

    Args:
        folder: The folder.
        there: The files with messages in it, in order.
        information: What metadata.yaml says.
        listed_files: All files in it, each under one name; None: the disk is asked.

    Raises:
        BagError: metadata.yaml names a file that is not there, or what is not read here.
    """
    if str(information.get('compression_mode') or '').lower() == 'message':
        msg = (
            f'{folder}: its messages are compressed one by one (compression_mode: message), which '
            f'is not read here; `ros2 bag convert` writes it without'
        )
        raise BagError(msg)
    on_disk = listed_files is None
    paths = information.get('relative_file_paths')
    names = [Path(str(name)).name for name in paths] if isinstance(paths, list) else []
    named = [folder / name for name in names]
    files = (_once(named) if on_disk else list(dict.fromkeys(named))) or there
    files = _expect_files(folder / METADATA, files, listed_files)
    real: Callable[[Path], str] = os.path.realpath if on_disk else str
    known = {real(file) for file in files}
    others = [file.name for file in there if real(file) not in known]
    notes = (
        [f'{METADATA} does not list {listed(others)}: remove it to open all files']
        if others
        else []
    )
    custom = information.get('custom_data')
    if isinstance(custom, dict) and REPAIR in custom:
        notes.append(f'after a repair: {custom[REPAIR]}')
    return BagFolder(files, _counts(information), tuple(notes))


def has_metadata(folder: Path) -> bool:
    """Return whether a folder has a metadata.yaml, which makes all its files one recording."""
    return (folder / METADATA).is_file()


def storage_files(folder: Path) -> list[Path]:
    """Return the files with messages in a folder, each once, _2 before _10.

    Raises:
        BagError: The folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(SUFFIXES)]
    except OSError as error:
        msg = f'{folder} cannot be listed: {error.strerror}'
        raise BagError(msg) from error

    # Pipes, devices and folders of such names are no files.
    files = (folder / name for name in names)
    return _once(in_file_order(file for file in files if file.is_file()))


def dangling(folder: Path) -> list[Path]:
    """Return the links in a folder that are called like files with messages and lead to nothing.

    So are files of git-annex that were not fetched.
    """
    if is_remote(folder):
        return []
    with os.scandir(folder) as entries:
        links = [e.name for e in entries if e.name.endswith(SUFFIXES) and e.is_symlink()]
    return [folder / name for name in sorted(links) if not (folder / name).exists()]


def folders_in(folder: Path) -> list[str]:
    """Return the names of the folders in a folder; links to folders are none.

    Raises:
        OSError: (or for a URL BagError) It cannot be listed.
    """
    if is_remote(folder):
        from m2r2_ros.bags.remote.listing import keys_under  # optional

        keys = keys_under(folder)
        return list(dict.fromkeys(key.parts[0] for key in keys if len(key.parts) > 1))
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def files_like(folder: Path, patterns: Sequence[str], *, deep: bool = False) -> list[Path]:
    """Return what in a folder has a name like one of these, such as '*.csv'.

    Raises:
        BagError: It is a URL that cannot be listed.
    """
    if is_remote(folder):
        from m2r2_ros.bags.remote.listing import keys_under  # optional

        keys = keys_under(folder, deep=deep)
        like = (k for k in keys if any(fnmatchcase(k.parts[-1], p) for p in patterns))
        return [key.under(folder).path for key in like]
    find = folder.rglob if deep else folder.glob
    return [file for pattern in patterns for file in find(pattern)]


def in_file_order(files: Iterable[Path]) -> list[Path]:
    """Return files sorted, _2 before _10."""

    def rank(file: Path) -> tuple[str, int, str]:
        name, number = part_of(file)
        return (name, number, '' if number >= 0 else file.suffix)

    return sorted(files, key=rank)


def part_of(file: Path) -> tuple[str, int]:
    """Return the name of the recording that a file belongs to by its own, and its number; -1: none.

    rosbag2 calls files NAME_0, from 0.33.1 on (Lyrical) 0_NAME_2026_05_23-10_00_00.
    """
    if new := _NUMBERED_FIRST.fullmatch(file.stem):
        return new['name'], int(new['number'])
    name, _, number = file.stem.rpartition('_')
    return (name, int(number)) if number.isdecimal() else (file.stem, -1)


def is_part(file: Path, name: str) -> bool:
    """Return whether a file is called like a part of a recording."""
    return name in (part_of(file)[0], file.stem.rpartition('_')[0])


def missing(found: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    """Say of which topics there are fewer messages than metadata.yaml counts."""
    few = [
        f'{topic}: {found.get(topic, 0)} of {count} messages'
        for topic, count in expected.items()
        if found.get(topic, 0) < count
    ]
    return [f'fewer messages than {METADATA} counts: {listed(few)}'] if few else []


def _once(files: Iterable[Path]) -> list[Path]:
    """Leave out files that are there under another name already: their messages would be twice."""
    found: dict[Any, Path] = {}
    for file in files:
        try:
            status = file.stat()
        except (OSError, ValueError):
            found.setdefault(file, file)
        else:
            found.setdefault((status.st_dev, status.st_ino), file)
    return list(found.values())


def _expect_files(
    metadata: Path, files: list[Path], listed_files: Collection[Path] | None = None
) -> list[Path]:
    there = Path.is_file if listed_files is None else listed_files.__contains__
    lacking = [file.name for file in files if not there(file)]
    if lacking or not files:
        msg = (
            f'{metadata}: {listed(lacking) or "the recording"} is not in the folder; '
            f'bring it back, or remove {METADATA} to open what is there'
        )
        raise BagError(msg)
    return files


def _information(metadata: Path) -> dict[str, Any]:
    """Return what a metadata.yaml says; {} where a crash left it empty."""
    return information_in(read_yaml(metadata, EXPECTED_METADATA, BagError), metadata)


def information_in(content: object, metadata: Path) -> dict[str, Any]:
    """Return what the content of a metadata.yaml says; {} where a crash left it empty.

    Raises:
        BagError: It is that of another file.
    """
    content = {} if content is None else content
    section = Section(content, file=metadata, expected=EXPECTED_METADATA, error=BagError)
    return section.section(INFORMATION).entries if section.entries else {}


def _counts(information: dict[str, Any]) -> dict[str, int]:
    """Return the messages by topic, as far as they are listed as rosbag2 does it."""
    counts: dict[str, int] = {}
    topics = information.get('topics_with_message_count')
    for entry in topics if isinstance(topics, list) else []:
        match entry:
            case {'topic_metadata': {'name': str(name)}, 'message_count': int(count)}:
                counts[name] = counts.get(name, 0) + count
            case _:
                pass
    return counts
