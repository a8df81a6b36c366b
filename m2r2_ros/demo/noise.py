# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo robot's microphone hears: hum of motors, hiss of friction, clicks."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.demo.motion import Motion
from m2r2_ros.demo.touch import SNAP_IN, SNAP_OUT

Array = NDArray[np.float64]

RATE = 16_000
_CLICK_LENGTH = 0.06
#: Phase kind: when in it something clicks (progress), and how loud.
_CLICKS = {
    'grasp': ((0.9, 0.15),),
    'align': ((0.0, 0.2),),
    'push': ((SNAP_IN, 0.6),),
    'pull': ((SNAP_OUT, 0.45),),
    'release': ((0.05, 0.1),),
}


class Microphone:
    """Makes sound block by block; the same times and generator give the same sound."""

    def __init__(self, motion: Motion) -> None:
        self._motion = motion
        clicks = [
            (phase.start + (phase.end - phase.start) * when, loudness)
            for phase in motion.phases
            for when, loudness in _CLICKS.get(phase.kind, ())
        ]
        self._clicks = np.array(clicks).reshape(-1, 2)
        self._rubbing = np.array([phase.kind in {'push', 'pull'} for phase in motion.phases])

    def record(self, times: Array, rng: np.random.Generator) -> NDArray[np.int16]:
        """Return int16 (n,) at `times`, float64 (n,), ascending seconds."""
        coarse = np.arange(times[0], times[-1] + 0.004, 0.002)
        rates = self._motion.rates(coarse)
        speed = np.linalg.norm(rates.linear, axis=1)
        rubbing = self._rubbing[self._motion.at(coarse).phase] * speed
        gripping, moving, hiss = (
            np.interp(times, coarse, signal) for signal in (np.abs(rates.width), speed, rubbing)
        )
        hum = sum(np.sin(2 * np.pi * 210 * k * times) / k for k in (1, 2, 3))
        whine = np.sin(2 * np.pi * 95 * times) + 0.5 * np.sin(2 * np.pi * 190 * times)
        floor = rng.normal(size=len(times))
        sound = 0.8 * gripping * hum + 0.02 * moving * whine + (0.002 + 0.5 * hiss) * floor
        self._add_clicks(sound, times)
        pcm: NDArray[np.int16] = np.clip(np.round(sound * 32767), -32768, 32767).astype(np.int16)
        return pcm

    def _add_clicks(self, sound: Array, times: Array) -> None:
        near = (self._clicks[:, 0] > times[0] - _CLICK_LENGTH) & (self._clicks[:, 0] < times[-1])
        for start, loudness in self._clicks[near]:
            since = times - start
            on = (since >= 0) & (since < _CLICK_LENGTH)
            ring = np.sin(2 * np.pi * 2800 * since[on]) + 0.6 * np.sin(2 * np.pi * 4700 * since[on])
            sound[on] += 0.6 * loudness * ring * np.exp(-since[on] / 0.008)
