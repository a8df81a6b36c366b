# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sound of a recording as a picture: loudness of frequencies over time."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.samples import SoundSamples
from m2r2_ros.pages.container import Container

#: Samples of a Fourier transform, and from one to the next.
_LENGTH, _HOP = 512, 256
#: Rows of the picture, its columns at most, and those of a tile: browsers limit images.
ROWS: Final = 80
MOST_COLUMNS: Final = 32768
_TILE: Final = 4096
#: Shortest column, s, and highest frequency, Hz.
_SHORTEST: Final = 0.02
_HIGHEST: Final = 8000.0
#: Sound that begins so much later than that before ended, s, does not continue it.
_BREAK: Final = 0.005
#: The quietest power that is distinguished, dB of full scale.
FLOOR_DB: Final = -100.0


class Spectrum:
    """Adds up power by time and frequency while sound is read."""

    def __init__(self, duration: float, origin: int) -> None:
        """Begin without sound.

        Args:
            duration: Of the recording, s.
            origin: When it began, nanoseconds.
        """
        self._columns = max(1, min(int(np.ceil(duration / _SHORTEST)), MOST_COLUMNS))
        self._width = max(duration, _SHORTEST) / self._columns
        self._origin = origin
        self._power = np.zeros((self._columns, ROWS), np.float32)
        self._count = np.zeros(self._columns, np.int32)
        self._window = np.hanning(_LENGTH).astype(np.float32)
        self._rate = 0
        self._tail = np.zeros(0, np.float32)
        self._next = 0.0  # when what follows the tail begins, s

    def add(self, sound: SoundSamples) -> None:
        """Take sound in."""
        if not sound.rate or not len(sound.stamps):
            return
        self._rate = sound.rate
        starts = (sound.stamps - self._origin) / 1e9
        joined: list[NDArray[np.float32]] = [self._tail]
        begin = self._next - len(self._tail) / self._rate
        for start, chunk in zip(starts.tolist(), sound.chunks, strict=True):
            if abs(start - self._next) > _BREAK:
                self._transform(begin, np.concatenate(joined))
                joined, begin = [], start
                self._next = start
            joined.append(np.nan_to_num(chunk, nan=0.0, posinf=0.0, neginf=0.0))
            self._next += len(chunk) / self._rate
        whole = np.concatenate(joined)
        used = self._transform(begin, whole)
        self._tail = whole[used:].copy()

    def pack(self, topic: str, out: Container) -> dict[str, Any] | None:
        """Return the picture as a page has it; None without sound."""
        known = self._count > 0
        if not known.any():
            return None
        power = self._power / np.maximum(self._count, 1)[:, None]
        level = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
        low, high = np.percentile(level[known], (10, 99.8)).tolist()
        high = max(high, low + 10)
        shade = np.clip((level - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        shade[~known] = 0
        picture = shade.T[::-1]  # low frequencies at the bottom
        tiles = [
            {
                'start': first * self._width,
                'end': min(first + _TILE, self._columns) * self._width,
                'image': out.file('image/jpeg', _jpeg(picture[:, first : first + _TILE])),
            }
            for first in range(0, self._columns, _TILE)
        ]
        return {
            'topic': topic,
            'top_hz': min(self._rate / 2, _HIGHEST),
            'low_db': round(low, 1),
            'high_db': round(high, 1),
            'tiles': tiles,
        }

    def _transform(self, start: float, samples: NDArray[np.float32]) -> int:
        """Add the power of all whole windows; return how many samples are not needed any more."""
        count = (len(samples) - _LENGTH) // _HOP + 1
        if count <= 0:
            return 0
        windows = np.lib.stride_tricks.sliding_window_view(samples, _LENGTH)[::_HOP]
        spectrum = np.fft.rfft(windows * self._window, axis=1)
        power = (np.abs(spectrum) ** 2).astype(np.float32) * (4 / self._window.sum() ** 2)
        top = int(np.ceil(min(1.0, 2 * _HIGHEST / self._rate) * (_LENGTH // 2)))
        edges = np.unique(np.linspace(0, top, ROWS + 1).astype(np.int64))
        rows = np.maximum.reduceat(power[:, :top], edges[:-1], axis=1)
        if rows.shape[1] < ROWS:  # a low rate has fewer frequencies than the picture has rows
            rows = rows[:, np.arange(ROWS) * rows.shape[1] // ROWS]
        times = start + (np.arange(count) * _HOP + _LENGTH / 2) / self._rate
        # However sound is cut, a window on the border of two columns falls into the same one.
        place = np.floor(times / self._width + 1e-6).astype(np.int64)
        inside = (place >= 0) & (place < self._columns)
        np.add.at(self._power, place[inside], rows[inside])
        np.add.at(self._count, place[inside], 1)
        return count * _HOP


def loudness(sound: SoundSamples, step: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return stamps int64 (n,) and RMS float64 (n,), dB of full scale, of steps of seconds."""
    length = max(1, round(step * sound.rate))
    stamps, levels = [], []
    for stamp, chunk in zip(sound.stamps.tolist(), sound.chunks, strict=True):
        starts = np.arange(0, len(chunk), length)
        power = np.add.reduceat(np.square(chunk, dtype=np.float64), starts)
        counts = np.diff(starts, append=len(chunk))
        levels.append(10 * np.log10(np.maximum(power / counts, 10 ** (FLOOR_DB / 10))))
        stamps.append(stamp + starts * 1_000_000_000 // sound.rate)
    if not stamps:
        return np.zeros(0, np.int64), np.zeros(0)
    return np.concatenate(stamps), np.concatenate(levels)


def _jpeg(shade: NDArray[np.uint8]) -> bytes:
    coloured = cv2.applyColorMap(np.ascontiguousarray(shade), cv2.COLORMAP_MAGMA)
    _, encoded = cv2.imencode('.jpg', coloured, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return bytes(encoded)
