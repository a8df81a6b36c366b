# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration of the LAPS methods: windows, a tokenizer of them, and a threshold."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import DiscoveryError
from m2r2_ros.discovery.laps.controller import with_threshold
from m2r2_ros.discovery.laps.encoder import MotionEncoder
from m2r2_ros.discovery.laps.energy import (
    best_threshold,
    latent_energy,
    otsu,
    velocity_energy,
)
from m2r2_ros.discovery.laps.hops import Hops, Thinned
from m2r2_ros.discovery.laps.motion import MotionReader
from m2r2_ros.discovery.laps.options import LapsOptions
from m2r2_ros.discovery.method import Calibration, Recordings, Setting, Tensors
from m2r2_ros.discovery.with_torch import with_torch

Row = TypeVar('Row')

#: Windows that a tokenizer can be trained on at all.
MIN_WINDOWS = 8


def collect(
    reader: MotionReader[Row], recordings: Recordings, options: LapsOptions, what: str
) -> NDArray[np.float32]:
    """Return windows of all recordings, spread evenly over each, float32 (n, T - 1, P).

    Raises:
        DiscoveryError: There are too few; `what` is what they would need.
    """
    share = max(options.max_windows // max(len(recordings), 1), 1)
    found: list[NDArray[np.float32]] = []
    for recording in recordings:
        kept: Thinned[NDArray[np.float32]] = Thinned(share)
        hops: Hops[Row] = Hops(options.window, options.stride)
        for windows in recording:
            for restart, row in zip(windows.restarts, reader.rows(windows), strict=True):
                if restart:
                    hops.reset()
                if hops.push(row):
                    rows = hops.window if kept.wants_next else None
                    kept.push(None if rows is None else reader.velocities(rows))
        found += kept.items
    if len(found) < MIN_WINDOWS:
        msg = (
            f'{len(found)} windows of {options.window} frames with {what} in '
            f'{len(recordings)} recordings; expected at least {MIN_WINDOWS}'
        )
        raise DiscoveryError(msg)
    return np.stack(found)


def calibrate_laps(
    velocities: NDArray[np.float32],
    reach: NDArray[np.float32],
    axes: int,
    options: LapsOptions,
    setting: Setting,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    **more: Any,  # noqa: ANN401
) -> Calibration:
    """Train a tokenizer of windows, and find the threshold of its energy.

    Args:
        velocities: float32 (n, T - 1, P), the windows.
        reach: float32 (P,), the largest displacement of each number.
        axes: Numbers that belong together.
        options: Of the method.
        setting: Holds the seed.
        progress: Called after each step with the number of steps done and the loss.
        **more: Options of the calibration that are none of the method's.

    Raises:
        DiscoveryError: Nothing moves in any window.
        ConfigError: torch is not installed.
    """
    if not reach.any():
        msg = 'nothing moves in any recording: there are no segments to be found'
        raise DiscoveryError(msg)
    config = options.tokenizer(velocities.shape[2], axes)
    schedule = options.schedule(setting.seed)
    training = with_torch('laps.train_tokenizer', 'calibration of laps and laps_motion')
    tensors: Tensors = training.train_tokenizer(velocities, reach, config, schedule, progress)
    encode = MotionEncoder(config, tensors)
    energies = np.array([latent_energy(encode(v)[0]) for v in velocities])
    scaled = np.divide(velocities, reach, out=np.zeros_like(velocities), where=reach > 0)
    proxies = np.array([velocity_energy(v, axes) for v in scaled])
    theta_on = best_threshold(energies, proxies > otsu(proxies))
    if not theta_on > 0:
        msg = 'the latent energy is the same in all windows: there are no segments to be found'
        raise DiscoveryError(msg)
    return Calibration({**with_threshold(options, theta_on), **more}, tensors)
