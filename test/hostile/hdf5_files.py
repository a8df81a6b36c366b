# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HDF5 files that declare more than they hold, or lead out of themselves."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import h5py

from m2r2_ros.bags.recording import open_recording

POSE, STAMPS, AUDIO, FILM = 'robot_state/pose', 'timestamps/pose', 'hand_audio', 'hand'
TEXT, START = 'segments_info/0/text', 'segments_info/0/start'
HUGE: Final = 1 << 31

Change = Callable[[h5py.File], Any]


def space(
    name: str, shape: tuple[int, ...], kind: Any, chunks: tuple[int, ...] | None = None
) -> Change:
    """Declare a dataset in which nothing is written."""
    pack = 'gzip' if chunks else None
    return lambda file: file.create_dataset(name, shape, kind, chunks=chunks, compression=pack)


def opaque(file: h5py.File) -> None:
    space = h5py.h5s.create(h5py.h5s.SCALAR)
    kind = h5py.h5t.create(h5py.h5t.OPAQUE, HUGE - 1)
    h5py.h5d.create(file.id, FILM.encode(), kind, space)


def link(name: str, target: Any) -> Change:
    def change(file: h5py.File) -> None:
        file[name] = target

    return change


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((580, 7), 'f8')
    layout[:] = h5py.VirtualSource('pipe', 'x', (580, 7))
    file.create_virtual_dataset(POSE, layout)


#: The dataset that is replaced, and what by.
CHANGES: Final[dict[str, tuple[str, Change]]] = {
    'many rows': (POSE, space(POSE, (HUGE, 7), 'f8')),
    'many packed rows': (POSE, space(POSE, (HUGE, 7), 'f8', (1000, 7))),
    'many stamps': (STAMPS, space(STAMPS, (HUGE,), 'f8')),
    'many packed stamps': (STAMPS, space(STAMPS, (HUGE,), 'f8', (1000,))),
    'a huge chunk': (POSE, space(POSE, (1 << 24, 7), 'f8', (1 << 24, 7))),
    'many bytes': (AUDIO, space(AUDIO, (HUGE,), 'i8', (1 << 18,))),
    'a long text': (TEXT, space(TEXT, (), f'S{HUGE - 1}')),
    'many texts': (TEXT, space(TEXT, (HUGE,), 'S100')),
    'many starts': (START, space(START, (HUGE,), 'f8')),
    'an empty film': (FILM, opaque),
    'rows in a pipe': (
        POSE, lambda f: f.create_dataset(POSE, (580, 7), 'f8', external=[('pipe', 0, 32480)]),
    ),
    'rows of another file': (POSE, virtual),
    'a pipe': (POSE, link(POSE, h5py.ExternalLink('pipe', '/x'))),
    'a group in a pipe': ('robot_state', link('robot_state', h5py.ExternalLink('pipe', '/x'))),
    'itself': (POSE, link(POSE, h5py.SoftLink(f'/{POSE}'))),
    'segments without end': ('segments_info', link('segments_info', h5py.SoftLink('/'))),
}  # fmt: skip


def changed(small: Path, folder: Path, name: str) -> Path:
    """Return a copy of a file in which one dataset is replaced; beside it lies a pipe."""
    folder.mkdir()
    os.mkfifo(folder / 'pipe')
    path = Path(shutil.copy(small, folder / 'a.h5'))
    removed, change = CHANGES[name]
    with h5py.File(path, 'a') as file:
        del file[removed]
        change(file)
    return path


def read_whole(path: Path) -> int:
    """Read whatever can be read, from the folder in which the pipe lies."""
    os.chdir(path.parent)
    recording = open_recording(path)
    return sum(len(b) for blocks in recording.blocks(recording.readable) for b in blocks)


def paths_of(small: Path, folder: Path) -> Iterator[Path]:
    folder.mkdir()
    for k, name in enumerate(CHANGES):
        yield changed(small, folder / str(k), name)
