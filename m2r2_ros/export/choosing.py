# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which segments are exported."""

from dataclasses import dataclass, replace
from enum import Enum

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.labelled import Labelled


class OutcomeKind(str, Enum):
    """What is known of an attempt."""

    SUCCESS = 'success'
    FAILURE = 'failure'
    UNKNOWN = 'unknown'

    @classmethod
    def of(cls, segment: Segment) -> 'OutcomeKind':
        """Return that of a segment."""
        if segment.success is None:
            return cls.UNKNOWN
        return cls.SUCCESS if segment.success else cls.FAILURE


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    """What a segment must be to be exported.

    Attributes:
        labels: One of these, or with one of these as its parent; () for any.
        outcomes: With one of these; () for any.
        min_duration: Least length, seconds.
        max_duration: Greatest length, seconds.
        min_confidence: Least confidence, 0..1.
    """

    labels: tuple[str, ...] = ()
    outcomes: tuple[OutcomeKind, ...] = ()
    min_duration: float = 0.0
    max_duration: float = float('inf')
    min_confidence: float = 0.0

    def takes(self, segment: Segment, parent: str = '') -> bool:
        """Return whether a segment, whose label may have a parent, is exported."""
        seconds = (segment.end - segment.start) / SECOND
        return (
            (not self.labels or segment.label in self.labels or parent in self.labels)
            and (not self.outcomes or OutcomeKind.of(segment) in self.outcomes)
            and self.min_duration <= seconds <= self.max_duration
            and segment.confidence >= self.min_confidence
        )

    def of(self, labelled: Labelled) -> list[tuple[int, Segment]]:
        """Return the segments to export, each with its number among all of the recording, from 0.

        Raises:
            LabelError: A label is not in the recording's label set.
        """
        known = {*labelled.label_set.names, *labelled.label_set.parents}
        if wrong := [label for label in self.labels if label not in known]:
            msg = (
                f'{labelled.source}: no label {listed(wrong)} in its label set, but '
                f'{listed(labelled.label_set.names, 20)}'
            )
            raise LabelError(msg)
        return [
            (number, segment)
            for number, segment in enumerate(labelled.segments)
            if self.takes(segment, labelled.parent_of(segment.label))
        ]

    def applied(self, labelled: Labelled) -> Labelled:
        """Return a recording with the segments that are exported alone.

        Raises:
            LabelError: A label is not in the recording's label set.
        """
        return replace(labelled, segments=tuple(segment for _, segment in self.of(labelled)))
