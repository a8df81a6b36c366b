# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An episode of an RLDS dataset as a recording.

RLDS knows steps, not times: where no feature has stamps, steps follow each other at a rate.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.rlds.dataset import EpisodePlace, RldsDataset, episode_of, read_rlds
from m2r2_ros.bags.rlds.example import BYTES, Example
from m2r2_ros.bags.rlds.features import CHOICE, IMAGE, NUMBERS, STEPS, StepFeature
from m2r2_ros.bags.rlds.labels import LABELS, rlds_labels
from m2r2_ros.bags.rlds.records import EXPECTED, check_record
from m2r2_ros.bags.rlds.streams import ExampleImages, ExampleNumbers
from m2r2_ros.bags.steps.meaning import MOST_NUMBERS
from m2r2_ros.bags.steps.names import TopicNames
from m2r2_ros.bags.steps.source import StepSource
from m2r2_ros.bags.steps.stamps import stamps_of_numbers, usable_stamps
from m2r2_ros.bags.steps.stream import MOST_STEPS, StepStream
from m2r2_ros.bags.steps.truth import TruthTopics
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import reading

#: Steps per second where nothing says it.
RATE: Final = Fraction(10)
#: Features with the stamps of steps, whole nanoseconds.
_STAMPS: Final = ('stamp_ns', 'observation/stamp_ns', 'timestamp_ns', 'observation/timestamp_ns')
#: Features that are no topics.
_NO_TOPICS: Final = frozenset({*_STAMPS, *LABELS})


def open_rlds(folder: Path, split: str, number: int, rate: Fraction | None = None) -> StepSource:
    """Open an episode of a dataset.

    Args:
        folder: The dataset.
        split: Such as 'train'.
        number: Of the episode in the split, from 0 on.
        rate: Steps per second where the steps have no stamps; None takes RATE.

    Raises:
        BagError: The dataset has no such episode, or it is damaged.
        ConfigError: What checks the records is not installed.
    """
    dataset = read_rlds(folder)
    place = episode_of(dataset, split, number)
    what = f'{place.path}: record of {split}_{number:06d}'
    with place.path.open('rb') as file, reading(what, EXPECTED, BagError):
        check_record(file, place.record, what)
        example = Example(place.path, file, place.record)
        return _source(dataset, place, example, file, rate, number)


def _source(
    dataset: RldsDataset,
    place: EpisodePlace,
    example: Example,
    file: BinaryIO,
    rate: Fraction | None,
    number: int,
) -> StepSource:
    steps = _steps(dataset, example, file)
    stamps, notes = _stamps(dataset, example, file, steps, rate)
    streams: list[StepStream] = list(_streams(dataset, example, stamps, notes))
    step = int(np.median(np.diff(stamps))) if steps > 1 else round(10**9 / (rate or RATE))
    edges = np.append(stamps, stamps[-1] + step)
    labels = rlds_labels(dataset, example, file, stamps, edges, number)
    start = int(stamps[0])
    streams += [TruthTopics(place.path, lane, start, below) for below, lane in labels.items()]
    return StepSource(place.path, streams, notes)


def _steps(dataset: RldsDataset, example: Example, file: BinaryIO) -> int:
    """Return the number of steps, which no record says by itself.

    Raises:
        BagError: There is none, or too many.
    """
    for feature in dataset.features.values():
        if not feature.name.startswith(STEPS) or feature.name not in example.values:
            continue
        values = example.values[feature.name]
        if values.kind == BYTES:
            count = len(values.places)
        elif feature.kind in (NUMBERS, CHOICE) and feature.width:
            count = len(example.numbers(file, feature.name)) // feature.width
        else:
            continue
        if 0 < count <= MOST_STEPS:
            return count
    msg = f'{example.path}: an episode has no steps, or more than {MOST_STEPS}; leave it out'
    raise BagError(msg)


def _stamps(
    dataset: RldsDataset, example: Example, file: BinaryIO, steps: int, rate: Fraction | None
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the stamps of steps, and what there is to say about them."""
    for name in (STEPS + stamp for stamp in _STAMPS):
        feature = dataset.features.get(name)
        if feature is None or feature.dtype != 'int64' or name not in example.values:
            continue
        found = example.numbers(file, name).astype(np.int64)
        if len(found) == steps and usable_stamps(found):
            return found, []
    used = RATE if rate is None else rate
    told = f'steps have no stamps: {float(used):g} a second are assumed'
    more = '; m2r2 import rlds --rate says another' if rate is None else ''
    return stamps_of_numbers(np.arange(steps), used), [told + more]


def _streams(
    dataset: RldsDataset, example: Example, stamps: NDArray[np.int64], notes: list[str]
) -> Iterator[StepStream]:
    """Yield the topics of an episode; what becomes none goes into the notes."""
    names = TopicNames()
    for feature in dataset.features.values():
        short = feature.name.removeprefix(STEPS)
        if not feature.name.startswith(STEPS) or short in _NO_TOPICS:
            continue
        if why := _left_out(feature, example, len(stamps)):
            notes.append(f'no topic of {short}: {why}')
        elif feature.kind == IMAGE:
            yield ExampleImages(example, feature, stamps, names)
        else:
            yield ExampleNumbers(example, feature, stamps, names)


def _left_out(feature: StepFeature, example: Example, steps: int) -> str:
    """Return why a feature becomes no topic, '' where it does."""
    values = example.values.get(feature.name)
    if values is None or not values.kind:
        return 'the episode has none of it'
    if feature.kind == IMAGE:
        count = len(values.places)
        return '' if count == steps else f'it has {count} images for {steps} steps'
    if feature.kind not in (NUMBERS, CHOICE):
        return f'it is {feature.kind}'
    if not 0 < feature.width <= MOST_NUMBERS:
        return f'it has {feature.width} numbers'
    return 'it is packed' if values.kind == BYTES else ''
