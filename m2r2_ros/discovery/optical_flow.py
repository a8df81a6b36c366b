# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The optical-flow baseline of LAPS: its controller on the mean magnitude of dense flow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import IMAGE, of_kind
from m2r2_ros.core.options import between, check_options
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.laps.controller import (
    ControllerOptions,
    read_controlled,
    with_threshold,
)
from m2r2_ros.discovery.laps.detector import EnergyDetector
from m2r2_ros.discovery.laps.energy import otsu
from m2r2_ros.discovery.laps.hops import Hops
from m2r2_ros.discovery.laps.motion import grey_images
from m2r2_ros.discovery.method import Calibration, Method, Recordings, Setting

NAME: Final = 'optical_flow'
#: Pairs of frames that a threshold can be found of at all.
MIN_PAIRS: Final = 8
#: Mean flow, pixels, below which nothing moves.
REST: Final = 0.01


@dataclass(frozen=True, slots=True)
class FlowOptions(ControllerOptions):
    """Options of optical flow; a step of the controller is a frame, so that more of them decide.

    Attributes:
        camera: Name of the camera; '' for the first one.
        size: Width and height that images are brought to, pixels.
    """

    camera: str = ''
    up: int = between(5, 1, 1000)
    down: int = between(5, 1, 1000)
    size: int = between(96, 32, 1024)


@dataclass(frozen=True)
class OpticalFlow:
    """Mean optical flow of one camera; see Method.

    Attributes:
        options: What calibration starts from.
    """

    options: FlowOptions = field(default_factory=FlowOptions)
    causal: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, Sequence[float]]] = {
        'theta_on': (0.5, 0.75, 1.5, 2.0),
        'alpha': (0.3, 0.6),
        'hysteresis': (0.75,),
    }

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Find the threshold between rest and motion by Otsu's method; see Method.

        Raises:
            DiscoveryError: There is no camera, or there are too few images, or nothing moves.
            ConfigError: An option is out of range.
        """
        check_options(self.options, NAME)
        cameras = of_kind(setting.modalities, IMAGE)
        camera = self.options.camera or next(iter(cameras), '')
        if camera not in cameras:
            msg = f'{NAME}: expected recordings with the camera {camera or "image"}, found none'
            raise DiscoveryError(msg)
        source = FlowSource(camera, self.options.size)
        found: list[float] = []
        for recording in recordings:
            source.reset()
            for windows in recording:
                found += [e for e in source.extend(windows) if e is not None]
        if len(found) < MIN_PAIRS:
            msg = f'{NAME}: expected {MIN_PAIRS} images of {camera} or more, found {len(found)}'
            raise DiscoveryError(msg)
        if max(found) * self.options.size < REST:
            msg = f'{NAME}: nothing moves in any image of {camera}'
            raise DiscoveryError(msg)
        theta_on = otsu(np.array(found))
        return Calibration(with_threshold(replace(self.options, camera=camera), theta_on))

    def open(self, calibration: Calibration, setting: Setting) -> EnergyDetector:
        """Return a detector; see Method."""
        options = read_controlled(FlowOptions, calibration.options, NAME)
        if not options.camera:
            msg = f"{NAME}.camera: expected the name of a camera, found ''"
            raise ConfigError(msg)
        source = FlowSource(options.camera, options.size)
        return EnergyDetector(source, options, setting.frame_rate)


class FlowSource:
    """Mean magnitude of the flow from each image to the next, parts of the image's width."""

    window = 2
    stride = 1

    def __init__(self, camera: str, size: int) -> None:
        """Make a source of one camera.

        Args:
            camera: Name of the modality.
            size: Width and height that images are brought to, pixels.
        """
        self._camera, self._size = camera, size
        self._hops: Hops[NDArray[np.uint8]] = Hops(self.window, self.stride)

    def reset(self) -> None:
        """Begin a run of frames."""
        self._hops.reset()

    def extend(self, windows: FrameWindows) -> list[float | None]:
        """Return the energies of the frames but the first of the run."""
        found: list[float | None] = []
        for restart, image in zip(
            windows.restarts, grey_images(windows, self._camera, self._size), strict=True
        ):
            if restart:
                self._hops.reset()
            if self._hops.push(image):
                pair = self._hops.window
                found.append(None if pair is None else self._flow(*pair))
        return found

    def _flow(self, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
        flow = cv2.calcOpticalFlowFarneback(
            before, after, np.zeros((*before.shape, 2), np.float32), 0.5, 3, 15, 3, 5, 1.2, 0
        )
        return float(np.linalg.norm(flow, axis=2).mean()) / self._size


METHOD: Method = OpticalFlow()
