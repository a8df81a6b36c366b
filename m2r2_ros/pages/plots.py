# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which plots a page has of a sensor: channels that share a unit share a plot."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.readers.topics import TopicSpec

#: Channels of a plot at most, and of a sensor.
_OF_PLOT: Final = 8
MOST_CHANNELS: Final = 32
_XYZ: Final = ('x', 'y', 'z')


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot.

    Attributes:
        id: Sensor, and what of it.
        title: Of people.
        unit: Of its numbers.
        columns: Places of its channels among those of the sensor.
        names: Of its channels.
    """

    id: str
    title: str
    unit: str
    columns: tuple[int, ...]
    names: tuple[str, ...]


def channels_of(spec: TopicSpec, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the channels of a sensor: its numbers, and sizes of vectors behind them, (n, C)."""
    if spec.convention in ('wrench', 'twist'):
        size = np.linalg.norm(values[:, :3], axis=1, keepdims=True)
        return np.concatenate([values, size], axis=1)
    return values[:, :MOST_CHANNELS]


def plots_of(spec: TopicSpec, channels: int) -> list[Plot]:
    """Return the plots of a sensor with so many channels, see `channels_of`."""
    name = spec.modality
    of = '' if name == spec.convention else f'{name}: '
    match spec.convention:
        case 'sound':
            return [Plot(name, f'{of}loudness', 'dBFS', (0,), ('RMS',))]
        case 'wrench':
            return [
                Plot(f'{name}.force', f'{of}force', 'N', (0, 1, 2, 6), (*_XYZ, 'size')),
                Plot(f'{name}.torque', f'{of}torque', 'N m', (3, 4, 5), _XYZ),
            ]
        case 'pose':
            quaternion = ('qx', 'qy', 'qz', 'qw')
            return [
                Plot(f'{name}.position', f'{of}position', 'm', (0, 1, 2), _XYZ),
                Plot(f'{name}.orientation', f'{of}orientation', '', (3, 4, 5, 6), quaternion),
            ]
        case 'twist':
            return [
                Plot(f'{name}.velocity', f'{of}velocity', 'm/s', (0, 1, 2, 6), (*_XYZ, 'size')),
                Plot(f'{name}.angular', f'{of}angular velocity', 'rad/s', (3, 4, 5), _XYZ),
            ]
        case 'imu':
            return [
                Plot(f'{name}.rate', f'{of}angular rate', 'rad/s', (0, 1, 2), _XYZ),
                Plot(f'{name}.acceleration', f'{of}acceleration', 'm/s²', (3, 4, 5), _XYZ),
            ]
        case 'gripper' if channels == 1:
            return [Plot(name, name, spec.unit or 'm', (0,), ('width',))]
    return [_plain(spec, first, channels) for first in range(0, channels, _OF_PLOT)]


def _plain(spec: TopicSpec, first: int, channels: int) -> Plot:
    columns = tuple(range(first, min(first + _OF_PLOT, channels)))
    named = spec.joints or spec.fields
    names = tuple(named[k] if len(named) == channels else str(k) for k in columns)
    several = channels > _OF_PLOT
    title = f'{spec.modality} {first} to {columns[-1]}' if several else spec.modality
    return Plot(f'{spec.modality}.{first}', title, spec.unit, columns, names)
