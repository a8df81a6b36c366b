# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A made-up arm at work: strokes, grips, pushes and rests, with the times at which skills end."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.method import Setting

POINTS, RATE = 30, 300
SETTING = Setting(declared(SENSORS), 10.0)
START = 1_700_000_000 * SECOND


class Arm:
    """Writes down what an arm does, at 300 Hz.

    Attributes:
        marks: Seconds at which skills end, in order.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._speed: list[NDArray[np.float64]] = []
        self._force: list[NDArray[np.float64]] = []
        self._width: list[NDArray[np.float64]] = []
        self._direction: list[NDArray[np.float64]] = []
        self._open = 0.04
        self.marks: list[float] = []

    @property
    def seconds(self) -> float:
        return sum(map(len, self._speed)) / RATE

    def mark(self) -> 'Arm':
        """Note that a skill ends here."""
        self.marks.append(self.seconds)
        return self

    def stroke(self, seconds: float = 1.0, peak: float = 0.4, axis: int = 0) -> 'Arm':
        """Move and come to a stop."""
        phase = np.linspace(0, np.pi, round(seconds * RATE))
        return self._do(peak * np.sin(phase), axis=axis)

    def stand(self, seconds: float, force: float = 0.0) -> 'Arm':
        """Stand, and be pushed by so many newtons."""
        n = round(seconds * RATE)
        return self._do(np.zeros(n), force=np.full(n, force))

    def push(self, seconds: float = 1.0, force: float = 20.0) -> 'Arm':
        """Move slowly against a force that shakes the arm."""
        n = round(seconds * RATE)
        shaking = force * (1 + 0.5 * self._rng.standard_normal(n))
        return self._do(np.full(n, 0.03), force=shaking)

    def grip(self, width: float, seconds: float = 0.3) -> 'Arm':
        """Open or close the fingers, standing."""
        n = round(seconds * RATE)
        widths = np.linspace(self._open, width, n)
        self._open = width
        return self._do(np.zeros(n), width=widths)

    def pick(self) -> 'Arm':
        return self.stroke().stroke(0.8, axis=2).stand(0.3).grip(0.012).stroke(0.6, axis=2).mark()

    def place(self) -> 'Arm':
        return (
            self.stroke(1.2).stroke(0.8, axis=2).push(0.5).stand(0.2).grip(0.04)
            .stroke(0.6, axis=2).mark()
        )  # fmt: skip

    def rest(self, seconds: float = 2.0) -> 'Arm':
        return self.stand(seconds).mark()

    def windows(self, without: Collection[str] = ()) -> FrameWindows:
        """Return what was done as windows, some sensors masked."""
        n = sum(map(len, self._speed)) // POINTS
        speed, force, width = (
            np.concatenate(parts)[: n * POINTS] for parts in (self._speed, self._force, self._width)
        )
        direction = np.concatenate(self._direction)[: n * POINTS]
        twist = np.zeros((n * POINTS, 6))
        twist[:, :3] = speed[:, None] * direction
        wrench = self._rng.normal(0, 0.05, (n * POINTS, 6))
        wrench[:, 2] += force
        pose = np.zeros((n * POINTS, 9))
        pose[:, :3] = np.cumsum(twist[:, :3], axis=0) / RATE
        pose[:, (3, 7)] = 1.0
        sensors = {'wrench': wrench, 'pose': pose, 'twist': twist, 'gripper': width[:, None]}
        present = np.array([name not in without for name in SENSORS])
        stamps = START + SECOND // 10 * np.arange(1, n + 1)
        restarts = np.zeros(n, np.bool_)
        restarts[:1] = True
        return FrameWindows(
            stamps - SECOND // 10,
            stamps,
            {
                name: (values if name not in without else np.zeros_like(values))
                .reshape(n, POINTS, -1)
                .astype(np.float32)
                for name, values in sensors.items()
            },
            np.repeat(present[None], n, axis=0),
            restarts,
            modalities=SETTING.modalities,
        )

    def _do(
        self,
        speed: NDArray[np.float64],
        force: NDArray[np.float64] | None = None,
        width: NDArray[np.float64] | None = None,
        axis: int = 0,
    ) -> 'Arm':
        n = len(speed)
        self._speed.append(speed)
        self._force.append(np.zeros(n) if force is None else force)
        self._width.append(np.full(n, self._open) if width is None else width)
        self._direction.append(np.repeat(np.eye(3)[axis][None], n, axis=0))
        return self


def worker(seed: int = 0, times: int = 4) -> Arm:
    """Return an arm that rests, picks and places, so many times."""
    arm = Arm(seed).rest()
    for k in range(times):
        arm.pick().place()
        if k % 2:
            arm.rest(1.5)
    return arm
