# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scales of the training set: z-scores of sensors, and of each bin of the log-mel spectrogram."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.core.options import Section
from m2r2_ros.windows.logmel import MEL_BINS, SILENCE_DB

#: Scales beyond these are damaged: in single precision, what they scale would not stay finite.
_LEAST, _MOST = 1e-9, 1e9
#: A channel that hardly moved in training is not blown up by more than this.
MIN_STD = 1e-3
#: The same for a mel bin, dB.
MIN_STD_DB = 1.0
#: Sound further from the mean than this many standard deviations is clipped.
LIMIT = 10.0
#: Range of sound where a training set has none, dB.
UNHEARD_DB = (-100.0, 50.0)


@dataclass(frozen=True, slots=True)
class SoundScale:
    """How a log-mel spectrogram becomes the input of a sound encoder, bin by bin.

    The paper scales all bins by the least and the greatest value of the training set (section
    III-B). One click or one silent moment then decides about the scale of everything else, and
    bins of different loudness stay apart: in the simulated cell, what is not a click lies within a
    tenth of that range. Deviations of each bin from its own mean do not depend on extremes, and
    relative to the level of the window they do not depend on how far the microphone is turned up.

    Attributes:
        mean: float64 (64,), dB.
        std: float64 (64,), dB, at least MIN_STD_DB.
        limit: Deviations are clipped to -limit .. limit.
        relative: Whether the level of the window is subtracted before.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    limit: float
    relative: bool

    @classmethod
    def of_range(cls, low: float, high: float) -> 'SoundScale':
        """Return the paper's scale: from the least to the greatest value, to -1 .. 1."""
        middle, half = np.full(MEL_BINS, (low + high) / 2), np.full(MEL_BINS, (high - low) / 2)
        return cls(middle, half, limit=1.0, relative=False)

    def __call__(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the deviations of a log-mel spectrogram, float32 (n, 64, frames), from dB."""
        level = level_of(mel)[:, None, None] if self.relative else np.float32(0)
        # In single precision, which is twice as fast.
        middle, deviation = (x.astype(np.float32)[:, None] for x in (self.mean, self.std))
        z = (mel - level - middle) / deviation
        np.clip(z, -self.limit, self.limit, out=z)
        z[mel <= SILENCE_DB] = -self.limit  # whatever the level
        return z


def level_of(mel: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return how loud it is around a robot: the median over a window's columns of their means.

    An impact does not raise it. What is without any power does not count: it is older than the
    recording, or lost.

    Args:
        mel: float (n, 64, frames), dB.

    Returns:
        Float (n,), dB; 0 where nothing is heard.
    """
    heard = mel > SILENCE_DB
    count = heard.sum(axis=1)
    columns = np.where(heard, mel, 0).sum(axis=1) / np.maximum(count, 1)
    columns[count == 0] = np.nan
    levels = np.zeros(len(mel), mel.dtype)
    some = count.any(axis=1)
    levels[some] = np.nanmedian(columns[some], axis=1)
    return levels


class NormalisationFit:
    """Measures a training set part by part, in memory that does not grow with it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._n = dict.fromkeys(SENSOR_DIMS, 0)
        self._sum = {name: np.zeros(dims) for name, dims in SENSOR_DIMS.items()}
        self._squares = {name: np.zeros(dims) for name, dims in SENSOR_DIMS.items()}
        self._heard = np.zeros(MEL_BINS)
        self._loudness = np.zeros(MEL_BINS)
        self._loudness_squares = np.zeros(MEL_BINS)

    def add(self, arrays: Mapping[str, NDArray[Any]], present: NDArray[np.bool_]) -> None:
        """Take in frames; what is masked does not count.

        Args:
            arrays: By modality, sensors (n, T, D_s) in SI units and sound (n, 64, frames) in dB.
            present: bool (n, 6).
        """
        for name, values in arrays.items():
            if name == 'image':
                continue  # has no scale, and as pixels would fill the memory
            seen = values[present[:, MODALITIES.index(name)]].astype(np.float64)
            if name == 'sound':
                # Where a recording has not begun, or a microphone sends zeros, nothing is heard.
                counted = seen > SILENCE_DB
                heard = np.where(counted, seen - level_of(seen)[:, None, None], 0)
                self._heard += counted.sum((0, 2))
                self._loudness += heard.sum((0, 2))
                self._loudness_squares += (heard**2).sum((0, 2))
            elif name in SENSOR_DIMS:
                self._n[name] += seen.shape[0] * seen.shape[1]
                self._sum[name] += seen.sum((0, 1))
                self._squares[name] += (seen**2).sum((0, 1))

    def result(self) -> 'Normalisation':
        """Return the scales; those of a sensor that was never present change nothing."""
        mean, std = {}, {}
        for name in SENSOR_DIMS:
            n = max(self._n[name], 1)
            mean[name] = self._sum[name] / n
            variance = np.maximum(self._squares[name] / n - mean[name] ** 2, 0)
            std[name] = np.maximum(np.sqrt(variance), MIN_STD)
            if not self._n[name]:
                std[name][:] = 1
        return Normalisation(mean, std, self._sound())

    def _sound(self) -> SoundScale:
        """Return the scale of each bin."""
        if not self._heard.any():
            return SoundScale.of_range(*UNHEARD_DB)
        n = np.maximum(self._heard, 1)
        mean = self._loudness / n
        variance = self._loudness_squares / n - mean**2
        return SoundScale(
            mean, np.maximum(np.sqrt(np.maximum(variance, 0)), MIN_STD_DB), LIMIT, True
        )


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What the training set looked like (paper section III-B).

    Attributes:
        mean: For each sensor float64 (D_s,), SI units.
        std: For each sensor float64 (D_s,), at least MIN_STD.
        sound: Scale of the log-mel spectrogram.
    """

    mean: Mapping[str, NDArray[np.float64]]
    std: Mapping[str, NDArray[np.float64]]
    sound: SoundScale

    def scale(self, sensor: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return z-scores of a sensor's values, float32 (..., D_s)."""
        z: NDArray[np.float32] = ((values - self.mean[sensor]) / self.std[sensor]).astype(
            np.float32
        )
        return z

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        sensors = {
            name: {'mean': self.mean[name].tolist(), 'std': self.std[name].tolist()}
            for name in SENSOR_DIMS
        }
        sound = {
            'mean_db': self.sound.mean.tolist(),
            'std_db': self.sound.std.tolist(),
            'limit': self.sound.limit,
            'relative': self.sound.relative,
        }
        return {'sensors': sensors, 'sound': sound}

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> 'Normalisation':
        """Read the `normalisation` section of bundle.yaml.

        Raises:
            BundleError: An entry is missing, of the wrong length, or not finite.
        """
        section = Section(entries, 'normalisation', error=BundleError)
        sensors = section.section('sensors')
        mean, std = {}, {}
        for name, dims in SENSOR_DIMS.items():
            sensor = sensors.section(name)
            mean[name] = np.array(sensor.numbers('mean', dims))
            std[name] = np.array(sensor.numbers('std', dims))
            if (np.abs(mean[name]) > _MOST).any():
                sensor.refuse('mean', f'numbers up to {_MOST:g}', mean[name].tolist())
            if ((std[name] < _LEAST) | (std[name] > _MOST)).any():
                sensor.refuse('std', f'numbers from {_LEAST:g} to {_MOST:g}', std[name].tolist())
        return cls(mean, std, _read_sound(section))


def _read_sound(section: Section) -> SoundScale:
    """Read the scale of sound; bundles of older versions have one range for all bins."""
    if not section.has('sound'):
        low, high = section.numbers('sound_range_db', 2)
        if not -_MOST <= low < low + _LEAST <= high <= _MOST:
            section.refuse('sound_range_db', 'the least value, then the greatest', [low, high])
        return SoundScale.of_range(low, high)
    sound = section.section('sound')
    mean, std = (np.array(sound.numbers(key, MEL_BINS)) for key in ('mean_db', 'std_db'))
    limit, relative = sound.number('limit'), sound.flag('relative', False)
    if (np.abs(mean) > _MOST).any():
        sound.refuse('mean_db', f'numbers up to {_MOST:g}', mean.tolist())
    if ((std < _LEAST) | (std > _MOST)).any():
        sound.refuse('std_db', f'numbers from {_LEAST:g} to {_MOST:g}', std.tolist())
    if not _LEAST <= limit <= _MOST:
        sound.refuse('limit', f'a number from {_LEAST:g} to {_MOST:g}', limit)
    return SoundScale(mean, std, limit, relative)
