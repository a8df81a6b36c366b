# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Formats of the files that recordings consist of, by their suffixes."""

import stat
from importlib import import_module
from pathlib import Path
from typing import Final

from m2r2_ros.bags.source import Source
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import check_file

#: What opens a file of each format, as module:attribute; imported for the first such file.
FORMATS: Final = {
    '.mcap': 'm2r2_ros.bags.mcap.source:McapSource',
    '.db3': 'm2r2_ros.bags.sqlite.source:SqliteSource',
    '.h5': 'm2r2_ros.bags.reassemble.source:ReassembleSource',
    '.bag': 'm2r2_ros.bags.ros1.source:Ros1Source',
}


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder.

    Raises:
        BagError: It is nothing.
    """
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        absent = isinstance(error, FileNotFoundError)
        why = 'does not exist' if absent else f'cannot be opened: {error}'
        msg = f'{path} {why}; expected a rosbag2 folder, an .mcap, a .db3, an .h5 or a .bag'
        raise BagError(msg) from error


def check_kind(file: Path) -> None:
    """Refuse a file whose suffix is that of no format.

    Raises:
        BagError: It has such a suffix.
    """
    if file.suffix in FORMATS:
        return
    if file.name.endswith('.bag.active'):
        way = f'it is a ROS 1 bag that was not closed; rename it to {file.stem} to read it'
    elif file.suffix == '.zstd':
        way = f'it is compressed; `zstd -d {file}` and open {file.stem}'
    else:
        way = 'expected a rosbag2 folder, an .mcap, a .db3, an .h5 or a .bag'
    msg = f'{file} cannot be read here: {way}'
    raise BagError(msg)


def open_file(file: Path) -> Source:
    """Open one file of a recording.

    Raises:
        BagError: It cannot be read.
    """
    check_kind(file)
    check_file(file, 'a recording', BagError)
    module, name = FORMATS[file.suffix].split(':')
    source: Source = getattr(import_module(module), name)(file)
    return source
