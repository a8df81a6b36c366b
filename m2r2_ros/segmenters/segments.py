# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From frame labels to segments, as they close."""

from collections import Counter
from collections.abc import Iterable

from m2r2_ros.core.labels import FrameLabel, Segment


class SegmentBuilder:
    """Closes a segment when the next one begins.

    A segment begins at its first frame's stamp and ends where the next one begins; the last one,
    and one after which the clock jumped, ends at its last frame's stamp. One without a label has
    the reason that most of its frames have.
    """

    def __init__(self, max_gap: int) -> None:
        """Begin without a segment.

        Args:
            max_gap: Nanoseconds; frames further apart have a jump of the clock between them
                (WindowConfig.max_gap).
        """
        self._max_gap = max_gap
        self._frames = 0
        self._confidence = 0.0
        self._reasons: Counter[str] = Counter()
        self._last: FrameLabel | None = None

    def add(self, labels: Iterable[FrameLabel]) -> list[tuple[int, Segment]]:
        """Take frame labels and return the segments that they close, with their indices."""
        closed = []
        for label in labels:
            last = self._last
            if last is not None and label.segment_index != last.segment_index:
                follows = 0 < label.stamp - last.stamp <= self._max_gap
                end = label.stamp if follows else last.stamp
                closed.append(self._close(last, end))
            self._last = label
            self._frames += 1
            self._confidence += label.confidence
            self._reasons[label.reason] += 1
        return closed

    def finish(self) -> list[tuple[int, Segment]]:
        """Close the last segment."""
        last, self._last = self._last, None
        return [] if last is None else [self._close(last, last.stamp)]

    def _close(self, last: FrameLabel, end: int) -> tuple[int, Segment]:
        confidence = self._confidence / self._frames
        reason = self._reasons.most_common(1)[0][0]
        self._frames, self._confidence = 0, 0.0
        self._reasons.clear()
        segment = Segment(last.segment_start, end, last.label, confidence, reason=reason)
        return last.segment_index, segment
