# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame window is: rates, context, ages and deadlines."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.core.time import SECOND

#: Seconds without a sample after which a modality is masked: a few periods of the slowest usual
#: driver (grippers report at 15 Hz, cameras down to 5 Hz).
MAX_AGE = {'image': 0.5, 'sound': 0.3, 'wrench': 0.2, 'pose': 0.2, 'twist': 0.2, 'gripper': 0.5}


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
        max_age: Age, s, of the newest sample from which on a modality is masked.
    """

    frame_rate: float = 10.0
    sensor_rate: float = 300.0
    audio_rate: int = 16_000
    audio_context: float = 1.0
    deadline: float = 0.2
    max_gap: float = 10.0
    max_age: Mapping[str, float] = field(default_factory=lambda: dict(MAX_AGE))

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            numbers = list(value.values()) if isinstance(value, Mapping) else [value]
            if not all(isinstance(v, (int, float)) and 0 < v < 1e6 for v in numbers):
                msg = f'windows.{f.name}: expected positive numbers, found {value!r}'
                raise ConfigError(msg)
        if not isinstance(self.audio_rate, int):
            msg = f'windows.audio_rate: expected a whole number, found {self.audio_rate!r}'
            raise ConfigError(msg)
        if not isinstance(self.max_age, Mapping) or set(self.max_age) != set(MODALITIES):
            msg = f'windows.max_age: expected one entry for each of {", ".join(MODALITIES)}'
            raise ConfigError(msg)
        if self.sensor_rate < self.frame_rate:
            msg = f'windows.sensor_rate: {self.sensor_rate} is below frame_rate {self.frame_rate}'
            raise ConfigError(msg)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> 'WindowConfig':
        """Read a mapping such as the `windows` section of bundle.yaml.

        Raises:
            ConfigError: An entry is unknown, or not a positive number.
        """
        known = {f.name for f in fields(cls)}
        if unknown := sorted(map(str, set(entries) - known)):
            names = ', '.join(sorted(known))
            msg = f'windows: unknown entries {", ".join(unknown)}; known: {names}'
            raise ConfigError(msg)
        return cls(**entries)

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
