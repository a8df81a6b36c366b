# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The modalities of M2R2, in token order (paper section III-C, eq. 2)."""

from typing import Final

#: Token order of tok = [I, A, S^1 .. S^Ns]; bit k of a modality mask stands for entry k.
MODALITIES: Final = ('image', 'sound', 'wrench', 'pose', 'twist', 'gripper')

#: D_s, the width of each proprioceptive sensor as it enters a window. The pose is position (m)
#: and the first two columns of the rotation matrix: unlike a quaternion, which changes sign at
#: will, they are continuous, so that linear interpolation between samples is always meaningful.
SENSOR_DIMS: Final[dict[str, int]] = {'wrench': 6, 'pose': 9, 'twist': 6, 'gripper': 1}

SENSORS: Final = tuple(SENSOR_DIMS)


def modality_names(mask: int) -> tuple[str, ...]:
    """Return the modalities whose bit is set in `mask`, in token order."""
    return tuple(name for k, name in enumerate(MODALITIES) if mask >> k & 1)
