# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses relative to the first one of a run, which do not change when all of a trial is aside."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.model.inputs import Inputs

#: Name of these poses beside the modalities' own data.
RELATIVE_POSE: Final = 'relative_pose'
_POSE: Final = MODALITIES.index('pose')


def relative_to(origins: NDArray[np.float32], inputs: Inputs) -> Inputs:
    """Return inputs with relative poses too, float32 (N, T, 9); zero where the pose is masked.

    They are differences of z-scores, along the axes of the frame that poses are given in: down
    stays down, however the tool was turned at first.

    Args:
        origins: z-scores of the pose that each frame's run began with, float32 (N, 9).
        inputs: With poses.
    """
    relative = inputs.data['pose'] - origins[:, None, :]
    relative[~inputs.present[:, _POSE]] = 0
    return Inputs({**inputs.data, RELATIVE_POSE: relative}, inputs.present)


def first_poses(
    poses: NDArray[np.float32], present: NDArray[np.bool_], restarts: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return for each frame the first pose of its run, float32 (N, 9); zero where there is none.

    Args:
        poses: Of each window, float32 (N, T, 9).
        present: bool (N, 6).
        restarts: bool (N,), frames with which a run begins.
    """
    origins = np.zeros((len(poses), poses.shape[-1]), np.float32)
    seen = present[:, _POSE]
    for lo, hi in pairwise([*np.unique([0, *np.flatnonzero(restarts)]).tolist(), len(poses)]):
        if seen[lo:hi].any():
            origins[lo:hi] = poses[lo + int(np.argmax(seen[lo:hi])), 0]
    return origins


class RelativePoses:
    """Adds relative poses to the inputs of a run, as many frames at a time as there are."""

    def __init__(self) -> None:
        """Begin a run."""
        self.reset()

    def reset(self) -> None:
        """Begin another run: its first pose is yet to come."""
        self._origin: NDArray[np.float32] | None = None

    def __call__(self, inputs: Inputs) -> Inputs:
        """Return frames that follow on those before with their relative poses.

        Inputs without a pose are returned as they are.
        """
        if 'pose' not in inputs.data:
            return inputs
        poses = inputs.data['pose']
        seen = np.flatnonzero(inputs.present[:, _POSE])
        if self._origin is None and len(seen):
            self._origin = poses[seen[0], 0].copy()
        origin = np.zeros(poses.shape[-1], np.float32) if self._origin is None else self._origin
        return relative_to(np.broadcast_to(origin, (len(poses), len(origin))), inputs)
