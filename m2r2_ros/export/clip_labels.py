# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The labels that clips of a recording hold."""

from dataclasses import dataclass, replace
from typing import Final

from m2r2_ros.bags.labels.origin import Origin, facts_of_labels
from m2r2_ros.bags.labels.reader import read_label_set, read_segments
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL_SET_TOPIC, SEGMENT, SEGMENT_TOPIC
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.labels import Segment
from m2r2_ros.export.labelled import Labelled

_MADE: Final = (Origin.AUTOMATIC, Origin.HEURISTIC)


@dataclass(frozen=True, slots=True)
class ClipLabels:
    """The labels that clips hold.

    Attributes:
        labelled: All labels of the recording.
        prefix: In front of the topics: GROUND_TRUTH, or '' for those that a model made.
        model_id: Of the model; '' without one.
    """

    labelled: Labelled
    prefix: str
    model_id: str

    @property
    def topics(self) -> tuple[str, str]:
        """The topics that hold them."""
        return self.prefix + LABEL_SET_TOPIC, self.prefix + SEGMENT_TOPIC

    def within(self, since: int, until: int) -> list[tuple[int, Segment]]:
        """Return numbers and segments of a span, in order of their ends, cut at its edges.

        What is cut off at its end has no outcome: it was not over yet.
        """
        found = []
        for number, s in enumerate(self.labelled.segments):
            start, end = max(s.start, since), min(s.end, until)
            if start < end or (s.start == s.end and since <= start < until):
                success = s.success if s.end <= until else None
                found.append((number, replace(s, start=start, end=end, success=success)))
        return sorted(found, key=lambda pair: pair[1].end)


def other_lanes(labels: ClipLabels) -> list[ClipLabels]:
    """Return the ground truth that stands beside the labels, such as phases, by its topics.

    As messages, its segments would hold what is outside of a clip, or be lost with their ends.

    Raises:
        M2R2Error: It cannot be read.
    """
    recording = open_recording(labels.labelled.recording)
    found = []
    for topic in recording.topics.values():
        prefix = topic.name.removesuffix(SEGMENT_TOPIC)
        beside = prefix != topic.name and prefix.startswith(f'{GROUND_TRUTH}/')
        if topic.type_name != SEGMENT or not beside:
            continue
        if (label_set := read_label_set(recording.path, prefix)) is None:
            continue
        segments = tuple(read_segments(recording.path, topic.name))
        lane = replace(labels.labelled, segments=segments, label_set=label_set)
        found.append(ClipLabels(lane, prefix, ''))
    return found


def clip_labels(labelled: Labelled) -> ClipLabels:
    """Return the labels of a recording as clips hold them.

    Raises:
        M2R2Error: It cannot be told where they come from.
    """
    facts = facts_of_labels(labelled.source)
    made = facts.origin in _MADE
    return ClipLabels(labelled, '' if made else GROUND_TRUTH, facts.by if made else '')
