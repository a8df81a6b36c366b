# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of frames that the model does not know become 'unknown', in segments of their own."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from m2r2_ros.core.labels import UNKNOWN, UNKNOWN_LABEL, FrameLabel
from m2r2_ros.model.familiarity import Doubt


class Withholding:
    """Withholds labels, frame by frame in order, and counts segments anew.

    Frames without a label make a segment of their own, whatever the reasons; a label that goes on
    behind it begins another.
    """

    def __init__(self, least_confidence: float) -> None:
        """Begin without a frame.

        Args:
            least_confidence: Labels of less are withheld.
        """
        self._least = least_confidence
        self._doubts: deque[Doubt] = deque()
        self._last: tuple[int, bool] | None = None
        self._index = self._since = 0

    def expect(self, doubts: Iterable[Doubt]) -> None:
        """Note what speaks against the labels of the next frames, whose labels may come later."""
        self._doubts.extend(doubts)

    def apply(self, labels: Iterable[FrameLabel]) -> list[FrameLabel]:
        """Return labels, each with what was expected of its frame."""
        return [self._apply(label, self._doubts.popleft()) for label in labels]

    def _apply(self, label: FrameLabel, doubt: Doubt) -> FrameLabel:
        reason = doubt.reason(label.confidence, self._least)
        segment = (-1 if reason else label.segment_index, bool(reason))
        if segment != self._last:
            self._index += self._last is not None
            self._since = label.stamp
        self._last = segment
        changed = replace(label, segment_index=self._index, segment_start=self._since)
        if not reason:
            return changed
        return replace(changed, label_id=UNKNOWN, label=UNKNOWN_LABEL, reason=reason)
