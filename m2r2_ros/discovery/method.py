# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a method of segmentation without labels is: calibrated on recordings, then a detector."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.windows import FrameWindows

#: Recordings, which can be gone over more than once: the windows of each, run by run.
Recordings: TypeAlias = Sequence[Iterable[FrameWindows]]
Tensors: TypeAlias = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a method has to work with.

    Attributes:
        modalities: What the windows hold.
        frame_rate: Frames per second.
        seed: Of all random numbers.
    """

    modalities: Modalities
    frame_rate: float
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a method found in recordings without labels.

    Attributes:
        options: Its parameters, numbers, texts and lists of them; see the method.
        tensors: Weights, by name; empty where there are none.
    """

    options: Mapping[str, Any]
    tensors: Tensors = field(default_factory=dict)


class Detector(Protocol):
    """Says of each frame, in order, how surely a segment begins there.

    Scores are float32 (n,) in 0..1: a segment begins where one is above 0.
    """

    @property
    def lag(self) -> int | None:
        """Frames that a score waits for; None: for the end of the recording."""

    def reset(self) -> None:
        """Forget all frames."""

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Take the next windows; return the scores of the frames that are decided now."""

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of the frames that are still pending, and reset."""


def detect(detector: Detector, parts: Iterable[FrameWindows]) -> Iterator[NDArray[np.float32]]:
    """Yield the scores of a recording as they are decided, one for each frame in all.

    Where the clock jumped the detector begins anew, and so does a segment.

    Args:
        detector: What has no frame yet.
        parts: Windows that follow on each other.
    """
    begun = begins = False  # any frame came; the next score is that of the first behind a jump

    def marked(scores: NDArray[np.float32]) -> NDArray[np.float32]:
        nonlocal begins
        if begins and len(scores):
            scores[0], begins = 1.0, False
        return scores

    for part in parts:
        for run in part.runs():
            if run.restarts[0]:
                yield marked(detector.finish())
                begins = begun
            yield marked(detector.extend(run))
            begun = True
    yield marked(detector.finish())


class Method(Protocol):
    """A way to segment recordings."""

    @property
    def causal(self) -> bool:
        """Whether its detector can run live, with a lag of some frames."""

    @property
    def grid(self) -> Mapping[str, Sequence[float]]:
        """Options that may be tuned where there is truth: factors of what calibration found."""

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Find the parameters; no label is looked at.

        Raises:
            DiscoveryError: No recording has what the method needs, or there is too little of it.
        """

    def open(self, calibration: Calibration, setting: Setting) -> Detector:
        """Return a detector.

        Raises:
            ConfigError: An option is unknown, of another kind or out of range.
            BundleError: A tensor is missing or of another shape.
        """


class Whole(ABC):
    """A detector that needs the whole recording; keeps what it needs of each frame."""

    lag: None = None

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._kept: list[NDArray[np.float32]] = []

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Keep the next frames."""
        if len(windows):
            self._kept.append(self.features(windows).astype(np.float32))
        return np.zeros(0, np.float32)

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of all frames."""
        kept = self._kept
        self.reset()
        if not kept:
            return np.zeros(0, np.float32)
        return self.scores(np.concatenate(kept).astype(np.float64)).astype(np.float32)

    @abstractmethod
    def features(self, windows: FrameWindows) -> NDArray[np.floating[Any]]:
        """Return what is kept of each frame, (n, D)."""

    @abstractmethod
    def scores(self, features: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """Return the score of each frame, (n,), of the features of all."""
