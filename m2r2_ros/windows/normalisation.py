# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scales of the training set: z-scores of sensors, and of each bin of the log-mel spectrogram."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import SOUND, VECTOR, Modalities, of_kind
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
        z = mel - level - middle
        z /= deviation
        np.minimum(z, self.limit, out=z)
        np.maximum(z, -self.limit, out=z)
        np.copyto(z, -self.limit, where=mel <= SILENCE_DB)  # whatever the level
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
    levels = np.zeros(len(mel), mel.dtype)
    total = (mel if heard.all() else np.where(heard, mel, 0)).sum(axis=1)
    # Columns without any power are sorted behind all others, and are not among the middle ones.
    columns = np.where(count, total / np.maximum(count, 1), np.inf)
    columns.sort(axis=1)
    ranks = np.count_nonzero(count, axis=1)
    some = np.flatnonzero(ranks)
    ranks = ranks[some]
    levels[some] = (columns[some, (ranks - 1) // 2] + columns[some, ranks // 2]) / 2
    return levels


class NormalisationFit:
    """Measures a training set part by part, in memory that does not grow with it."""

    def __init__(self, modalities: Modalities) -> None:
        """Begin with nothing of these modalities."""
        self._modalities = modalities
        self._vectors = {n: _Moments(modalities[n].dims) for n in of_kind(modalities, VECTOR)}
        self._sounds = {n: _Moments(MEL_BINS) for n in of_kind(modalities, SOUND)}

    def add(self, arrays: Mapping[str, NDArray[Any]], present: NDArray[np.bool_]) -> None:
        """Take in frames; what is masked does not count.

        Args:
            arrays: By modality, vectors (n, T, D_s) and sound (n, 64, frames) in dB. Images have no
                scale.
            present: bool (n, M).
        """
        for k, name in enumerate(self._modalities):
            if name not in arrays or name not in {**self._vectors, **self._sounds}:
                continue
            seen = arrays[name][present[:, k]].astype(np.float64)
            if name in self._vectors:
                self._vectors[name].add(seen)
            else:
                # Where a recording has not begun, or a microphone sends zeros, nothing is heard.
                relative = seen - level_of(seen)[:, None, None]
                counted = (seen > SILENCE_DB).transpose(0, 2, 1)
                self._sounds[name].add(relative.transpose(0, 2, 1), counted)

    def result(self) -> 'Normalisation':
        """Return the scales; those of a sensor that was never present change nothing."""
        return Normalisation(
            {name: m.mean for name, m in self._vectors.items()},
            {name: m.std(MIN_STD) for name, m in self._vectors.items()},
            {
                name: SoundScale(m.mean, m.std(MIN_STD_DB), LIMIT, True)
                if m.count.any()
                else SoundScale.of_range(*UNHEARD_DB)
                for name, m in self._sounds.items()
            },
        )


class _Moments:
    """Count, sum and sum of squares of each channel."""

    def __init__(self, channels: int) -> None:
        self.count, self._sum, self._squares = (np.zeros(channels) for _ in range(3))

    def add(self, x: NDArray[np.float64], counted: NDArray[np.bool_] | None = None) -> None:
        """Take in (n, T, channels), or of these what counts."""
        if counted is None:
            self.count += x.shape[0] * x.shape[1]
        else:
            self.count += counted.sum((0, 1))
            x = np.where(counted, x, 0)
        self._sum += x.sum((0, 1))
        self._squares += (x**2).sum((0, 1))

    @property
    def mean(self) -> NDArray[np.float64]:
        return self._sum / np.maximum(self.count, 1)

    def std(self, least: float) -> NDArray[np.float64]:
        """Return deviations of at least `least`, 1 without any sample."""
        variance = np.maximum(self._squares / np.maximum(self.count, 1) - self.mean**2, 0)
        found: NDArray[np.float64] = np.maximum(np.sqrt(variance), least)
        return found if self.count.any() else np.ones_like(found)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What the training set looked like (paper section III-B).

    Attributes:
        mean: For each vector float64 (D_s,), in its units.
        std: For each vector float64 (D_s,), at least MIN_STD.
        sounds: For each microphone, the scale of the log-mel spectrogram.
    """

    mean: Mapping[str, NDArray[np.float64]]
    std: Mapping[str, NDArray[np.float64]]
    sounds: Mapping[str, SoundScale]

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
            for name in self.mean
        }
        sounds = {
            name: {
                'mean_db': scale.mean.tolist(),
                'std_db': scale.std.tolist(),
                'limit': scale.limit,
                'relative': scale.relative,
            }
            for name, scale in self.sounds.items()
        }
        return {'sensors': sensors, 'sounds': sounds}

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any], modalities: Modalities) -> 'Normalisation':
        """Read the `normalisation` section of bundle.yaml.

        Args:
            entries: The section.
            modalities: What it has scales of.

        Raises:
            BundleError: An entry is missing, of the wrong length, or not finite.
        """
        section = Section(entries, 'normalisation', error=BundleError)
        sensors = section.section('sensors')
        mean, std = {}, {}
        for name in of_kind(modalities, VECTOR):
            sensor = sensors.section(name)
            mean[name] = np.array(sensor.numbers('mean', modalities[name].dims))
            std[name] = np.array(sensor.numbers('std', modalities[name].dims))
            if (np.abs(mean[name]) > _MOST).any():
                sensor.refuse('mean', f'numbers up to {_MOST:g}', mean[name].tolist())
            if ((std[name] < _LEAST) | (std[name] > _MOST)).any():
                sensor.refuse('std', f'numbers from {_LEAST:g} to {_MOST:g}', std[name].tolist())
        microphones = of_kind(modalities, SOUND)
        if section.has('sounds'):
            scales = section.section('sounds')
            return cls(mean, std, {name: _read_sound(scales.section(name)) for name in microphones})
        return cls(mean, std, dict.fromkeys(microphones, _read_old_sound(section)))


def _read_old_sound(section: Section) -> SoundScale:
    """Read the one scale of older bundles, or their one range for all bins."""
    if section.has('sound'):
        return _read_sound(section.section('sound'))
    low, high = section.numbers('sound_range_db', 2)
    if not -_MOST <= low < low + _LEAST <= high <= _MOST:
        section.refuse('sound_range_db', 'the least value, then the greatest', [low, high])
    return SoundScale.of_range(low, high)


def _read_sound(sound: Section) -> SoundScale:
    """Read a scale of each bin."""
    mean, std = (np.array(sound.numbers(key, MEL_BINS)) for key in ('mean_db', 'std_db'))
    limit, relative = sound.number('limit'), sound.flag('relative', False)
    if (np.abs(mean) > _MOST).any():
        sound.refuse('mean_db', f'numbers up to {_MOST:g}', mean.tolist())
    if ((std < _LEAST) | (std > _MOST)).any():
        sound.refuse('std_db', f'numbers from {_LEAST:g} to {_MOST:g}', std.tolist())
    if not _LEAST <= limit <= _MOST:
        sound.refuse('limit', f'a number from {_LEAST:g} to {_MOST:g}', limit)
    return SoundScale(mean, std, limit, relative)
