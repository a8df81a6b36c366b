# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cell's proprioceptive sensors: each samples the trace at its own rate and phase."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.tables.spec import JOINTS, POSE, TWIST, WRENCH
from m2r2_ros.bags.templates import message_template
from m2r2_ros.simulation.clock import Clock
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.faults import FaultInjector, Packets
from m2r2_ros.simulation.frames import FINGER_JOINTS
from m2r2_ros.simulation.trace import Trace, joined

Array = NDArray[np.float64]

_GROUPS: Final = ('position', 'velocity', 'effort')
#: White noise of force (N), torque (N m), position (m), velocities (m/s, rad/s), fingers (m, m/s).
_FORCE, _TORQUE, _PLACE, SPEED, _TURNING, FINGER = 0.12, 0.004, 2e-5, 5e-4, 1e-3, 4e-5
#: Offset of a wrench sensor when an episode begins, N and N m.
_BIAS: Final = np.repeat((0.3, 0.01), 3)


class Device(NamedTuple):
    """A sensor that publishes numbers.

    Attributes:
        name: As faults name it.
        topic: Its topic.
        type_name: Its message type.
        rate: Messages per second.
        latency: From stamp to log time, seconds.
        columns: Numbers in a message.
        frame_id: Frame of its header.
        read: From trace to true values, (n, columns).
        noise: Standard deviation of the noise on each column.
        joints: Names of the joints of a JointState: their positions, velocities and efforts, as
            far as there are columns.
    """

    name: str
    topic: str
    type_name: str
    rate: float
    latency: float
    columns: int
    frame_id: str
    read: Callable[[Trace], Array]
    noise: Array
    joints: tuple[str, ...] = ()


def devices(config: EpisodeConfig) -> list[Device]:
    """Return the sensors of the cell."""
    motion, grip = config.motion_rate, config.gripper_rate
    return [
        Device('wrench', '/ft_sensor/wrench', WRENCH, 1000.0, 0.0008, 6, 'wrist',
               lambda t: t.wrench, np.repeat((_FORCE, _TORQUE), 3)),
        Device('pose', '/current_pose', POSE, motion, 0.0010, 7, 'base',
               lambda t: t.pose, np.array((*3 * (_PLACE,), *4 * (0.0,)))),
        Device('twist', '/current_twist', TWIST, motion, 0.0011, 6, 'base',
               lambda t: t.twist, np.repeat((SPEED, _TURNING), 3)),
        Device('gripper', '/gripper/joint_states', JOINTS, grip, 0.0015, 4, '',
               lambda t: np.hstack((t.fingers, t.finger_rates)),
               np.repeat((FINGER, SPEED), 2), FINGER_JOINTS),
    ]  # fmt: skip


class Sensor:
    """Makes the messages of a device, block by block."""

    def __init__(self, device: Device, config: EpisodeConfig, rng: np.random.Generator) -> None:
        timing, noise, offset, broken = rng.spawn(4)
        self.device = device
        self._clock = Clock(device.rate, timing, jitter=0.08)
        self._noise = noise
        self._faults = FaultInjector(config.faults, device.name, broken)
        self._bias, self._drift = np.zeros(device.columns), np.zeros(device.columns)
        if device.name == 'wrench':
            self._bias = offset.normal(0.0, _BIAS)
            direction = offset.normal(0.0, _BIAS)
            self._drift = config.drift / 60 * direction / np.linalg.norm(direction[:3])
        numbers = 6 if device.type_name == POSE else device.columns
        groups = _GROUPS[: device.columns // len(device.joints)] if device.joints else ()
        self._template = message_template(
            device.type_name, numbers, device.frame_id, device.joints, groups
        )
        self._last: Trace | None = None

    def publish(self, trace: Trace, start: int) -> list[tuple[int, str, bytes]]:
        """Return log time (ns), topic and message of everything sensed in a trace.

        Args:
            trace: Continues where the last one ended.
            start: Stamp of the beginning of the episode, nanoseconds.
        """
        return self.messages(self.sense(trace, start))

    def messages(self, packets: Packets) -> list[tuple[int, str, bytes]]:
        """Return log time (ns), topic and message of each packet."""
        rows = self._template.fill(packets.stamps, packets.values)
        return [
            (log_time, self.device.topic, row.tobytes())
            for log_time, row in zip(packets.log_times.tolist(), rows, strict=True)
        ]

    def sense(self, trace: Trace, start: int) -> Packets:
        """Return what is sensed in a trace, as for `publish`."""
        whole = trace if self._last is None else joined([self._last, trace])
        self._last = trace[-1:]
        times, index = self._clock.until(float(whole.times[-1]))
        true = self.device.read(whole)
        values = np.stack([np.interp(times, whole.times, column) for column in true.T], axis=1)
        values += self._noise.normal(0.0, 1.0, values.shape) * self.device.noise
        values += self._bias + times[:, None] * self._drift
        if self.device.type_name == POSE:
            values[:, 3:] /= np.linalg.norm(values[:, 3:], axis=1, keepdims=True)
        stamps = start + np.round(times * 1e9).astype(np.int64)
        log_times = stamps + round(self.device.latency * 1e9)
        return self._faults.apply(Packets(times, stamps, log_times, values, index))
