# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What remembers frames until their segment is described: by signals, or by latent vectors."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.descriptor import SegmentReference, describe_segment
from m2r2_ros.discovery.laps.embedding import FrozenEmbedding
from m2r2_ros.discovery.laps.latents import LatentDetector
from m2r2_ros.discovery.method import Detector, Setting
from m2r2_ros.discovery.observations import Observed

SIGNALS, LATENTS = DESCRIBED = ('signals', 'latents')
#: Frames of a segment that its description looks back to, so that memory is bounded.
LONGEST: Final = 3000
#: Latent vectors of a segment that are embedded, at most; spread evenly over a longer one.
_EMBEDDED: Final = 256


class Describer(Protocol):
    """Remembers the frames of a run, and describes segments of it."""

    def reset(self) -> None:
        """Begin a run of frames."""

    def add(self, windows: FrameWindows) -> None:
        """Take the next frames, which the detectors have had already."""

    def describe(self, first: int, end: int) -> NDArray[np.float64]:
        """Return a description of the frames first .. end - 1 of the run, (D,)."""

    def forget(self, before: int) -> None:
        """Forget the frames before one."""


class SignalDescriber:
    """Describes segments by signals; see discovery.descriptor."""

    def __init__(self, setting: Setting, reference: SegmentReference) -> None:
        """Begin without a frame."""
        self._setting, self._reference = setting, reference
        self.reset()

    def reset(self) -> None:
        """Begin a run of frames."""
        self._seen: Observed | None = None
        self._first = 0

    def add(self, windows: FrameWindows) -> None:
        """Take the next frames."""
        seen = Observed.of(windows, self._setting.modalities)
        self._seen = seen if self._seen is None else Observed.join([self._seen, seen])

    def describe(self, first: int, end: int) -> NDArray[np.float64]:
        """Return a description; see Describer."""
        assert self._seen is not None
        first = max(first, end - LONGEST) - self._first
        return describe_segment(self._seen[first : end - self._first], self._reference)

    def forget(self, before: int) -> None:
        """Forget the frames before one."""
        if self._seen is not None and before > self._first:
            self._seen = self._seen[before - self._first :]
            self._first = before


class LatentDescriber:
    """Describes segments by a frozen transformer over latent vectors (LAPS, section 3.2.1)."""

    def __init__(self, detectors: Iterable[Detector], seed: int) -> None:
        """Begin without a frame.

        Args:
            detectors: One of them gives latent vectors.
            seed: Of the transformer's weights.

        Raises:
            ConfigError: None of them does.
        """
        found = [d for d in detectors if isinstance(d, LatentDetector)]
        if not found:
            msg = 'segments are told apart by latent vectors, which laps and laps_motion alone have'
            raise ConfigError(msg)
        self._latents: Any = found[0].latents
        self._latents.keeps = True
        self._embedding = FrozenEmbedding(self._latents.width, seed)
        self.reset()

    def reset(self) -> None:
        """Begin a run of frames."""
        self._kept = self._latents.none()

    def add(self, windows: FrameWindows) -> None:
        """Take the next frames."""
        del windows  # the detector has made of them what is needed
        self._kept = type(self._kept).join([self._kept, self._latents.drain()])

    def describe(self, first: int, end: int) -> NDArray[np.float64]:
        """Return a description, NaN of a segment that nothing is known of; see Describer."""
        z = self._kept.between(max(first, end - LONGEST), end).z_q
        if not len(z):
            return np.full(self._embedding.width, np.nan)
        if len(z) > _EMBEDDED:
            z = z[np.linspace(0, len(z) - 1, _EMBEDDED).round().astype(int)]
        found: NDArray[np.float64] = self._embedding.embed([z])[0].astype(np.float64)
        return found

    def forget(self, before: int) -> None:
        """Forget the frames before one."""
        self._kept = self._kept.between(before, np.iinfo(np.int64).max)


def make_describer(
    by: str,
    setting: Setting,
    reference: SegmentReference,
    detectors: Mapping[str, Detector],
) -> Describer:
    """Return what describes segments.

    Args:
        by: 'signals' or 'latents'.
        setting: What the windows hold.
        reference: What descriptions by signals are made with.
        detectors: By name of the method.

    Raises:
        ConfigError: No detector gives latent vectors where they are asked for.
    """
    if by == LATENTS:
        return LatentDescriber(detectors.values(), setting.seed)
    return SignalDescriber(setting, reference)
