# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of the robot, from REASSEMBLE files: wrenches, pose, twist, joints."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.reassemble.file import ReassembleFile
from m2r2_ros.bags.reassemble.layout import STAMPS, STATE, VectorTopic
from m2r2_ros.bags.reassemble.stamps import Stamps, read_stamps
from m2r2_ros.bags.reassemble.stream import make_topic
from m2r2_ros.bags.source import FilePart, Loaded, MessageRun
from m2r2_ros.bags.templates import MessageTemplate, message_template

#: Rows of a part: some seconds.
_ROWS: Final = 4096


class VectorStream:
    """A topic of rows of numbers; see Stream."""

    def __init__(self, file: ReassembleFile, sensor: VectorTopic, until: int | None) -> None:
        """Look at the stamps.

        Args:
            file: The file, which has the first of the datasets.
            sensor: What the topic is made of.
            until: Time from which on rows are left out, nanoseconds; None for none.

        Raises:
            BagError: A dataset is not as the data set describes it.
        """
        self._sensor, self._until = sensor, until
        self._present = [k for k, name in enumerate(sensor.datasets) if f'{STATE}/{name}' in file]
        rows = self._rows(file)
        self.topic = make_topic(sensor.topic, sensor.type_name, rows.stamps.count)
        self.start, self.end = rows.stamps.start, rows.stamps.end
        self.notes = rows.notes
        self.broken = ''

    def parts(self, file: ReassembleFile) -> Iterator[FilePart]:
        """Yield parts of consecutive rows."""
        rows = self._rows(file)
        template = self._template()
        for low, high, start in rows.stamps.parts(_ROWS):
            yield FilePart(start, 0, partial(self._load, file, rows, template, low, high))

    def _rows(self, file: ReassembleFile) -> '_Rows':
        """Pair the rows of the datasets."""
        first, *others = (self._sensor.datasets[k] for k in self._present)
        widths = [self._sensor.widths[k] for k in self._present]
        length = file.length(f'{STATE}/{first}', widths[0])
        stamps = read_stamps(file, first, length, self._sensor.topic, self._until)
        notes, usable = list(stamps.notes), stamps.usable.copy()
        which = [np.arange(len(stamps.times))]
        for name, width in zip(others, widths[1:], strict=True):
            length = file.length(f'{STATE}/{name}', width)
            held = _held(file, name, length, stamps)
            if held is None:
                which.append(which[0])
                continue
            notes.append(f'{self._sensor.topic}: each row holds the newest of {name} until then')
            if early := int((usable & (held < 0)).sum()):
                notes.append(f'{self._sensor.topic}: {early} rows before {name} are left out')
            usable &= held >= 0
            which.append(held)
        return _Rows(Stamps(stamps.times, usable, ()), which, tuple(notes))

    def _template(self) -> MessageTemplate:
        sensor = self._sensor
        groups = [sensor.groups[k] for k in self._present] if sensor.groups else []
        numbers = sum(sensor.widths[k] for k in self._present)
        # A pose's template knows that an orientation has a fourth number.
        return message_template(sensor.type_name, numbers, sensor.frame_id, sensor.joints, groups)

    def _load(
        self, file: ReassembleFile, rows: '_Rows', template: MessageTemplate, low: int, high: int
    ) -> Loaded:
        kept = np.flatnonzero(rows.stamps.usable[low:high]) + low
        columns = []
        for k, which in zip(self._present, rows.which, strict=True):
            chosen = which[kept]
            first = int(chosen.min())
            name = f'{STATE}/{self._sensor.datasets[k]}'
            columns.append(file.rows(name, first, int(chosen.max()) + 1)[chosen - first])
        values = np.hstack(columns)
        if self._sensor.columns:
            values = values[:, self._sensor.columns]
        times = rows.stamps.times[kept]
        messages = template.fill(times, values)
        lengths = np.full(len(messages), messages.shape[1], np.int64)
        data = messages.reshape(-1)
        return data, [MessageRun(self.topic.name, np.cumsum(lengths) - lengths, lengths, times)]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which rows of the datasets make a message.

    Attributes:
        stamps: Stamps of the messages, one for each row of the first dataset.
        which: For each dataset int64 (n,), its rows; negative where the message cannot be used.
        notes: What was left out.
    """

    stamps: Stamps
    which: list[NDArray[np.int64]]
    notes: tuple[str, ...]


def _held(file: ReassembleFile, name: str, length: int, leader: Stamps) -> NDArray[np.int64] | None:
    """Return the rows of a dataset that were the newest at the leader's stamps.

    They are -1 before its first; None where both have the same stamps.
    """
    own = read_stamps(file, name, length, name, None)
    if np.array_equal(own.times, leader.times):
        return None
    rows = np.flatnonzero(own.usable)
    rows = rows[np.argsort(own.times[rows], kind='stable')]
    found = np.searchsorted(own.times[rows], leader.times, side='right')
    held: NDArray[np.int64] = np.append(-1, rows)[found]
    return held


def vector_problem(file: ReassembleFile, sensor: VectorTopic) -> str:
    """Return why a topic cannot be made of a file, '' where it can."""
    needed = sensor.datasets[:1] if sensor.groups else sensor.datasets
    names = [f'{where}/{name}' for name in needed for where in (STATE, STAMPS)]
    missing = [name for name in names if name not in file]
    return f'no {", ".join(missing)}' if missing else ''
