# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scales of the training set: z-scores of sensors, range of the log-mel spectrogram."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.core.options import Section

#: Scales beyond these are damaged: in single precision, what they scale would not stay finite.
_LEAST, _MOST = 1e-9, 1e9
#: A channel that hardly moved in training is not blown up by more than this.
MIN_STD = 1e-3


class NormalisationFit:
    """Measures a training set part by part, in memory that does not grow with it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._n = dict.fromkeys(SENSOR_DIMS, 0)
        self._sum = {name: np.zeros(dims) for name, dims in SENSOR_DIMS.items()}
        self._squares = {name: np.zeros(dims) for name, dims in SENSOR_DIMS.items()}
        self._low, self._high = np.inf, -np.inf

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
            if name == 'sound' and seen.size:
                self._low = min(self._low, float(seen.min()))
                self._high = max(self._high, float(seen.max()))
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
        return Normalisation(
            mean, std, (self._low, self._high) if self._low < self._high else (-100.0, 50.0)
        )


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What the training set looked like (paper section III-B).

    Attributes:
        mean: For each sensor float64 (D_s,), SI units.
        std: For each sensor float64 (D_s,), at least MIN_STD.
        sound_range: Least and greatest log-mel value, dB.
    """

    mean: Mapping[str, NDArray[np.float64]]
    std: Mapping[str, NDArray[np.float64]]
    sound_range: tuple[float, float]

    def scale(self, sensor: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return z-scores of a sensor's values, float32 (..., D_s)."""
        z: NDArray[np.float32] = ((values - self.mean[sensor]) / self.std[sensor]).astype(
            np.float32
        )
        return z

    def scale_sound(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log-mel spectrogram in [-1, 1]; louder or softer than training is clipped."""
        low, high = self.sound_range
        scaled: NDArray[np.float32] = np.clip(2 * (mel - low) / (high - low) - 1, -1, 1)
        return scaled.astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        sensors = {
            name: {'mean': self.mean[name].tolist(), 'std': self.std[name].tolist()}
            for name in SENSOR_DIMS
        }
        return {'sensors': sensors, 'sound_range_db': list(self.sound_range)}

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
        low, high = section.numbers('sound_range_db', 2)
        if not -_MOST <= low < low + _LEAST <= high <= _MOST:
            section.refuse('sound_range_db', 'the least value, then the greatest', [low, high])
        return cls(mean, std, (low, high))
