# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recover what can be read of a truncated or corrupt MCAP recording into a valid bag."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.bags.mcap.records import MAGIC
from m2r2_ros.bags.mcap.salvage import Salvage
from m2r2_ros.bags.mcap.tally import Loss, Tally, TopicReport
from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.rosbag2 import REPAIR
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import reading

#: Topics that the new bag lists as incomplete.
_SUMMARISED: Final = 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair found.

    Attributes:
        out: The new bag.
        messages: Messages recovered, by topic.
        topics: What became of each topic.
        bytes_read: Size of the damaged files.
        losses: Ranges from which not everything was recovered as it was; of very many the first.
        more_losses: How many others there are.
        remarks: What else there is to say, such as what could not be checked.
        start: Log time of the first message, recovered or lost, nanoseconds; 0 without any.
    """

    out: Path
    messages: dict[str, int]
    topics: tuple[TopicReport, ...]
    bytes_read: int
    losses: tuple[Loss, ...]
    more_losses: int
    remarks: tuple[str, ...]
    start: int

    @property
    def complete(self) -> bool:
        """Nothing was lost, and nothing that was recovered is in doubt."""
        return not self.losses


def repair(
    source: Path, out: Path, *, overwrite: bool = False, progress: Progress | None = None
) -> RepairReport:
    """Copy every message that can be read into a new bag, and count those that cannot.

    After damaged bytes, the records that follow are found by the indexes of the file, or by how
    they look. What is read from a chunk whose checksum is wrong, or whose index disagrees, is
    copied and told as doubtful. One chunk is in memory at a time.

    Args:
        source: A damaged MCAP file, or a folder of one or several; never changed.
        out: The rosbag2 folder to write.
        overwrite: Replace `out`.
        progress: Called with bytes read so far and in all.

    Raises:
        BagError: There is no MCAP file, it cannot be read, or `out` cannot be written.
    """
    with reading(source, 'an MCAP file, or a folder of them', BagError):
        files = _files(source)
    refuse_same(out, source)
    total = sum(file.stat().st_size for file in files)
    before = 0
    tally = Tally()
    with BagWriter(out, overwrite=overwrite, discard_failed=True) as bag:
        for path in files:
            with path.open('rb') as file:
                for position in Salvage(path, file, bag, tally).run():
                    if progress is not None:
                        progress(before + position, total)
            before += path.stat().st_size
            if progress is not None:
                progress(before, total)
        counts = bag.counts
        topics = tally.topics(counts)
        if tally.losses:
            bag.custom[REPAIR] = _summary(topics)
    return RepairReport(
        bag.path,
        counts,
        topics,
        total,
        tuple(tally.losses),
        tally.more_losses,
        tuple(tally.remarks),
        tally.start,
    )


def _summary(topics: Iterable[TopicReport]) -> str:
    """Say what is wrong with the new bag, for those who open it."""
    parts = []
    for topic in topics:
        if topic.doubtful or topic.lost or not topic.exact:
            lost = f'{topic.lost} lost' if topic.exact else f'{topic.lost} or more lost'
            known = topic.start is not None
            when = f' between {topic.start} and {topic.end} ns' if known else ''
            parts.append(f'{topic.topic}: {topic.doubtful} doubtful, {lost}{when}')
    return '; '.join(parts[:_SUMMARISED]) + ('; …' if len(parts) > _SUMMARISED else '')


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
