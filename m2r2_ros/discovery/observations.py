# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot does, frame by frame: how fast it moves, what it holds, what pushes against it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.signals import frame_means, like

#: Turns rad/s into m/s, and N m into N: about the length of a hand, m.
LEVER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Observed:
    """What N frames show; NaN where no sensor shows it.

    Attributes:
        speed: float64 (N,), mean speed of the fastest arm, m/s; rotation counts LEVER. Of a robot
            that tells joint angles alone, in the unit of these per second.
        slowest: float64 (N,), the lowest speed within each window.
        gripper: float64 (N, G), widths.
        force: float64 (N, F), forces of all wrenches.
        activity: float64 (N,), how far force swings within a window, N; torque counts 1/LEVER.
        position: float64 (N, P), positions of all poses, m; without a pose, joint angles.
    """

    speed: NDArray[np.float64]
    slowest: NDArray[np.float64]
    gripper: NDArray[np.float64]
    force: NDArray[np.float64]
    activity: NDArray[np.float64]
    position: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.speed)

    def __getitem__(self, part: slice) -> 'Observed':
        return Observed(*(getattr(self, name)[part] for name in self.__slots__))

    @classmethod
    def join(cls, parts: 'list[Observed]') -> 'Observed':
        """Put frames that follow on each other together; there must be at least one part."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))

    @classmethod
    def of(cls, windows: FrameWindows, modalities: Modalities) -> 'Observed':
        """Observe windows.

        Args:
            windows: N windows.
            modalities: What they hold.
        """
        speed, slowest = _speed(windows, modalities)
        poses = like(modalities, 'pose')
        places = [frame_means(windows, n)[:, :3] for n in poses] or _means(
            windows, like(modalities, 'joints')
        )
        wrenches = like(modalities, 'wrench')
        forces = [frame_means(windows, n)[:, :3] for n in wrenches]
        return cls(
            speed,
            slowest,
            _beside(_means(windows, like(modalities, 'gripper')), len(windows)),
            _beside(forces, len(windows)),
            _most([_swing(windows, name) for name in wrenches], len(windows)),
            _beside(places, len(windows)),
        )


def _means(windows: FrameWindows, names: tuple[str, ...]) -> list[NDArray[np.float64]]:
    return [frame_means(windows, name) for name in names]


def _speed(
    windows: FrameWindows, modalities: Modalities
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and lowest speed of each window; of several arms those of the fastest.

    Twists tell it best; where there is none, poses do, and else joints.
    """
    mean, slowest = np.full(len(windows), np.nan), np.full(len(windows), np.nan)
    for kind, pace_of in (('twist', _twist_pace), ('pose', _pose_pace), ('joints', _joint_pace)):
        paces = [pace_of(windows, name) for name in like(modalities, kind)]
        unknown = np.isnan(mean)
        mean = np.where(unknown, _most([p.mean(axis=1) for p in paces], len(windows)), mean)
        slowest = np.where(unknown, _most([p.min(axis=1) for p in paces], len(windows)), slowest)
    return mean, slowest


def _twist_pace(windows: FrameWindows, name: str) -> NDArray[np.float64]:
    """Return the speed at each grid point, (N, T), NaN where the twist is masked."""
    twist = windows.sensors[name].astype(np.float64)
    linear, angular = (np.linalg.norm(twist[..., k : k + 3], axis=2) for k in (0, 3))
    pace: NDArray[np.float64] = linear + LEVER * angular
    pace[~windows.has(name)] = np.nan
    return pace


def _pose_pace(windows: FrameWindows, name: str) -> NDArray[np.float64]:
    """Return the same of positions, (N, T - 1)."""
    return _pace(windows, name, windows.sensors[name][..., :3])


def _joint_pace(windows: FrameWindows, name: str) -> NDArray[np.float64]:
    """Return the same of joint angles, (N, T - 1)."""
    return _pace(windows, name, windows.sensors[name])


def _pace(windows: FrameWindows, name: str, places: NDArray[np.float32]) -> NDArray[np.float64]:
    seconds = (windows.stamps - windows.starts) * 1e-9 / places.shape[1]
    steps = np.linalg.norm(np.diff(places.astype(np.float64), axis=1), axis=2)
    pace: NDArray[np.float64] = steps / np.maximum(seconds, 1e-6)[:, None]
    pace[~windows.has(name)] = np.nan
    return pace


def _swing(windows: FrameWindows, name: str) -> NDArray[np.float64]:
    """Return the range of the force component that changes most within each window, (N,)."""
    swing = np.ptp(windows.sensors[name].astype(np.float64), axis=1)
    most = np.maximum(swing[:, :3].max(axis=1), swing[:, 3:].max(axis=1) / LEVER)
    return np.where(windows.has(name), most, np.nan)


def _most(columns: list[NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    """Return the largest of each row; NaN where all are."""
    found = np.full(count, np.nan)
    for values in columns:
        found = np.fmax(found, values)
    return found


def _beside(columns: list[NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((count, 0)), *columns], axis=1)
