# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses as windows hold them, and twists where a robot publishes none."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import POSE_DIMS

#: A pose this much older, ns, is the other end of the difference: long enough to average the
#: noise of a 1 kHz driver, short beside a frame.
HORIZON = 20_000_000


def continuous_pose(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn x y z qx qy qz qw into x y z and the first two columns of the rotation matrix.

    Args:
        poses: float64 (n, 7); quaternions of any length but 0.

    Returns:
        float64 (n, 9); NaN where the quaternion is 0.
    """
    # Quaternions that are next to 0 give numbers beyond all measure, which are dropped later.
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        lengths = np.linalg.norm(poses[:, 3:], axis=1)
        x, y, z, w = np.ascontiguousarray(poses[:, 3:].T) / lengths
        xy, xz, yz, xw, yw, zw = x * y, x * z, y * z, x * w, y * w, z * w
        xx, yy, zz = x * x, y * y, z * z
        columns = (
            1 - 2 * (yy + zz), 2 * (xy + zw), 2 * (xz - yw),
            2 * (xy - zw), 1 - 2 * (xx + zz), 2 * (yz + xw),
        )  # fmt: skip
    continuous = np.empty((len(poses), POSE_DIMS))
    continuous[:, :3] = poses[:, :3]
    for k, column in enumerate(columns, start=3):
        continuous[:, k] = column
    return continuous


def rotations(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation matrices of continuous poses, (n, 9) to (n, 3, 3)."""
    turned = np.empty((len(poses), 3, 3))
    turned[:, :, 0], turned[:, :, 1] = poses[:, 3:6], poses[:, 6:9]
    a, b, c, d, e, f = np.ascontiguousarray(poses[:, 3:].T)
    # Their cross product; numpy's is slow.
    turned[:, 0, 2] = b * f - c * e
    turned[:, 1, 2] = c * d - a * f
    turned[:, 2, 2] = a * e - b * d
    return turned


class TwistFromPose:
    """Twist by the difference of poses HORIZON apart, in the frame of the pose.

    Each twist depends only on the poses of the last HORIZON, so it does not matter where a
    recording began. Where the poses are further apart than `max_age` there is no twist.
    """

    def __init__(self, max_age: int) -> None:
        """Begin without poses; max_age in nanoseconds."""
        self._max_age = max_age
        self.reset()

    def reset(self) -> None:
        """Forget all poses."""
        self._stamps = np.empty(0, np.int64)
        self._poses = np.empty((0, 9))

    def __call__(
        self, stamps: NDArray[np.int64], poses: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which of the poses have a twist, bool (n,), and all twists, float64 (n, 6).

        Args:
            stamps: int64 (n,), increasing, and newer than those of the call before.
            poses: float64 (n, 9), continuous poses.
        """
        n = len(stamps)
        all_stamps = np.concatenate([self._stamps, stamps])
        all_poses = np.concatenate([self._poses, poses])
        then = np.searchsorted(all_stamps, stamps - HORIZON, side='right') - 1
        spans = stamps - all_stamps[np.maximum(then, 0)]
        known = (then >= 0) & (spans > 0) & (spans <= self._max_age)
        seconds = np.where(known, spans, 1)[:, None] * 1e-9
        before = all_poses[np.maximum(then, 0)]
        linear = (poses[:, :3] - before[:, :3]) / seconds
        angular = _rotation_vectors(rotations(before), rotations(poses)) / seconds
        keep = np.searchsorted(all_stamps, all_stamps[-1] - HORIZON, side='right') - 1 if n else 0
        keep = max(0, min(int(keep), len(all_stamps) - 1))
        self._stamps, self._poses = all_stamps[keep:], all_poses[keep:]
        return known, np.column_stack([linear, angular])


def _rotation_vectors(
    before: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rotation vectors, rad, that lead from one to the other, (n, 3)."""
    change = after @ before.transpose(0, 2, 1)
    axis = np.column_stack([
        change[:, 2, 1] - change[:, 1, 2],
        change[:, 0, 2] - change[:, 2, 0],
        change[:, 1, 0] - change[:, 0, 1],
    ])  # fmt: skip
    sine = np.linalg.norm(axis, axis=1) / 2
    angle = np.arctan2(sine, (np.trace(change, axis1=1, axis2=2) - 1) / 2)
    factor = np.where(sine > 1e-9, angle / np.maximum(2 * sine, 1e-12), 0.5)  # sin x = x
    return axis * factor[:, None]
