# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a recording and its labels become episodes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.origin import facts_of_labels
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.export.labelled import Labelled

#: No frame of an episode.
NO_EPISODE: Final = -1


class EpisodesOf(str, Enum):
    """What an episode is of."""

    RECORDING = 'recording'  # all of one
    SEGMENT = 'segment'  # each attempt
    SUCCESS = 'success'  # each attempt that succeeded


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What is known of an episode before its frames are.

    Attributes:
        source: The recording and its labels.
        segments: Those of its labels that lie in it, at least in part.
        success: Whether what it is of succeeded; None where that is not known.
    """

    source: Labelled
    segments: tuple[Segment, ...]
    success: bool | None = None

    def to_dict(self, stamps: tuple[int, int]) -> dict[str, Any]:
        """Return what a data set keeps of it: its origin, and its labels to the nanosecond.

        Args:
            stamps: Of its first and its last frame.

        Raises:
            M2R2Error: Its labels cannot be read any more.
        """
        facts = facts_of_labels(self.source.source) if self.segments else None
        origin = {} if facts is None else {
            'origin': facts.origin.value if facts.origin else '',
            'by': facts.by,
            'time': facts.time,
            'tool': facts.tool,
            'started_from': facts.started_from,
        }  # fmt: skip
        return {
            'recording': self.source.name,
            'first_stamp_ns': stamps[0],
            'last_stamp_ns': stamps[1],
            'success': self.success,
            'labels': {'source': self.source.source.name, **origin} if facts else None,
            'segments': [
                {
                    'start_ns': s.start,
                    'end_ns': s.end,
                    'label': s.label,
                    'parent': self.source.parent_of(s.label),
                    'confidence': s.confidence,
                    'success': s.success,
                }
                for s in self.segments
            ],
        }


class EpisodePlan:
    """The episodes of one recording, and the labels of its frames.

    Of segments that overlap the one that began last counts, as everywhere.
    """

    def __init__(self, labelled: Labelled, of: EpisodesOf, task: str = '') -> None:
        """Cut a recording.

        Args:
            labelled: The recording and its labels.
            of: What an episode is of.
            task: What all of it is for; '' takes the coarse label of each frame.
        """
        self._labelled, self._of, self._task = labelled, of, task
        self._segments = sorted(labelled.segments, key=lambda s: s.start)
        self._starts = np.array([s.start for s in self._segments], np.int64)
        self._ends = np.array([s.end for s in self._segments], np.int64)
        self._tasks = [task or labelled.parent_of(s.label) or s.label for s in self._segments]

    def segments_at(self, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which segment each frame lies in, NO_EPISODE outside of all; int64 (n,)."""
        found = np.searchsorted(self._starts, stamps, side='right') - 1
        if not len(self._ends):
            return found
        inside = (found >= 0) & (stamps < self._ends[np.maximum(found, 0)])
        return np.where(inside, found, NO_EPISODE)

    def episodes_at(self, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the episode of each frame, NO_EPISODE of none; int64 (n,)."""
        if self._of is EpisodesOf.RECORDING:
            return np.zeros(len(stamps), np.int64)
        found = self.segments_at(stamps)
        if self._of is EpisodesOf.SUCCESS:
            good = np.array([s.success is True for s in self._segments] + [False])
            found = np.where(good[found], found, NO_EPISODE)
        return found

    def facts(self, episode: int) -> EpisodeFacts:
        """Return what is known of an episode."""
        if self._of is EpisodesOf.RECORDING:
            return EpisodeFacts(self._labelled, tuple(self._segments))
        segment = self._segments[episode]
        return EpisodeFacts(self._labelled, (segment,), segment.success)

    def labels_at(self, stamps: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """Return label and task of each frame; UNKNOWN_LABEL where there is none."""
        found = self.segments_at(stamps).tolist()
        labels = [self._segments[k].label if k >= 0 else UNKNOWN_LABEL for k in found]
        none = self._task or UNKNOWN_LABEL
        return labels, [self._tasks[k] if k >= 0 else none for k in found]


def label_names(labelled: Iterable[Labelled]) -> tuple[str, ...]:
    """Return the labels of several recordings, UNKNOWN_LABEL last; their places are their ids."""
    names = dict.fromkeys(name for one in labelled for name in one.label_set.names)
    names.pop(UNKNOWN_LABEL, None)
    return (*names, UNKNOWN_LABEL)


def runs_of(numbers: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return the runs of equal numbers: number, where it begins, and where it ends."""
    if not len(numbers):
        return []
    starts: Sequence[int] = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist()]
    ends = [*starts[1:], len(numbers)]
    return [(int(numbers[a]), a, b) for a, b in zip(starts, ends, strict=True)]
