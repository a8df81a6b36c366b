# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of the arm as ROS drivers publish it: joint states, transforms and a description.

The transforms are those that a robot_state_publisher makes of the joint states as they were
published, with their noise and their faults.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.tables.spec import JOINTS
from m2r2_ros.bags.writing.sink import LATCHED, RELIABLE
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.description import robot_description
from m2r2_ros.simulation.faults import FaultInjector, Packets
from m2r2_ros.simulation.frames import (
    ARM_JOINTS,
    FINGER_JOINTS,
    FIXED,
    MOVING,
    at_rest,
    camera_edges,
    moved,
)  # fmt: skip
from m2r2_ros.simulation.messages import TEXT, TRANSFORMS, text_message
from m2r2_ros.simulation.sensors import FINGER, SPEED, Device, Sensor
from m2r2_ros.simulation.trace import Trace
from m2r2_ros.simulation.transforms import TransformTemplate

Entry = tuple[int, str, bytes]

#: Topic, type and QoS.
TOPICS: Final = (
    ('/joint_states', JOINTS, RELIABLE),
    ('/tf', TRANSFORMS, RELIABLE),
    ('/tf_static', TRANSFORMS, LATCHED),
    ('/robot_description', TEXT, LATCHED),
)
#: Joint states per second, and how many of them go by between two transforms.
_RATE, _EACH = 100.0, 2
#: From stamp to log time of a joint state, and from there to that of its transforms, seconds.
_LATENCY, _FORWARDING = 0.0005, 0.0003
#: White noise of angles (rad), their velocities (rad/s), torques (N m) and finger forces (N).
_ANGLE, _ANGLE_RATE, _TORQUE, _FORCE = 2e-5, 1e-3, 0.05, 0.1
_ARM, _FINGERS = len(ARM_JOINTS), len(FINGER_JOINTS)


class ArmState:
    """Makes the messages of TOPICS."""

    def __init__(self, config: EpisodeConfig, rng: np.random.Generator) -> None:
        """Begin an episode; `rng` is for noise, timing and faults."""
        noise, broken = rng.spawn(2)
        self._joints = Sensor(_device(), config, noise)
        self._faults = FaultInjector(config.faults, 'tf', broken)
        self._template = TransformTemplate(MOVING)

    def latched(self, model: Any, start: int) -> list[Entry]:  # noqa: ANN401 - mujoco has no types
        """Return what does not change in an episode: rigid frames and description.

        Args:
            model: The scene, for its cameras.
            start: Stamp of the beginning, nanoseconds.
        """
        edges = (*FIXED, *camera_edges(model))
        raw = TransformTemplate(edges).fill(np.array([start]), at_rest(edges))
        return [
            (start, '/tf_static', raw.tobytes()),
            (start, '/robot_description', text_message(robot_description())),
        ]

    def publish(self, trace: Trace, start: int) -> list[Entry]:
        """Return what is published in a trace, as Sensor.publish does."""
        states = self._joints.sense(trace, start)
        return [*self._joints.messages(states), *self._transforms(states)]

    def _transforms(self, states: Packets) -> list[Entry]:
        # Not every joint state becomes transforms: a robot_state_publisher limits its rate.
        some = states[states.index % _EACH == 0]
        positions = some.values[:, : _ARM + _FINGERS]
        log_times = some.log_times + round(_FORWARDING * 1e9)
        packets = Packets(some.times, some.stamps, log_times, moved(positions), some.index)
        packets = self._faults.apply(packets)
        rows = self._template.fill(packets.stamps, packets.values)
        return [
            (log_time, '/tf', row.tobytes())
            for log_time, row in zip(packets.log_times.tolist(), rows, strict=True)
        ]


def _device() -> Device:
    """Return what reads all joints of the robot."""
    joints = (*ARM_JOINTS, *FINGER_JOINTS)
    noise = ((_ANGLE, FINGER), (_ANGLE_RATE, SPEED), (_TORQUE, _FORCE))
    return Device(
        'joints', '/joint_states', JOINTS, _RATE, _LATENCY, 3 * len(joints), '', _read,
        np.repeat(np.ravel(noise), [_ARM, _FINGERS] * 3), joints,
    )  # fmt: skip


def _read(trace: Trace) -> NDArray[np.float64]:
    # One motor moves both fingers.
    grip = np.repeat(trace.efforts[:, _ARM:] / _FINGERS, _FINGERS, axis=1)
    return np.hstack(
        (
            trace.joints, trace.fingers, trace.joint_rates, trace.finger_rates,
            trace.efforts[:, :_ARM], grip,
        )
    )  # fmt: skip
