# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers and images in the columns of a table as streams of an episode."""

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.lerobot.info import LeRobotFeature
from m2r2_ros.bags.lerobot.rows import EpisodeRows
from m2r2_ros.bags.lerobot.tables import StepTable, library, numbers_of, step_table
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, Span, Topic
from m2r2_ros.bags.steps.meaning import number_topics
from m2r2_ros.bags.steps.names import TopicNames, part_of_topic
from m2r2_ros.bags.steps.numbers import NumberMessages, joined
from m2r2_ros.bags.steps.stream import (
    IMAGE,
    MOST_IMAGE,
    image_kind,
    image_message,
    loaded_run,
    rows_within,
    step_topic,
)
from m2r2_ros.core.errors import BagError

#: Rows of a part: a minute of numbers, half a second of images.
_ROWS: Final = 2048
_IMAGES: Final = 16


class NumberColumns:
    """The topics of a feature of numbers; see StepStream."""

    def __init__(
        self, path: Path, feature: LeRobotFeature, rows: EpisodeRows, names: TopicNames
    ) -> None:
        """Choose the topics.

        Args:
            path: The table.
            feature: Its column.
            rows: Those of the episode.
            names: Gives topics their names.
        """
        self.path, self._feature, self._rows = path, feature, rows
        plans = number_topics(feature.name, feature.width, feature.names)
        self._plans = {
            names.take(feature.name, *map(part_of_topic, plan.below)): plan for plan in plans
        }
        self.topics = tuple(
            step_topic(name, plan.type_name, rows.count) for name, plan in self._plans.items()
        )
        self.start, self.end = int(rows.stamps[0]), int(rows.stamps[-1])
        self.notes = tuple(plan.note for plan in plans if plan.note)

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of consecutive rows."""
        makers = {
            name: NumberMessages(plan, '') for name, plan in self._plans.items() if name in topics
        }
        what = f'{self.path}: {self._feature.name}'
        first, last = rows_within(self._rows.stamps, span)
        low, high = self._rows.low + first, self._rows.low + last
        with step_table(self.path) as table:
            for base, batch in table.batches([self._feature.name], _ROWS, low, high):
                values = numbers_of(batch.column(0), self._feature.width, what)
                begin = base - self._rows.low
                stamps = self._rows.stamps[begin : begin + len(values)]
                yield FilePart(int(stamps[0]), 0, partial(joined, makers, stamps, values))


class ImageColumn:
    """A feature of images that lie in the table, which stay as they are; see StepStream."""

    def __init__(
        self, path: Path, feature: LeRobotFeature, rows: EpisodeRows, names: TopicNames
    ) -> None:
        """Choose the topic; the arguments are those of NumberColumns."""
        self.path, self._feature, self._rows = path, feature, rows
        self._frame = part_of_topic(feature.name)
        topic = step_topic(names.take(feature.name, 'compressed'), IMAGE, rows.count)
        self.topics: tuple[Topic, ...] = (topic,)
        self.start, self.end = int(rows.stamps[0]), int(rows.stamps[-1])
        self.notes: tuple[str, ...] = ()

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of consecutive rows."""
        first, last = rows_within(self._rows.stamps, span)
        low, high = self._rows.low + first, self._rows.low + last
        with step_table(self.path) as table:
            for base, batch in table.batches([self._feature.name], _IMAGES, low, high):
                begin = base - self._rows.low
                stamps = self._rows.stamps[begin : begin + batch.num_rows].tolist()
                yield FilePart(stamps[0], 0, partial(self._load, batch.column(0), stamps, begin))

    def _load(self, column: Any, stamps: list[int], begin: int) -> Loaded:  # noqa: ANN401
        held = column.field('bytes') if library('pyarrow').types.is_struct(column.type) else column
        messages = []
        for k, time in enumerate(stamps):
            data = held[k].as_py()
            kind = image_kind(data) if isinstance(data, bytes) else ''
            if not kind or len(data) > MOST_IMAGE:
                msg = (
                    f'{self.path}: {self._feature.name}: image {begin + k} is neither JPEG nor PNG '
                    f'of up to {MOST_IMAGE} bytes; leave {self.topics[0].name} out (null in the '
                    'topic map)'
                )
                raise BagError(msg)
            messages.append((time, image_message(data, kind, self._frame, time)))
        return loaded_run(self.topics[0].name, messages)


def holds_images(table: StepTable, column: str) -> bool:
    """Return whether a column holds images as files."""
    kind, kinds = table.type_of(column), library('pyarrow').types
    if kinds.is_struct(kind):
        fields = [kind.field(k) for k in range(kind.num_fields)]
        kind = next((field.type for field in fields if field.name == 'bytes'), kind)
    return bool(kinds.is_binary(kind) or kinds.is_large_binary(kind))
