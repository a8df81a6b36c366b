# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth of REASSEMBLE files: actions, and the low level below them."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from m2r2_ros.bags.reassemble.facts import NO_ACTION, action_labels, phase_labels
from m2r2_ros.bags.reassemble.file import ReassembleFile
from m2r2_ros.bags.reassemble.layout import SEGMENTS
from m2r2_ros.bags.reassemble.stamps import to_nanoseconds
from m2r2_ros.bags.reassemble.stream import loaded, make_topic
from m2r2_ros.bags.source import FilePart, Topic
from m2r2_ros.bags.writing.kept import KeptMessages
from m2r2_ros.core.labels import LabelSet, Segment

#: In front of the topics of the low level, below those of ground truth; as in the simulated cell.
_PHASE: Final = '/phase'
_LOW_LEVEL: Final = 'low_level'


@dataclass(frozen=True, slots=True)
class Lane:
    """Segments of one level.

    Attributes:
        prefix: In front of the topic names, below those of ground truth.
        labels: Label set of the level.
        segments: In order of start.
    """

    prefix: str
    labels: LabelSet
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Both levels of a recording.

    Attributes:
        lanes: Actions and phases; () where the file has no segments.
        notes: What was left out or has no label of its own, and why.
    """

    lanes: tuple[Lane, ...]
    notes: tuple[str, ...]

    @property
    def last_action(self) -> int | None:
        """Where the last action begins, nanoseconds; None without any."""
        segments = self.lanes[0].segments if self.lanes else ()
        return max((s.start for s in segments if s.label != NO_ACTION), default=None)


class TruthStream:
    """A topic of ground truth; see Stream."""

    def __init__(self, topic: Topic, messages: list[tuple[int, bytes]]) -> None:
        self.topic = topic
        self._messages = messages
        self.start = min((time for time, _ in messages), default=0)
        self.end = max((time for time, _ in messages), default=0)
        self.notes: tuple[str, ...] = ()
        self.broken = ''

    def parts(self, file: ReassembleFile) -> Iterator[FilePart]:
        """Yield all messages as one part."""
        if self._messages:
            yield FilePart(self.start, 0, lambda: loaded(self.topic.name, self._messages))


def truth_streams(lanes: tuple[Lane, ...], start: int) -> list[TruthStream]:
    """Return the topics of ground truth.

    Args:
        lanes: The levels.
        start: Log time of the label sets, nanoseconds.
    """
    # Labels are read from recordings, of which this is one kind.
    from m2r2_ros.bags.labels.topics import GROUND_TRUTH
    from m2r2_ros.bags.labels.writer import LabelWriter

    kept = KeptMessages()
    for lane in lanes:
        writer = LabelWriter(kept, GROUND_TRUTH + lane.prefix, frame_labels=False)
        writer.write_label_set(lane.labels, '', start)
        for k, segment in enumerate(lane.segments):
            writer.write_segment(segment, lane.labels.id_of(segment.label), k, '')
    return [
        TruthStream(make_topic(name, type_name, len(kept.messages[name]), qos), kept.messages[name])
        for name, (type_name, qos) in kept.topics.items()
    ]


def read_ground_truth(file: ReassembleFile) -> GroundTruth:
    """Read the segments of a file.

    Raises:
        BagError: A segment lacks a field, or its text is not UTF-8.
    """
    groups = [f'{SEGMENTS}/{name}' for name in file.names(SEGMENTS)]
    if not groups:
        return GroundTruth((), (f'no {SEGMENTS}: there is no ground truth',))
    notes: list[str] = []
    actions = _lane(file, groups, '', action_labels(), notes)
    below = [
        f'{group}/{_LOW_LEVEL}/{name}'
        for group in groups
        for name in file.names(f'{group}/{_LOW_LEVEL}')
    ]
    phases = _lane(file, below, _PHASE, phase_labels(), notes)
    return GroundTruth((actions, phases), tuple(notes))


def _lane(
    file: ReassembleFile, groups: list[str], prefix: str, labels: LabelSet, notes: list[str]
) -> Lane:
    """Read the segments of one level; what is unexpected goes into the notes."""
    segments = []
    for group in groups:
        start, end = (to_nanoseconds(file.number(f'{group}/{key}')) for key in ('start', 'end'))
        label = label_of(_text(file, f'{group}/text'))
        if start is None or end is None or end <= start:
            notes.append(f'{group} ({label}) does not end after its start and is left out')
            continue
        success = bool(file.number(f'{group}/success'))
        segments.append(Segment(start, end, label, success=success))
    segments.sort(key=lambda segment: (segment.start, segment.end))
    strange = Counter(s.label for s in segments if s.label not in labels.names)
    notes += [f'label {name} ({n} times) is not one of the data set' for name, n in strange.items()]
    return Lane(prefix, labels, tuple(segments))


def label_of(text: str) -> str:
    """Return the label that a text stands for: 'Pick round peg 1.' is pick_round_peg_1."""
    return re.sub('[^a-z0-9]+', '_', text.lower()).strip('_')


def _text(file: ReassembleFile, name: str) -> str:
    value = file.value(name)
    try:
        text = value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as error:
        raise file.wrong(name, f'{value!r}', 'UTF-8') from error
    if not label_of(text):
        raise file.wrong(name, repr(text), "an action such as 'Pick USB.'")
    return text
