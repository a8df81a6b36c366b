# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every storage format gives to a recording."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a recording.

    Attributes:
        name: Topic name.
        type_name: Such as 'sensor_msgs/msg/Image'.
        definition: Full ros2msg text; '' where nobody knows the type.
        count: Messages.
        qos: Offered QoS profiles, YAML text as the recorder wrote it; '' unknown.
        type_hash: RIHS01 hash as recorded; '' unknown.
    """

    name: str
    type_name: str
    definition: str
    count: int
    qos: str = ''
    type_hash: str = ''
