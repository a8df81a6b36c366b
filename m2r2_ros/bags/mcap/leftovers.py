# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that a recorder which was killed has left, made whole where they lie."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.bags.folder import part_of
from m2r2_ros.bags.mcap.completion import complete, counts_of, file_info, topics_of
from m2r2_ros.bags.mcap.index import read_index
from m2r2_ros.bags.mcap.records import MAGIC, PREFIX
from m2r2_ros.bags.rosbag2 import INFORMATION, METADATA
from m2r2_ros.bags.writing.metadata import TopicInfo, bag_metadata, dump_yaml
from m2r2_ros.bags.writing.replacing import RECORDED, library_of, remove_bag
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import PARTIAL, Claim, cannot_write, sync

#: The last word of what a recorder's file says of who wrote it.
_RECORDER: Final = RECORDED.rpartition(' ')[2]


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a leftover.

    Attributes:
        path: The bag; None where there was no message in it and it was removed.
        messages: How many it holds.
        damaged: Files whose last bytes could not be read.
    """

    path: Path | None
    messages: int
    damaged: tuple[str, ...]


def leftovers(folder: Path) -> list[Path]:
    """Return the folders of recordings that are not finished, of which some may still grow."""
    with suppress(OSError):
        return sorted(path for path in folder.glob(f'*{PARTIAL}') if _is_recording(path))
    return []


def finish_leftover(partial: Path) -> Finished:
    """Complete the files of a recording, write its metadata.yaml and give it its name.

    Raises:
        BagError: A file is damaged, something else has the name, or the disk is full.
        OutputError: The recording goes on.
    """
    path = partial.with_name(partial.name.removesuffix(PARTIAL))
    with Claim(path):
        if not partial.exists():
            return Finished(path, 0, ())
        if path.exists():
            msg = f'{path} exists, and {partial} cannot be given its name: rename one of them'
            raise BagError(msg)
        try:
            return _finish(partial, path)
        except OSError as error:
            raise BagError(str(cannot_write(partial, error))) from error


def _finish(partial: Path, path: Path) -> Finished:
    files = sorted(partial.glob('*.mcap'), key=_number)
    filled = [file for file in files if not _is_blank(file)]
    if not filled:
        remove_bag(partial)
        return Finished(None, 0, ())
    damaged = tuple(file.name for file in filled if complete(file))
    infos, counts, topics = [], Counter[str](), dict[str, TopicInfo]()
    for file in filled:
        index = read_index(file)
        infos.append(file_info(index))
        counts.update(counts_of(index))
        topics |= topics_of(index)
        sync(file)
    listed = [(topic, counts[name]) for name, topic in topics.items()]
    content = {INFORMATION: bag_metadata(infos, listed)}
    (partial / METADATA).write_text(dump_yaml(content), encoding='utf-8')
    sync(partial / METADATA)
    for file in files:
        if file not in filled:
            file.unlink()
    partial.rename(path)
    return Finished(path, counts.total(), damaged)


def _is_recording(partial: Path) -> bool:
    """Return whether a folder holds the files of a recorder, and nothing else."""
    with suppress(OSError):
        files = [path for path in partial.iterdir() if path.name != METADATA]
        ours = all(f.suffix == '.mcap' and (_is_blank(f) or _is_recorded(f)) for f in files)
        return bool(files) and ours and not partial.is_symlink()
    return False


def _is_recorded(file: Path) -> bool:
    return library_of(file).endswith(f' {_RECORDER}')


def _is_blank(file: Path) -> bool:
    """Return whether a file was begun and nothing was written to it."""
    size = file.stat().st_size
    if size == 0:
        return True
    with file.open('rb') as stream:
        head = stream.read(len(MAGIC) + PREFIX.size)
    if len(head) < len(MAGIC) + PREFIX.size or not head.startswith(MAGIC):
        return False
    return _is_recorded(file) and size == len(head) + PREFIX.unpack(head[len(MAGIC) :])[1]


def _number(file: Path) -> tuple[int, str]:
    number = part_of(file)[1]
    return (number, '' if number >= 0 else file.name)
