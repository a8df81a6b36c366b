# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a robot's sensors are the ones a model was trained on: units, axes, rates, dead ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.normalisation import MIN_STD, Normalisation

#: Windows before anything is said of a sensor.
ENOUGH: Final = 20
#: Channels of a sensor that have one unit, by name.
_GROUPS: Final[dict[str, dict[str, slice]]] = {
    'wrench': {'force': slice(0, 3), 'torque': slice(3, 6)},
    'pose': {'position': slice(0, 3)},
    'twist': {'linear velocity': slice(0, 3), 'angular velocity': slice(3, 6)},
    'gripper': {'width': slice(0, 1)},
}
#: What a factor may come from, and how far beside it one may be, as a factor.
_UNITS: Final = (
    (1000.0, 'thousandths of the unit, such as mm for m or mN for N'),
    (1e-3, 'a unit a thousand times larger, such as m for mm'),
)
_ANGLES: Final = (
    (180 / np.pi, 'degrees for radians'),
    (np.pi / 180, 'radians for degrees'),
)
_BESIDE: Final = 3.0
#: Values that are so many times as large, or as small, as in training are in another unit.
_FACTOR: Final = 15.0
#: What is small at no time; a robot at rest has small velocities and forces.
_NEVER_SMALL: Final = ('position',)
#: Axes are told apart where means lie so many standard deviations from those of training, and
#: taken for swapped where another order brings all within _NEAR.
_FAR: Final = 4.0
_NEAR: Final = 2.0
#: Rates this many times slower than in training are worth a word.
_SLOWER: Final = 3.0
#: Share of the modalities of training whose absence is worth a word.
_MOST_MISSING: Final = 0.5


@dataclass(frozen=True, slots=True)
class Expectations:
    """What inputs looked like in training.

    Attributes:
        modalities: What the model was trained on.
        normalisation: Scales of the training set; None where there are none.
        rates: Messages per second of each modality's topic, where they are known.
    """

    modalities: Sequence[str] = ()
    normalisation: Normalisation | None = None
    rates: Mapping[str, float] = field(default_factory=dict)


class InputFit:
    """Measures windows as they come, and says what does not fit; in constant memory."""

    def __init__(self, expectations: Expectations) -> None:
        """Begin without a window."""
        self._expected = expectations
        self._windows = 0
        self._seen = np.zeros(len(MODALITIES), np.int64)
        self._count = dict.fromkeys(SENSOR_DIMS, 0)
        self._sum = {name: np.zeros(dims) for name, dims in SENSOR_DIMS.items()}
        self._squares = {name: np.zeros(dims) for name, dims in SENSOR_DIMS.items()}
        self._low = {name: np.full(dims, np.inf) for name, dims in SENSOR_DIMS.items()}
        self._high = {name: np.full(dims, -np.inf) for name, dims in SENSOR_DIMS.items()}

    def add(self, windows: FrameWindows) -> None:
        """Take in windows."""
        self._windows += len(windows)
        self._seen += windows.present.sum(axis=0)
        for name, values in windows.sensors.items():
            x = values[windows.present[:, MODALITIES.index(name)]].astype(np.float64)
            if not x.size:
                continue
            self._count[name] += x.shape[0] * x.shape[1]
            self._sum[name] += x.sum(axis=(0, 1))
            self._squares[name] += np.square(x).sum(axis=(0, 1))
            self._low[name] = np.minimum(self._low[name], x.min(axis=(0, 1)))
            self._high[name] = np.maximum(self._high[name], x.max(axis=(0, 1)))

    def warnings(self, rates: Mapping[str, float] | None = None) -> list[str]:
        """Return what does not fit the training set, a sentence each.

        Args:
            rates: Messages per second of each modality's topic.
        """
        if self._windows < ENOUGH:
            return []
        found = self._missing()
        for name in SENSOR_DIMS:
            row = MODALITIES.index(name)
            if name in self._expected.modalities and self._seen[row] >= ENOUGH:
                found += self._sensor(name)
        for name, rate in (rates or {}).items():
            usual = self._expected.rates.get(name, 0.0)
            if usual > _SLOWER * rate:
                found.append(f'{name}: {rate:.3g} messages/s, {usual:.3g} in training')
        return found

    def _missing(self) -> list[str]:
        trained = self._expected.modalities
        absent = [m for m in trained if not self._seen[MODALITIES.index(m)]]
        if len(absent) <= _MOST_MISSING * len(trained) or not absent:
            return []
        return [
            f'{len(absent)} of the {len(trained)} modalities that the model was trained on are '
            f'missing: {", ".join(absent)}'
        ]

    def _sensor(self, name: str) -> list[str]:
        scales = self._expected.normalisation
        if scales is None:
            return []
        mean = self._sum[name] / self._count[name]
        power = np.sqrt(self._squares[name] / self._count[name])
        usual = np.sqrt(scales.mean[name] ** 2 + scales.std[name] ** 2)
        found = []
        for group, part in _GROUPS[name].items():
            size, size_then = float(power[part].max()), float(usual[part].max())
            if unit := _unit(group, size, size_then):
                found.append(f'{name}: {group} {unit}')
            elif order := _swapped(mean[part], scales.mean[name][part], scales.std[name][part]):
                found.append(f'{name}: {group} fits training with the axes {order}: swapped?')
        still = (self._high[name] == self._low[name]) & (scales.std[name] > 2 * MIN_STD)
        if still.any() and name != 'gripper':
            which = 'all' if still.all() else str(np.flatnonzero(still).tolist())
            found.append(f'{name}: channels {which} never change, in training they did')
        return found


def _unit(group: str, size: float, usual: float) -> str:
    """Return what a size says about the unit, '' where it fits."""
    factor = size / max(usual, 1e-12)
    least = 1 / _FACTOR if group in _NEVER_SMALL else 0.0
    if least <= factor <= _FACTOR or size == 0:
        return ''
    units = _ANGLES if group == 'angular velocity' else _UNITS
    likely = [name for f, name in units if 1 / _BESIDE <= factor / f <= _BESIDE]
    guess = f': in {likely[0]}?' if likely else ': in another unit?'
    return f'is {factor:.3g} times as large as in training{guess}'


def _swapped(
    mean: NDArray[np.float64], mean_then: NDArray[np.float64], std_then: NDArray[np.float64]
) -> str:
    """Return the order of axes that fits training where the present one does not, '' otherwise."""
    if len(mean) != 3:
        return ''

    def worst(order: tuple[int, ...]) -> float:
        return float((np.abs(mean[list(order)] - mean_then) / std_then).max())

    if worst((0, 1, 2)) < _FAR:
        return ''
    best = min(permutations(range(3)), key=worst)
    return ' '.join('xyz'[k] for k in best) if worst(best) < _NEAR else ''
