# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as rows of language, which every frame of an episode repeats."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.export.frames.episodes import runs_of
from m2r2_ros.export.lerobot.features import LANGUAGE

_ROW: Final = pa.struct(
    [
        pa.field('role', pa.string(), nullable=False),
        pa.field('content', pa.string()),
        pa.field('style', pa.string()),
        pa.field('timestamp', pa.float32(), nullable=False),
        pa.field('camera', pa.string()),
        pa.field('tool_calls', pa.list_(pa.string())),
    ]
)
ROWS: Final = pa.list_(_ROW)
#: Rows of all frames of an episode together; readers keep some 50 bytes of each in memory.
MOST_ROWS: Final = 20_000_000
#: Rows that are written at once.
_AT_ONCE: Final = 200_000


def with_language(columns: pa.Schema, *, there: bool) -> pa.Schema:
    """Return the columns of frames, with that of language where it is there."""
    return columns.append(pa.field(LANGUAGE, ROWS)) if there else columns


def expect_few_rows(frames: int, changes: int) -> None:
    """Refuse an episode with too many rows.

    Args:
        frames: Of the episode.
        changes: Runs of frames with one label in it.

    Raises:
        ConfigError: It has too many.
    """
    if frames * changes > MOST_ROWS:
        msg = (
            f'an episode of {frames} frames with {changes} runs of labels has {frames * changes} '
            f'rows of language, since each frame repeats them; at most {MOST_ROWS} are written: '
            'make shorter episodes (--episodes segment), or leave --language out'
        )
        raise ConfigError(msg)


class LanguageColumn:
    """The column of one episode."""

    def __init__(self, subtasks: NDArray[np.int64], names: Sequence[str], fps: int) -> None:
        """Make a row of each run of frames with one label.

        Args:
            subtasks: Label of each frame, by its place among the names, int64 (n,).
            names: Of all labels.
            fps: Frames per second.
        """
        runs = runs_of(subtasks)
        rows = [
            {
                'role': 'assistant',
                'content': names[number],
                'style': 'subtask',
                'timestamp': start / fps,
                'camera': None,
                'tool_calls': None,
            }
            for number, start, _ in runs
        ]
        self._rows = pa.array(rows, _ROW)
        self.at_once = max(1, _AT_ONCE // max(len(rows), 1))

    def repeated(self, frames: int) -> pa.Array:
        """Return the column of so many frames."""
        count = len(self._rows)
        places = np.tile(np.arange(count, dtype=np.int32), frames)
        offsets = np.arange(frames + 1, dtype=np.int32) * count
        return pa.ListArray.from_arrays(offsets, self._rows.take(places), ROWS)
