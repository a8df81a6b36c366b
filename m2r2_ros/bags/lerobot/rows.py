# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which rows of a table are an episode's, and when they were."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.lerobot.dataset import LeRobotEpisode
from m2r2_ros.bags.lerobot.info import DatasetInfo
from m2r2_ros.bags.lerobot.tables import StepTable, numbers_of, whole_numbers_of
from m2r2_ros.bags.steps.stamps import stamps_of_times, usable_stamps
from m2r2_ros.bags.steps.stream import MOST_STEPS
from m2r2_ros.core.errors import BagError

#: A column with whole nanoseconds, where a dataset was made of recordings with a clock.
STAMP: Final = 'stamp_ns'
#: Rows read at a time of columns with one number.
_ROWS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class EpisodeRows:
    """The rows of an episode.

    Attributes:
        low: The first in its table.
        stamps: int64 (n,), nanoseconds, rising.
        edges: int64 (n + 1,), the stamps and the end of the last step.
        columns: Whole numbers by column, int64 (n,); those asked for that are there.
        notes: What is odd about them.
    """

    low: int
    stamps: NDArray[np.int64]
    edges: NDArray[np.int64]
    columns: dict[str, NDArray[np.int64]]
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """Steps."""
        return len(self.stamps)


def rows_of(
    table: StepTable, episode: LeRobotEpisode, info: DatasetInfo, whole: Collection[str]
) -> EpisodeRows:
    """Find the rows of an episode, and read when they were.

    Args:
        table: The table.
        episode: Of which.
        info: The dataset.
        whole: Columns of whole numbers to read besides, where they are there.

    Raises:
        BagError: There are none, or columns hold something else.
    """
    low, high = (0, table.rows) if info.version == 2 else _found(table, episode.index)
    if not 0 < high - low <= MOST_STEPS:
        msg = (
            f'{table.path}: has {high - low} rows of episode {episode.index}; expected 1 to '
            f'{MOST_STEPS}: download it again'
        )
        raise BagError(msg)
    notes = []
    if high - low != episode.length:
        notes.append(f'{high - low} steps are there, {episode.length} are listed')
    wanted = [c for c in ('frame_index', STAMP, *whole) if c in table.columns]
    columns = {c: _whole(table, c, low, high) for c in wanted}
    numbers = columns.get('frame_index', np.arange(high - low))
    if (np.diff(numbers) <= 0).any() or numbers[0] < 0 or numbers[-1] >= MOST_STEPS:
        notes.append('frame_index does not rise from 0 on: steps are counted instead')
        numbers = np.arange(high - low)
    stamps = columns.pop(STAMP, None)
    if stamps is None or not usable_stamps(stamps):
        if stamps is not None:
            notes.append(f'{STAMP} does not rise, or is out of range: timestamp is used instead')
        seconds = _seconds(table, low, high, numbers, info)
        stamps, note = stamps_of_times(seconds, numbers, info.rate)
        notes += [note] if note else []
    step = int(np.median(np.diff(stamps))) if len(stamps) > 1 else round(1_000_000_000 / info.rate)
    edges = np.append(stamps, stamps[-1] + step)
    return EpisodeRows(low, stamps, edges, columns, tuple(notes))


def _seconds(
    table: StepTable, low: int, high: int, numbers: NDArray[np.int64], info: DatasetInfo
) -> NDArray[np.float64]:
    """Return the times of rows from the start of the episode, s."""
    if 'timestamp' not in table.columns:
        return numbers / float(info.rate)
    what = f'{table.path}: timestamp'
    batches = table.batches(['timestamp'], _ROWS, low, high)
    parts = [numbers_of(batch.column(0), 1, what) for _, batch in batches]
    return np.concatenate(parts).reshape(-1)


def _whole(table: StepTable, column: str, low: int, high: int) -> NDArray[np.int64]:
    what = f'{table.path}: {column}'
    parts = [
        _whole_or_truth(b.column(0), what) for _, b in table.batches([column], _ROWS, low, high)
    ]
    return np.concatenate(parts)


def _whole_or_truth(column: Any, what: str) -> NDArray[np.int64]:  # noqa: ANN401 - an Arrow array
    if str(column.type) == 'bool':
        column = column.fill_null(False).cast('int8')
    return whole_numbers_of(column, what)


def _found(table: StepTable, index: int) -> tuple[int, int]:
    """Return the first row of an episode, and the row after its last.

    Raises:
        BagError: There are others between them.
    """
    what, low, high, count = f'{table.path}: episode_index', -1, 0, 0
    for base, batch in table.batches(['episode_index'], _ROWS):
        rows = np.flatnonzero(whole_numbers_of(batch.column(0), what) == index)
        if len(rows):
            low = base + int(rows[0]) if low < 0 else low
            high, count = base + int(rows[-1]) + 1, count + len(rows)
    if low >= 0 and high - low != count:
        msg = f'{what}: the rows of episode {index} are not together; download the dataset again'
        raise BagError(msg)
    return max(low, 0), high
