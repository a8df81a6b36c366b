# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Models for nodes, and the topics of the robot that they were trained on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from m2r2_ros.bags.tables.spec import JOINTS, POSE, TWIST, WRENCH
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.network.bundle import save_bundle
from m2r2_ros.simulation.messages import SOUND
from test.network.networks import SENSING, enliven, make_bundle

#: Topic, type, numbers in a message.
SENSORS = {
    'wrench': ('/ft_sensor/wrench', WRENCH, 6),
    'pose': ('/current_pose', POSE, 7),
    'twist': ('/current_twist', TWIST, 6),
    'gripper': ('/gripper/joint_states', JOINTS, 2),
}
SOUND_TOPIC = '/microphone/audio'
IMAGE_TOPIC = '/camera/image_raw/compressed'
IMAGE = 'sensor_msgs/msg/CompressedImage'


def write_bundle(folder: Path, config: ModelConfig = SENSING, **changes: Any) -> Path:
    """Write a small model with random weights, trained on the topics of the robot."""
    topics = {m: {'topic': topic, 'type': kind} for m, (topic, kind, _) in SENSORS.items()}
    topics['sound'] = {'topic': SOUND_TOPIC, 'type': SOUND}
    topics['image'] = {'topic': IMAGE_TOPIC, 'type': IMAGE}
    plain = {'min_confidence': 0.0, 'min_duration': 0.0, 'lag': 0}
    bundle = make_bundle(config, changes.pop('seed', 0))
    enliven(bundle)
    facts = {'topics': topics, 'decoding': plain, **changes}
    save_bundle(replace(bundle, **facts), folder)
    return folder
