# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame window is: rates, context, ages and deadlines."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import above, check_options, read_options
from m2r2_ros.core.time import SECOND

#: Highest rates of frames, sensors and sound, Hz.
MAX_FRAME_RATE, MAX_SENSOR_RATE, MAX_AUDIO_RATE = 1000.0, 10_000.0, 192_000.0
#: Most points of a sensor, and most sound samples, in a window.
MAX_POINTS, MAX_SAMPLES = 4096, 1 << 18
#: Longest time that is waited or bridged, s.
MAX_TIME = 3600.0


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """How streams become windows; part of a bundle, since a model is trained for it.

    Attributes:
        frame_rate: Frames per second; a faster camera is thinned to it.
        sensor_rate: Grid points per second of each sensor (paper section III-B: 300 Hz).
        audio_rate: Sound samples per second (paper section III-B: 16 kHz).
        audio_context: Trailing sound of a window, s; one frame is shorter than an AST patch.
        deadline: Data time, s, that may pass after a frame before its window is released
            without the streams that have not caught up.
        max_gap: A stamp that leads the data clock by more than this, s, is not believed until
            most streams agree.
    """

    frame_rate: float = above(10.0, 0, MAX_FRAME_RATE)
    sensor_rate: float = above(300.0, 0, MAX_SENSOR_RATE)
    audio_rate: int = above(16_000, 0, MAX_AUDIO_RATE)
    audio_context: float = above(1.0, 0, MAX_TIME)
    deadline: float = above(0.2, 0, MAX_TIME)
    max_gap: float = above(10.0, 0, MAX_TIME)

    def __post_init__(self) -> None:
        check_options(self, 'windows')
        if self.sensor_rate < self.frame_rate:
            msg = f'windows.sensor_rate: {self.sensor_rate} is below frame_rate {self.frame_rate}'
            raise ConfigError(msg)
        if self.sensor_rate > MAX_POINTS * self.frame_rate:
            msg = f'windows.sensor_rate: expected at most {MAX_POINTS} times frame_rate'
            raise ConfigError(msg)
        if not 1 <= round(self.audio_context * self.audio_rate) <= MAX_SAMPLES:
            msg = f'windows.audio_context: expected 1 to {MAX_SAMPLES} samples at audio_rate'
            raise ConfigError(msg)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> 'WindowConfig':
        """Read a mapping such as the `windows` section of bundle.yaml.

        Raises:
            ConfigError: An entry is unknown, of the wrong type, or out of range.
        """
        return read_options(cls, entries, 'windows')

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping that `from_dict` reads."""
        return asdict(self)

    @property
    def points(self) -> int:
        """T, the grid points of each sensor in a window."""
        return round(self.sensor_rate / self.frame_rate)

    @property
    def period(self) -> Fraction:
        """Frame period, nanoseconds, exact."""
        return SECOND / Fraction(self.frame_rate).limit_denominator(1000)
