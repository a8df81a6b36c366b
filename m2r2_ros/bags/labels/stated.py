# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth that a topic states: the state of a state machine, a phase, an annotation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from m2r2_ros.bags.labels.clock import RecordingClock, is_stamped
from m2r2_ros.bags.labels.samples import NONE, join_samples
from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import LabelError, NoTruthError
from m2r2_ros.core.labels import Segment, expect_labels
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import naming, reading
from m2r2_ros.core.text import excerpt, listed
from m2r2_ros.readers.definitions import store_for
from m2r2_ros.readers.paths import Step, parse_path
from m2r2_ros.readers.stamps import header_stamps

_MOST_LABELS: Final = 4096
#: Types that need no path.
_PLAIN: Final = frozenset(
    f'std_msgs/msg/{name}'
    for name in ('Bool', 'String', *(f'{u}Int{n}' for u in ('', 'U') for n in (8, 16, 32, 64)))
)


@dataclass(frozen=True, slots=True)
class StatedTruth:
    """A topic that says what is going on, from each message to the next.

    Attributes:
        topic: Its name.
        path: Of the field with the value: a whole number, true or false, or text.
        names: Labels by value; '' for no label. Without any, values are labels themselves.
    """

    topic: str
    path: str = 'data'
    names: Mapping[str, str] = field(default_factory=dict)


def load_stated(path: Path) -> StatedTruth:
    """Read a mapping of topic, field and names from a YAML file.

    Raises:
        ConfigError: The file cannot be read, or an entry is unknown or wrong.
    """
    root = Section.read(path, 'a mapping of topic, field and names')
    topic, place = root.text('topic'), root.text('field', 'data')
    steps = parse_path(place, f'{path}: field')
    if any(step.items and step.items[1] != step.items[0] + 1 for step in steps):
        root.refuse('field', 'a path to one value, such as data or status.phase[0]', place)
    names = root.get('names', (dict, list), {}, expected='labels by value, or a list of labels')
    root.close()
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    found = {str(value): label or '' for value, label in pairs}
    if wrong := [label for label in found.values() if not isinstance(label, str)]:
        root.refuse('names', 'labels in quotes, null for none', wrong[0])
    return StatedTruth(topic, place, found)


def read_stated(recording: Recording, stated: StatedTruth, clock: RecordingClock) -> list[Segment]:
    """Return what a topic states, each label from its message to the next one that differs.

    Messages count by their headers, or where they have none by their log times. The last label
    holds until the recording ends.

    Raises:
        BagError: The recording cannot be read.
        NoTruthError: It has no such topic, or no message of it.
        LabelError: The field is not there or no state, or a value has no name.
        MessageError: The type of the topic is not known.
    """
    topic = recording.topics.get(stated.topic)
    if topic is None or not topic.count:
        what = 'no message of' if topic else 'no topic'
        plain = [t.name for t in recording.topics.values() if t.type_name in _PLAIN and t.count]
        msg = (
            f'{recording.path} has {what} {stated.topic}, which is to state its ground truth; '
            f'topics of numbers and text: {listed(sorted(plain), 12) or "none"}'
        )
        raise NoTruthError(msg)
    place = f'{recording.path}: {stated.topic} ({topic.type_name})'
    with naming(place, LabelError):
        found = sorted(_states(recording, stated, clock), key=lambda state: state[0])
        labels = _named([value for _, value in found], stated)
        expect_labels(set(labels) - {''})
    stamps = [stamp for stamp, _ in found]
    return join_samples(stamps, labels, max(clock.end, stamps[-1]) if stamps else 0)


def _states(
    recording: Recording, stated: StatedTruth, clock: RecordingClock
) -> Iterator[tuple[int, str]]:
    """Yield the time of each message and its value as text."""
    topic = recording.topics[stated.topic]
    store = store_for(topic.type_name, topic.definition)
    stamped, moved = is_stamped(recording, topic.name), recording.start - clock.start
    expected = f'messages of type {topic.type_name}'
    steps = parse_path(stated.path, stated.path)
    for blocks in recording.blocks([topic.name]):
        for block in blocks:
            times = block.log_times - moved
            if stamped:
                stamps = header_stamps(block)
                times = np.where(stamps > 0, stamps, times)
            for k, time in enumerate(times.tolist()):
                with reading(f'{recording.path}: {topic.name}', expected, LabelError):
                    message = store.deserialize_cdr(block.message(k).tobytes(), topic.type_name)
                yield time, _value(message, stated.path, steps)


def _value(
    message: Any,  # noqa: ANN401 - a generated class
    path: str,
    steps: Sequence[Step],
) -> str:
    """Return what is at a path of a message, as text."""
    value = message
    for step in steps:
        known = getattr(value, '__dataclass_fields__', {})
        if step.name not in known or step.name.startswith('_'):
            there = listed([n for n in known if not n.startswith('_')], 12) or 'none'
            msg = f'{excerpt(path)}: no field {excerpt(step.name)}, but {there}'
            raise LabelError(msg)
        value = getattr(value, step.name)
        if step.items:
            index = step.items[0]
            length = len(value) if isinstance(value, (list, np.ndarray)) else 0
            if index >= length:
                msg = f'{path} has {length or "no"} items, so no item {index}'
                raise LabelError(msg)
            value = value[index]
    if isinstance(value, (bool, np.bool_)):
        return 'true' if value else 'false'
    if isinstance(value, (int, np.integer, str)):
        return str(value).strip()
    array = isinstance(value, (list, np.ndarray))
    kind = 'an array' if array else type(value).__name__.rpartition('__')[2]
    fields = list(getattr(value, '__dataclass_fields__', {}))
    way = f'; it has {listed([f for f in fields if not f.startswith("_")], 12)}' if fields else ''
    msg = f'{path} is {kind}, expected a whole number, true or false, or text{way}'
    raise LabelError(msg)


def _named(values: list[str], stated: StatedTruth) -> list[str]:
    """Return the label of each value, '' where there is none."""
    different = set(values)
    if len(different) > _MOST_LABELS:
        msg = f'{stated.path} has {len(different)} different values: it is no state'
        raise LabelError(msg)
    unnamed = sorted(different - stated.names.keys() - {''}) if stated.names else []
    if unnamed:
        msg = (
            f'{stated.path} has the values {listed(unnamed)}, which `names` does not have: name '
            'them, null for no label'
        )
        raise LabelError(msg)
    names = {value: stated.names.get(value, value) for value in different}
    plain = {value: '' if label.lower() in NONE else label for value, label in names.items()}
    return [plain[value] for value in values]
