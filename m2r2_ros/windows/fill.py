# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From buffered streams to the arrays of frame windows."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import SOUND, VECTOR, Modalities, of_kind
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.time import to_ns
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.masks import every
from m2r2_ros.windows.resample import grid, resample
from m2r2_ros.windows.sound import lay_sound, resample_sound
from m2r2_ros.windows.stream import SampleStream

#: Extra seconds of sound in front of the context, so that resampling has no edge inside it.
MARGIN = 0.02


class Filler:
    """Fills windows from streams.

    Attributes:
        rates: Samples per second of each microphone.
    """

    def __init__(
        self, config: WindowConfig, modalities: Modalities, streams: Mapping[str, SampleStream]
    ) -> None:
        """Make a filler for the streams of these modalities."""
        self._config, self._modalities, self._streams = config, modalities, streams
        self.rates = dict.fromkeys(of_kind(modalities, SOUND), config.audio_rate)
        self._none: FrameWindows | None = None

    def empty(self) -> FrameWindows:
        """Return no windows, in the right shapes."""
        if self._none is None:
            none = np.empty(0, np.int64)
            present = np.zeros((0, len(self._modalities)), np.bool_)
            counts = dict.fromkeys(self._streams, none)
            self._none = self.fill(none, none, counts, present, restart=False)
        # Whoever adds to what it holds must not find that in the next ones.
        n = self._none
        images = {name: list[EncodedImage | None]() for name in n.images}
        return replace(n, sensors=dict(n.sensors), sounds=dict(n.sounds), images=images)

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
            present: bool (N, M).
            restart: The first window does not follow on the one before.
        """
        windows = FrameWindows(
            starts,
            stamps,
            {},
            present,
            np.arange(len(stamps)) < int(restart),
            modalities=self._modalities,
        )
        times = grid(starts, stamps, self._config.points)
        for k, (name, modality) in enumerate(self._modalities.items()):
            there = present[:, k]
            if modality.kind == VECTOR:
                windows.sensors[name] = self._vectors(name, times, counts[name], there)
            elif modality.kind == SOUND:
                windows.sounds[name] = self._sound(name, stamps, counts[name], there)
            else:
                windows.images[name] = self._images(name, counts[name], there)
        return windows

    def _vectors(
        self,
        name: str,
        times: NDArray[np.int64],
        counts: NDArray[np.int64],
        there: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        modality = self._modalities[name]
        s, age = self._streams[name], to_ns(modality.max_age)
        if len(there) and every(there):
            return resample(s.stamps, s.payload, counts, times, age)
        values = np.zeros((*times.shape, modality.dims), np.float32)
        if there.any():
            values[there] = resample(s.stamps, s.payload, counts[there], times[there], age)
        return values

    def _sound(
        self,
        name: str,
        stamps: NDArray[np.int64],
        counts: NDArray[np.int64],
        there: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        c, rate = self._config, self.rates[name]
        wanted = round(c.audio_context * c.audio_rate)
        out = np.zeros((len(stamps), wanted), np.float32)
        rows = np.flatnonzero(there)
        if len(rows):
            starts, chunks = self._streams[name].stamps, self._streams[name].payload
            as_it_comes = rate == c.audio_rate
            samples = round((c.audio_context + MARGIN) * rate)
            raw = out if as_it_comes else np.zeros((len(stamps), samples), np.float32)
            for i in rows.tolist():
                n = counts[i]
                lay_sound(raw[i], starts[:n], chunks[:n], int(stamps[i]), rate)
            if not as_it_comes:
                heard = raw if len(rows) == len(raw) else raw[rows]
                out[rows] = resample_sound(heard, rate, c.audio_rate, wanted)
        return out

    def _images(
        self, name: str, counts: NDArray[np.int64], there: NDArray[np.bool_]
    ) -> list[EncodedImage | None]:
        payload = self._streams[name].payload
        newest = zip(counts, there, strict=True)
        return [payload[n - 1] if yes else None for n, yes in newest]
