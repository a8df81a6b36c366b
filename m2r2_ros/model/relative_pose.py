# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses relative to the first one of a run, which do not change when all of a trial is aside."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.model.inputs import Inputs


def relative_name(pose: str) -> str:
    """Return what the relative poses of a pose are called beside the modalities' own data."""
    return f'{pose}.relative'


def poses_of(inputs: Inputs) -> list[str]:
    """Return the poses that inputs hold."""
    return [name for name, m in inputs.modalities.items() if m.is_pose and name in inputs.data]


def relative_to(origins: Mapping[str, NDArray[np.float32]], inputs: Inputs) -> Inputs:
    """Return inputs with relative poses too, float32 (N, T, 9); zero where the pose is masked.

    They are differences of z-scores, along the axes of the frame that poses are given in: down
    stays down, however the tool was turned at first.

    Args:
        origins: By pose, z-scores of the one that each frame's run began with, float32 (N, 9).
        inputs: With poses.
    """
    data = dict(inputs.data)
    for name, origin in origins.items():
        relative = data[name] - origin[:, None, :]
        relative[~inputs.has(name)] = 0
        data[relative_name(name)] = relative
    return Inputs(data, inputs.present, inputs.modalities)


def first_poses(
    poses: NDArray[np.float32], there: NDArray[np.bool_], restarts: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return for each frame the first pose of its run, float32 (N, 9); zero where there is none.

    Args:
        poses: Of each window, float32 (N, T, 9).
        there: bool (N,), frames that have a pose.
        restarts: bool (N,), frames with which a run begins.
    """
    origins = np.zeros((len(poses), poses.shape[-1]), np.float32)
    for lo, hi in pairwise([*sorted({0, *np.flatnonzero(restarts).tolist()}), len(poses)]):
        if there[lo:hi].any():
            origins[lo:hi] = poses[lo + int(np.argmax(there[lo:hi])), 0]
    return origins


class RelativePoses:
    """Adds relative poses to the inputs of a run, as many frames at a time as there are."""

    def __init__(self) -> None:
        """Begin a run."""
        self.reset()

    def reset(self) -> None:
        """Begin another run: its first poses are yet to come."""
        self._origins: dict[str, NDArray[np.float32]] = {}

    def __call__(self, inputs: Inputs) -> Inputs:
        """Return frames that follow on those before with their relative poses.

        Inputs without a pose are returned as they are.
        """
        origins = {}
        for name in poses_of(inputs):
            poses, seen = inputs.data[name], np.flatnonzero(inputs.has(name))
            if name not in self._origins and len(seen):
                self._origins[name] = poses[seen[0], 0].copy()
            first = self._origins.get(name, np.zeros(poses.shape[-1], np.float32))
            origins[name] = np.broadcast_to(first, (len(poses), len(first)))
        return relative_to(origins, inputs) if origins else inputs
