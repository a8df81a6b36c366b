# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was sensed as a table of numbers, a row for each frame: forces, motion, fingers, joints."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.frames.names import number_names
from m2r2_ros.export.frames.reader import FrameReader
from m2r2_ros.export.frames.sensors import choose


def write_signals(
    path: Path,
    recording: Recording,
    start: int,
    rate: int,
    told: Callable[[float], None] = lambda share: None,
) -> list[str]:
    """Write a CSV with the column `time`, seconds, and one for each number; returns the others.

    Args:
        path: File to write.
        recording: What was sensed.
        start: When seconds begin, nanoseconds.
        rate: Rows per second.
        told: Called with the share that is done, 0..1.

    Raises:
        BagError: The recording has no numbers, or cannot be read.
        OutputError: The file cannot be written.
    """
    found = choose(recording, {}, 'next-state')
    chosen = replace(found, cameras={}, action=None)
    names = [name for spec in chosen.vectors.values() for name in number_names(spec)]
    # A full stop in the name of a column is a path to Label Studio.
    columns = [name.replace('.', '_') for name in names]
    if not columns:
        msg = f'{recording.path}: no forces, motion or other numbers in it that could be drawn'
        raise BagError(msg)
    reader = FrameReader(recording, chosen, rate)
    count = 0
    with atomic_write(path) as draft, draft.open('w', newline='', encoding='utf-8') as file:
        table = csv.writer(file)
        table.writerow(('time', *columns))
        for rows in reader:
            values = np.concatenate([rows.vectors[name] for name in chosen.vectors], axis=1)
            seconds = (rows.stamps - start) / SECOND
            for second, row in zip(seconds.tolist(), values.tolist(), strict=True):
                table.writerow((f'{second:.6f}', *(f'{value:.6g}' for value in row)))
            count += len(rows)
            told(reader.progress)
        if not count:
            msg = f'{recording.path}: its sensors have no time in common, of which rows could be'
            raise BagError(msg)
    return columns
