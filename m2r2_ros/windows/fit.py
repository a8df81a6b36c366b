# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a robot's sensors are the ones a model was trained on: units, axes, rates, dead ones."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import VECTOR, Modalities, Modality, of_kind
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.normalisation import MIN_STD, Normalisation

#: Windows before anything is said of a sensor.
ENOUGH: Final = 20
#: Channels of a sensor that have one unit, by name; a vector of its own has one for all.
_GROUPS: Final[dict[str, dict[str, slice]]] = {
    'wrench': {'force': slice(0, 3), 'torque': slice(3, 6)},
    'pose': {'position': slice(0, 3)},
    'twist': {'linear velocity': slice(0, 3), 'angular velocity': slice(3, 6)},
    'gripper': {'width': slice(0, 1)},
    'imu': {'angular velocity': slice(0, 3), 'linear acceleration': slice(3, 6)},
}
_WHOLE: Final[dict[str, slice]] = {'signal': slice(None)}
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

    modalities: Modalities = field(default_factory=dict)
    normalisation: Normalisation | None = None
    rates: Mapping[str, float] = field(default_factory=dict)


class InputFit:
    """Measures windows as they come, and says what does not fit; in constant memory."""

    def __init__(self, expectations: Expectations) -> None:
        """Begin without a window."""
        self._expected = expectations
        self._windows = 0
        self._seen: Counter[str] = Counter()
        self._sizes = {name: _Size(m.dims) for name, m in _vectors(expectations)}

    def add(self, windows: FrameWindows) -> None:
        """Take in windows."""
        self._windows += len(windows)
        for name in windows.modalities:
            self._seen[name] += int(windows.has(name).sum())
        for name, size in self._sizes.items():
            if name in windows.sensors:
                size.add(windows.sensors[name][windows.has(name)].astype(np.float64))

    def warnings(self, rates: Mapping[str, float] | None = None) -> list[str]:
        """Return what does not fit the training set, a sentence each.

        Args:
            rates: Messages per second of each modality's topic.
        """
        if self._windows < ENOUGH:
            return []
        found = self._missing()
        for name in self._sizes:
            if self._seen[name] >= ENOUGH:
                found += self._sensor(name)
        for name, rate in (rates or {}).items():
            usual = self._expected.rates.get(name, 0.0)
            if usual > _SLOWER * rate:
                found.append(f'{name}: {rate:.3g} messages/s, {usual:.3g} in training')
            elif name in self._expected.modalities:
                least = self._expected.modalities[name].min_rate
                if rate < least:
                    found.append(f'{name}: {rate:.3g} messages/s, expected at least {least:g}')
        return found

    def _missing(self) -> list[str]:
        trained = self._expected.modalities
        absent = [m for m in trained if not self._seen[m]]
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
        own, modality = self._sizes[name], self._expected.modalities[name]
        usual = np.sqrt(scales.mean[name] ** 2 + scales.std[name] ** 2)
        found = []
        for group, part in _GROUPS.get(modality.like, _WHOLE).items():
            size, size_then = float(own.power[part].max()), float(usual[part].max())
            if unit := _unit(group, size, size_then):
                found.append(f'{name}: {group} {unit}')
            elif order := _swapped(own.mean[part], scales.mean[name][part], scales.std[name][part]):
                found.append(f'{name}: {group} fits training with the axes {order}: swapped?')
        still = (own.high == own.low) & (scales.std[name] > 2 * MIN_STD)
        if still.any() and not modality.is_steady:
            which = 'all' if still.all() else str(np.flatnonzero(still).tolist())
            found.append(f'{name}: channels {which} never change, in training they did')
        return found


def _vectors(expectations: Expectations) -> list[tuple[str, Modality]]:
    """Return the vectors that a model was trained on, where their scales are known."""
    trained = expectations.modalities
    known = expectations.normalisation is not None
    return [(name, trained[name]) for name in of_kind(trained, VECTOR) if known]


class _Size:
    """Means, powers and ranges of the channels of a sensor."""

    def __init__(self, dims: int) -> None:
        self._count = 0
        self._sum, self._squares = np.zeros(dims), np.zeros(dims)
        self.low, self.high = np.full(dims, np.inf), np.full(dims, -np.inf)

    def add(self, x: NDArray[np.float64]) -> None:
        """Take in windows, (n, T, D)."""
        if not x.size:
            return
        self._count += x.shape[0] * x.shape[1]
        self._sum += x.sum(axis=(0, 1))
        self._squares += np.square(x).sum(axis=(0, 1))
        self.low = np.minimum(self.low, x.min(axis=(0, 1)))
        self.high = np.maximum(self.high, x.max(axis=(0, 1)))

    @property
    def mean(self) -> NDArray[np.float64]:
        return self._sum / self._count

    @property
    def power(self) -> NDArray[np.float64]:
        """Root of the mean square."""
        return np.asarray(np.sqrt(self._squares / self._count))


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
