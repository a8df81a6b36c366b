# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recover what can be read of a truncated or corrupt MCAP recording into a valid bag."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.mcap.records import MAGIC
from m2r2_ros.bags.mcap.salvage import Loss, Salvage
from m2r2_ros.bags.writing.replacing import refuse_same
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair found.

    Attributes:
        out: The new bag.
        messages: Messages recovered, by topic.
        bytes_read: Size of the damaged files.
        losses: Ranges from which not everything was recovered; empty for a valid recording.
    """

    out: Path
    messages: dict[str, int]
    bytes_read: int
    losses: tuple[Loss, ...]


def repair(
    source: Path, out: Path, *, overwrite: bool = False, progress: Progress | None = None
) -> RepairReport:
    """Copy every message that can be read into a new bag.

    Handles files without an end, truncated inside a chunk, and with damaged chunks in between: a
    chunk whose content is wrong is left out as a whole; of a truncated one, what comes before the
    cut is kept. One chunk is in memory at a time.

    Args:
        source: A damaged MCAP file, or a folder of one or several; never changed.
        out: The rosbag2 folder to write.
        overwrite: Replace `out`.
        progress: Called with bytes read so far and in all.

    Raises:
        BagError: There is no MCAP file, it cannot be read, or `out` cannot be written.
    """
    files = _files(source)
    refuse_same(out, source)
    total = sum(file.stat().st_size for file in files)
    before = 0
    losses: list[Loss] = []
    with BagWriter(out, overwrite=overwrite, discard_failed=True) as bag:
        for path in files:
            with path.open('rb') as file:
                salvage = Salvage(path, file, bag)
                for position in salvage.run():
                    if progress is not None:
                        progress(before + position, total)
            losses += salvage.losses
            before += path.stat().st_size
            if progress is not None:
                progress(before, total)
        counts = bag.counts
    return RepairReport(bag.path, counts, total, tuple(losses))


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        found = (file for file in source.glob('*.mcap') if file.is_file())
        files = sorted(found, key=_natural_order)
    else:
        files = [source] if source.is_file() else []
    if not files:
        msg = f'{source} is or holds no MCAP file; for sqlite3 files, use `sqlite3 FILE .recover`'
        raise BagError(msg)
    if not any(map(_is_mcap, files)):
        names = ', '.join(map(str, files))
        msg = f'{names} does not begin like an MCAP file: nothing can be recovered from it'
        raise BagError(msg)
    return files


def _is_mcap(file: Path) -> bool:
    with file.open('rb') as stream:
        return stream.read(len(MAGIC)) == MAGIC


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort bag_2 before bag_10."""
    return [(int(part or 0), text) for text, part in re.findall(r'(\D*)(\d*)', path.name)]
