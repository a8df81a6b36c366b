# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot with two of everything, and with a sensor that nothing is built in for."""

from typing import Final

import yaml

from m2r2_ros.core.modalities import Modalities, from_entries
from m2r2_ros.core.options import Section

#: Numbers of its own sensor, and samples of it that are kept in a second.
TACTILE: Final = 16
TACTILE_RATE: Final = 50.0
#: As the `modalities` of a bundle.
ENTRIES: Final = """
image: {}
cam2: {like: image, encoder: image}
sound: {}
mic2: {like: sound, encoder: sound, max_age: 0.4}
left_wrench: {like: wrench}
right_wrench: {like: wrench, encoder: left_wrench}
left_pose: {like: pose}
right_pose: {like: pose}
left_twist: {like: twist, derived_from: left_pose}
right_twist: {like: twist, derived_from: right_pose}
left_gripper: {like: gripper}
right_gripper: {like: gripper}
tactile: {kind: vector, dims: 16, unit: N, min_rate: 20, max_rate: 50, max_age: 0.3}
"""
BIMANUAL: Final[Modalities] = from_entries(Section(yaml.safe_load(ENTRIES), 'modalities'))
#: The same without what has no numbers to compare.
ARMS: Final[Modalities] = {
    name: modality for name, modality in BIMANUAL.items() if modality.kind == 'vector'
}
