# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every segmenter does (design contract 6)."""

from collections import Counter
from typing import Protocol

from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.segmenters.decoding import Decoding

#: The revision lag of what labels a recording only when it is over.
WHOLE_RECORDING = 2**32 - 1


class Segmenter(Protocol):
    """Turns frame windows into frame labels, in order, each frame once."""

    @property
    def labels(self) -> LabelSet:
        """The labels that it can give."""

    @property
    def decoding(self) -> Decoding:
        """Options of the decoder behind it."""

    @property
    def revision_lag(self) -> int:
        """How many frames a label waits for; 0 is strictly online, WHOLE_RECORDING offline."""

    @property
    def counters(self) -> Counter[str]:
        """What could not be used, by '<modality>.<reason>', until it is cleared."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not as it was asked for, such as a device that has failed since."""

    def set_hold(
        self, min_confidence: float | None = None, min_duration: float | None = None
    ) -> None:
        """Change the hold rule from the next frame on, instead of a learnt rule; see Decoding.

        Args:
            min_confidence: None leaves what the segmenter began with.
            min_duration: The same, s; where both are None, its own rule is back.

        Raises:
            ConfigError: A value is out of range.
        """

    def reset(self) -> None:
        """Forget all frames."""

    def step(self, window: FrameWindows) -> FrameLabel | None:
        """Take one window and return the label of the frame `revision_lag` before it.

        Returns:
            None while there is no such frame.
        """

    def extend(self, windows: FrameWindows) -> list[FrameLabel]:
        """Take windows that follow on those before; the same labels as step by step."""

    def finish(self) -> list[FrameLabel]:
        """Return the labels of the frames that are still pending, and reset."""

    def segment(self, windows: FrameWindows) -> list[FrameLabel]:
        """Label a whole recording, one label for each window."""
