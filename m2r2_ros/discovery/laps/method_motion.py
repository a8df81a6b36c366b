# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LAPS on proprioception: the changes of all its channels are tokenized instead of points."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import MAX_DIMS, VECTOR, of_kind
from m2r2_ros.core.options import between, is_kind, shown
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.laps.calibrate import calibrate_laps, collect
from m2r2_ros.discovery.laps.controller import read_controlled
from m2r2_ros.discovery.laps.encoder import MotionEncoder
from m2r2_ros.discovery.laps.latents import LatentDetector, LatentSource
from m2r2_ros.discovery.laps.motion import Channels
from m2r2_ros.discovery.laps.options import TUNED, LapsOptions, check_laps
from m2r2_ros.discovery.method import Calibration, Method, Recordings, Setting

NAME: Final = 'laps_motion'
#: Times the root mean square of a channel's changes that its grid of displacements reaches.
REACH: Final = 3.0


@dataclass(frozen=True, slots=True)
class LapsMotionOptions(LapsOptions):
    """Options of LAPS on proprioception.

    Sensors see a change at once, where a camera has to look for a while: the window is shorter.
    """

    window: int = between(8, 4, 256)
    stride: int = between(2, 1, 256)


@dataclass(frozen=True)
class LapsMotion:
    """LAPS on all vectors that the recordings have; see Method.

    Attributes:
        options: What calibration starts from.
    """

    options: LapsMotionOptions = field(default_factory=LapsMotionOptions)
    causal: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, Sequence[float]]] = TUNED

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Train a tokenizer on these recordings and find its threshold; see Method.

        Raises:
            DiscoveryError: There are no vectors or too few of them, or nothing moves.
            ConfigError: An option is out of range.
        """
        check_laps(self.options, NAME)
        dims = vectors_of(recordings, setting)
        if not dims:
            msg = f'{NAME}: expected recordings with proprioception, found none'
            raise DiscoveryError(msg)
        reader = Channels(setting.modalities, dims)
        velocities = collect(reader, recordings, self.options, ', '.join(dims))
        spread = np.sqrt(np.square(velocities, dtype=np.float64).mean(axis=(0, 1)))
        reach = np.where(spread > 0, np.maximum(REACH * spread, reader.rest), 0)
        return calibrate_laps(
            velocities,
            reach.astype(np.float32),
            reader.axes,
            self.options,
            setting,
            vectors=list(dims),
            dims=list(dims.values()),
        )

    def open(
        self, calibration: Calibration, setting: Setting
    ) -> LatentDetector[NDArray[np.float64]]:
        """Return a detector; see Method."""
        own = ('vectors', 'dims')
        options = read_controlled(LapsMotionOptions, calibration.options, NAME, own)
        check_laps(options, NAME)
        dims = _read_dims(*(calibration.options.get(key) for key in own))
        reader = Channels(setting.modalities, dims)
        config = options.tokenizer(sum(dims.values()), reader.axes)
        encode = MotionEncoder(config, calibration.tensors)
        source = LatentSource(reader, encode, options.window, options.stride, options.hidden)
        return LatentDetector(source, options, setting.frame_rate)


def vectors_of(recordings: Recordings, setting: Setting) -> dict[str, int]:
    """Return the vectors that some recording has, and how many numbers each has."""
    names = of_kind(setting.modalities, VECTOR)
    found: dict[str, int] = {}
    for recording in recordings:
        for windows in _until_all(recording, found, len(names)):
            for name in names:
                if windows.has(name).any():
                    found.setdefault(name, windows.sensors[name].shape[2])
    return {name: found[name] for name in names if name in found}


def _until_all(
    recording: Iterable[FrameWindows], found: dict[str, int], all_of: int
) -> Iterable[FrameWindows]:
    for windows in recording:
        if len(found) == all_of:
            return
        yield windows


def _read_dims(names: object, dims: object) -> dict[str, int]:
    if not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        msg = f'{NAME}.vectors: expected a list of names, found {shown(names)}'
        raise ConfigError(msg)
    whole = isinstance(dims, list) and all(is_kind(n, int) and 0 < n <= MAX_DIMS for n in dims)
    if not (isinstance(dims, list) and whole and len(dims) == len(names) == len(set(names))):
        msg = f'{NAME}.dims: expected a number above 0 for each vector, found {shown(dims)}'
        raise ConfigError(msg)
    return dict(zip(names, dims, strict=True))


METHOD: Method = LapsMotion()
