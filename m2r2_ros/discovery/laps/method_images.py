# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LAPS on the images of a camera: points are tracked, and their motion is tokenized."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import IMAGE, of_kind
from m2r2_ros.core.options import between
from m2r2_ros.discovery.laps.calibrate import calibrate_laps, collect
from m2r2_ros.discovery.laps.controller import read_controlled
from m2r2_ros.discovery.laps.encoder import MotionEncoder
from m2r2_ros.discovery.laps.grid import GRID
from m2r2_ros.discovery.laps.latents import LatentDetector, LatentSource
from m2r2_ros.discovery.laps.motion import TrackedPoints
from m2r2_ros.discovery.laps.options import TUNED, LapsOptions, check_laps
from m2r2_ros.discovery.laps.tracker import make_tracker
from m2r2_ros.discovery.method import Calibration, Method, Recordings, Setting

NAME: Final = 'laps'
#: Pixels that points seem to move from frame to frame where nothing does.
REST: Final = 0.1


@dataclass(frozen=True, slots=True)
class LapsImageOptions(LapsOptions):
    """Options of LAPS on images; in paper's code a window has 16 frames, and the stride is 4.

    Attributes:
        camera: Name of the camera; '' for the first one.
        size: Width and height that images are brought to, pixels.
        tracker: Of points; see make_tracker.
    """

    camera: str = ''
    size: int = between(128, 32, 1024)
    tracker: str = 'lucas_kanade'


@dataclass(frozen=True)
class LapsImages:
    """LAPS on the images of one camera; see Method.

    Attributes:
        options: What calibration starts from.
    """

    options: LapsImageOptions = field(default_factory=LapsImageOptions)
    causal: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, Sequence[float]]] = TUNED

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Train a tokenizer on these recordings and find its threshold; see Method.

        Raises:
            DiscoveryError: There is no camera, or there are too few images, or nothing moves.
            ConfigError: An option is out of range, or the tracker cannot be made.
        """
        check_laps(self.options, NAME)
        cameras = of_kind(setting.modalities, IMAGE)
        camera = self.options.camera or next(iter(cameras), '')
        if camera not in cameras:
            msg = f'{NAME}: expected recordings with the camera {camera or "image"}, found none'
            raise DiscoveryError(msg)
        options = replace(self.options, camera=camera)
        reader = _reader(options)
        velocities = collect(reader, recordings, options, f'images of {camera}')
        reach = pixel_reach(velocities, options.size)
        return calibrate_laps(velocities, reach, reader.axes, options, setting)

    def open(self, calibration: Calibration, setting: Setting) -> LatentDetector[NDArray[np.uint8]]:
        """Return a detector; see Method."""
        options = read_controlled(LapsImageOptions, calibration.options, NAME)
        check_laps(options, NAME)
        if not options.camera:
            msg = f"{NAME}.camera: expected the name of a camera, found ''"
            raise ConfigError(msg)
        reader = _reader(options)
        config = options.tokenizer(2 * GRID**2, reader.axes)
        encode = MotionEncoder(config, calibration.tensors)
        source = LatentSource(reader, encode, options.window, options.stride, options.hidden)
        return LatentDetector(source, options, setting.frame_rate)


def pixel_reach(velocities: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return the reach of the grid, the same for all points, float32 (P,).

    It is what the fastest percent of all moving points move from frame to frame; 0 where none
    moves.

    Args:
        velocities: float32 (n, T - 1, P), half the image is 1.
        size: Width of the images, pixels.
    """
    speeds = np.abs(velocities)
    moving = speeds[speeds > REST / (size / 2)]
    reach = float(np.quantile(moving, 0.99)) if len(moving) else 0.0
    return np.full(velocities.shape[2], reach, np.float32)


def _reader(options: LapsImageOptions) -> TrackedPoints:
    return TrackedPoints(options.camera, options.size, make_tracker(options.tracker))


METHOD: Method = LapsImages()
