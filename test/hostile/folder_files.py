# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may lie in a folder of recordings and is none, or must not be opened."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

ENDINGS: Final = ('.mcap', '.db3', '.h5', '.csv', '.yaml')


def pipes(folder: Path) -> None:
    """Files that whoever opens them waits for."""
    for ending in ENDINGS:
        os.mkfifo(folder / f'pipe{ending}')


def sockets(folder: Path) -> None:
    before = Path.cwd()
    os.chdir(folder)  # the path of a socket has to be short
    try:
        for ending in ENDINGS:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(f'socket{ending}')
    finally:
        os.chdir(before)


def devices(folder: Path) -> None:
    """Files that never end."""
    for ending in ENDINGS:
        (folder / f'zero{ending}').symlink_to('/dev/zero')


def loops(folder: Path) -> None:
    """Links to themselves, to each other, to nothing and to where they lie."""
    for ending in ('', *ENDINGS):
        (folder / f'self{ending}').symlink_to(f'self{ending}')
        (folder / f'one{ending}').symlink_to(f'two{ending}')
        (folder / f'two{ending}').symlink_to(f'one{ending}')
        (folder / f'gone{ending}').symlink_to('nowhere')
        (folder / f'up{ending}').symlink_to(folder)


def folders_with_names_of_files(folder: Path) -> None:
    for ending in ENDINGS:
        (folder / f'folder{ending}').mkdir()


def pipe_for_metadata(folder: Path) -> None:
    (folder / 'sub').mkdir()
    os.mkfifo(folder / 'sub' / 'metadata.yaml')


def folder_for_metadata(folder: Path) -> None:
    (folder / 'sub' / 'metadata.yaml').mkdir(parents=True)


def deep(folder: Path) -> None:
    """Folders deeper than Python recurses, and than a path may be long."""
    before = os.open('.', os.O_RDONLY)
    os.chdir(folder)
    try:
        for _ in range(2500):
            Path('d').mkdir()
            os.chdir('d')
    finally:
        os.chdir(before)
        os.close(before)


def odd_names(folder: Path) -> None:
    for name in (b'\xff\xfe', b'a\nb', b'\x1b[31m', b'[bold]x', b' ', b'x' * 255):
        (folder / os.fsdecode(name)).mkdir()
        (folder / os.fsdecode(name[:240] + b'.txt')).touch()


def many_files(folder: Path) -> None:
    for k in range(5000):
        (folder / f'{k}.txt').touch()


CASES: Final[list[Callable[[Path], None]]] = [
    pipes, sockets, devices, loops, folders_with_names_of_files, pipe_for_metadata,
    folder_for_metadata, deep, odd_names, many_files,
]  # fmt: skip


def bad_metadata() -> dict[str, str]:
    """Return texts of metadata.yaml that name what is not to be opened."""
    entry = 'rosbag2_bagfile_information: {relative_file_paths: '
    names = ['..', '.', '', '/', '/dev/zero', '../../etc/passwd', 'pipe.mcap', 'zero.mcap', 'x\\0']
    listed = {f'lists {name!r}': f'{entry}["{name}"]}}' for name in names}
    many = ', '.join(f'f{k}.mcap' for k in range(5000))
    return {
        **listed,
        'numbers': f'{entry}[1, null, [a], {{}}]}}',
        'many': f'{entry}[{many}]}}',
        'nested': '[' * 100_000,
        'no mapping': '- 1',
    }
