# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers and images of an RLDS episode as streams of its recording."""

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.rlds.example import Example
from m2r2_ros.bags.rlds.features import STEPS, StepFeature
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

_ROWS: Final = 2048
_IMAGES: Final = 16


class ExampleNumbers:
    """The topics of a feature of numbers; see StepStream."""

    def __init__(
        self, example: Example, feature: StepFeature, stamps: NDArray[np.int64], names: TopicNames
    ) -> None:
        """Choose the topics.

        Args:
            example: The episode.
            feature: Of which.
            stamps: int64 (n,), of its steps, nanoseconds.
            names: Gives topics their names.
        """
        self.path: Path = example.path
        self._example, self._feature, self._stamps = example, feature, stamps
        short = feature.name.removeprefix(STEPS)
        plans = number_topics(short, feature.width, ())
        self._plans = {names.take(short, *map(part_of_topic, p.below)): p for p in plans}
        self.topics = tuple(
            step_topic(name, plan.type_name, len(stamps)) for name, plan in self._plans.items()
        )
        self.start, self.end = int(stamps[0]), int(stamps[-1])
        self.notes = tuple(plan.note for plan in plans if plan.note)

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of consecutive steps."""
        makers = {n: NumberMessages(p, '') for n, p in self._plans.items() if n in topics}
        with self.path.open('rb') as file:
            values = step_numbers(self._example, file, self._feature, len(self._stamps))
        first, last = rows_within(self._stamps, span)
        for low in range(first, last, _ROWS):
            high = min(low + _ROWS, last)
            stamps = self._stamps[low:high]
            yield FilePart(int(stamps[0]), 0, partial(joined, makers, stamps, values[low:high]))


class ExampleImages:
    """A feature of images, which stay as they are; see StepStream."""

    def __init__(
        self, example: Example, feature: StepFeature, stamps: NDArray[np.int64], names: TopicNames
    ) -> None:
        """Choose the topic; the arguments are those of ExampleNumbers."""
        self.path: Path = example.path
        self._example, self._feature, self._stamps = example, feature, stamps
        short = feature.name.removeprefix(STEPS)
        self._frame = part_of_topic(short)
        topic = step_topic(names.take(short, 'compressed'), IMAGE, len(stamps))
        self.topics: tuple[Topic, ...] = (topic,)
        self.start, self.end = int(stamps[0]), int(stamps[-1])
        self.notes: tuple[str, ...] = ()

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of consecutive images."""
        first, last = rows_within(self._stamps, span)
        for low in range(first, last, _IMAGES):
            high = min(low + _IMAGES, last)
            yield FilePart(int(self._stamps[low]), 0, partial(self._load, low, high), again=True)

    def _load(self, low: int, high: int) -> Loaded:
        messages = []
        with self.path.open('rb') as file:
            for k in range(low, high):
                data = self._example.data(file, self._feature.name, k, MOST_IMAGE)
                kind = image_kind(data)
                if not kind:
                    msg = (
                        f'{self.path}: {self._feature.name}: image {k} is neither JPEG nor PNG; '
                        f'leave {self.topics[0].name} out (null in the topic map)'
                    )
                    raise BagError(msg)
                time = int(self._stamps[k])
                messages.append((time, image_message(data, kind, self._frame, time)))
        return loaded_run(self.topics[0].name, messages)


def step_numbers(
    example: Example, file: BinaryIO, feature: StepFeature, steps: int
) -> NDArray[np.float64]:
    """Return the numbers of a feature, float64 (steps, width).

    Raises:
        BagError: There are more or fewer.
    """
    found = example.numbers(file, feature.name)
    if len(found) != steps * feature.width:
        msg = (
            f'{example.path}: {feature.name}: expected {feature.width} numbers in each of {steps} '
            f'steps, found {len(found)} in all'
        )
        raise BagError(msg)
    return found.astype(np.float64).reshape(steps, feature.width)
