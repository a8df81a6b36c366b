# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From buffered streams to the arrays of frame windows."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.time import to_ns
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.resample import grid, resample
from m2r2_ros.windows.sound import resample_sound, trailing_sound
from m2r2_ros.windows.stream import SampleStream

#: Extra seconds of sound in front of the context, so that resampling has no edge inside it.
MARGIN = 0.02


class Filler:
    """Fills windows from streams.

    Attributes:
        rate: Samples per second of the microphone.
    """

    def __init__(self, config: WindowConfig, streams: Mapping[str, SampleStream]) -> None:
        """Make a filler for the streams, by modality."""
        self._config = config
        self._streams = streams
        self.rate = config.audio_rate

    def empty(self) -> FrameWindows:
        """Return no windows, in the right shapes."""
        none = np.empty(0, np.int64)
        present = np.zeros((0, len(MODALITIES)), np.bool_)
        return self.fill(none, none, dict.fromkeys(self._streams, none), present, restart=False)

    def fill(
        self,
        starts: NDArray[np.int64],
        stamps: NDArray[np.int64],
        counts: Mapping[str, NDArray[np.int64]],
        present: NDArray[np.bool_],
        *,
        restart: bool,
    ) -> FrameWindows:
        """Return the windows.

        Args:
            starts: int64 (N,), t(i-1).
            stamps: int64 (N,), t(i).
            counts: By modality int64 (N,), how many buffered samples each window may see.
            present: bool (N, 6).
            restart: The first window does not follow on the one before.
        """
        c = self._config
        times = grid(starts, stamps, c.points)
        sensors = {}
        for name in SENSOR_DIMS:
            if name not in self._streams:
                continue
            rows = present[:, MODALITIES.index(name)]
            values = np.zeros((len(stamps), c.points, SENSOR_DIMS[name]), np.float32)
            if rows.any():
                s = self._streams[name]
                age = to_ns(c.max_age[name])
                values[rows] = resample(s.stamps, s.payload, counts[name][rows], times[rows], age)
            sensors[name] = values
        restarts = np.zeros(len(stamps), np.bool_)
        restarts[:1] = restart
        return FrameWindows(
            starts,
            stamps,
            sensors,
            present,
            restarts,
            self._sound(stamps, counts, present) if 'sound' in self._streams else None,
            self._images(counts, present) if 'image' in self._streams else None,
        )

    def _sound(
        self,
        stamps: NDArray[np.int64],
        counts: Mapping[str, NDArray[np.int64]],
        present: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        c = self._config
        wanted = round(c.audio_context * c.audio_rate)
        out = np.zeros((len(stamps), wanted), np.float32)
        rows = np.flatnonzero(present[:, MODALITIES.index('sound')])
        if len(rows):
            s = self._streams['sound']
            margin = 0.0 if self.rate == c.audio_rate else MARGIN
            samples = round((c.audio_context + margin) * self.rate)
            raw = [
                trailing_sound(
                    s.stamps[: counts['sound'][i]],
                    s.payload[: counts['sound'][i]],
                    int(stamps[i]),
                    self.rate,
                    samples,
                )
                for i in rows
            ]
            out[rows] = resample_sound(np.stack(raw), self.rate, c.audio_rate, wanted)
        return out

    def _images(
        self, counts: Mapping[str, NDArray[np.int64]], present: NDArray[np.bool_]
    ) -> list[EncodedImage | None]:
        payload = self._streams['image'].payload
        shown = present[:, MODALITIES.index('image')]
        newest = zip(counts['image'], shown, strict=True)
        return [payload[n - 1] if yes else None for n, yes in newest]
