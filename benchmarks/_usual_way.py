# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The usual way to label live, to compare with.

Typed subscriptions, messages paired by about the same stamp, and the network inside the callback:
what a first version of such a node looks like. No windows, no watermarks, sound as it comes.
"""

import sys
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
import torch
from foxglove_msgs.msg import RawAudio
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from m2r2_ros.msg import ActionLabel
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState

from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.windows.logmel import log_mel

SLOP = 0.01
PERIOD = 0.1
QUEUE = 10


class UsualNode(Node):
    """Subscribes, pairs, labels and publishes, all in callbacks."""

    def __init__(self, bundle: Path) -> None:
        """Load a bundle and subscribe."""
        super().__init__('usual_way')
        self._bundle = load_bundle(bundle)
        self._state = self._bundle.network.initial_state()
        self._points = self._bundle.windows.points
        self._queues: dict[str, deque[tuple[float, Any]]] = {}
        self._paired: deque[dict[str, list[float]]] = deque(maxlen=self._points)
        self._sound: deque[float] = deque(maxlen=48_000)
        self._next = 0.0
        self.received: Counter[str] = Counter()
        self._labels = self.create_publisher(ActionLabel, 'action_label', 10)
        for name, kind, topic in (
            ('wrench', WrenchStamped, '/ft_sensor/wrench'),
            ('pose', PoseStamped, '/current_pose'),
            ('twist', TwistStamped, '/current_twist'),
            ('gripper', JointState, '/gripper/joint_states'),
        ):
            self._queues[name] = deque(maxlen=QUEUE)
            self.create_subscription(
                kind, topic, lambda m, name=name: self._pair(name, m), qos_profile_sensor_data
            )
        self.create_subscription(RawAudio, '/microphone/audio', self._hear, qos_profile_sensor_data)

    def _hear(self, message: RawAudio) -> None:
        self.received['sound'] += 1
        self._sound.extend(np.frombuffer(bytes(message.data), '<i2') / 32768)

    def _pair(self, name: str, message: Any) -> None:  # noqa: ANN401 - generated
        self.received[name] += 1
        stamp = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        self._queues[name].append((stamp, message))
        found = {}
        for other, queue in self._queues.items():
            near = [(abs(t - stamp), m) for t, m in queue if abs(t - stamp) < SLOP]
            if not near:
                return
            found[other] = min(near, key=lambda pair: pair[0])[1]
        for queue in self._queues.values():
            queue.clear()
        self._paired.append(_numbers(found))
        if stamp >= self._next and len(self._paired) == self._points:
            self._next = stamp + PERIOD
            self._label(message.header)

    def _label(self, header: Any) -> None:  # noqa: ANN401 - generated
        norm = self._bundle.normalisation
        data = {
            m: torch.from_numpy(norm.scale(m, np.array([[p[m] for p in self._paired]], np.float32)))
            for m in self._queues
        }
        present = torch.ones(1, len(MODALITIES), dtype=torch.bool)
        present[:, 0] = False
        sound = np.array(self._sound, np.float32)[::3][-16_000:]
        sound = np.pad(sound, (16_000 - len(sound), 0))
        data['sound'] = torch.from_numpy(norm.sounds['sound'](log_mel(sound[None])))
        found, self._state = self._bundle.network.advance(InputTensors(data, present), self._state)
        best = int(found.probabilities[0].argmax())
        label = ActionLabel(header=header, label_id=best, label=self._bundle.labels.names[best])
        self._labels.publish(label)


def _numbers(found: dict[str, Any]) -> dict[str, list[float]]:
    f, t = found['wrench'].wrench.force, found['wrench'].wrench.torque
    p, q = found['pose'].pose.position, found['pose'].pose.orientation
    v, w = found['twist'].twist.linear, found['twist'].twist.angular
    return {
        'wrench': [f.x, f.y, f.z, t.x, t.y, t.z],
        'pose': [
            *(p.x, p.y, p.z),
            *(1 - 2 * (q.y**2 + q.z**2), 2 * (q.x * q.y + q.z * q.w), 2 * (q.x * q.z - q.y * q.w)),
            *(2 * (q.x * q.y - q.z * q.w), 1 - 2 * (q.x**2 + q.z**2), 2 * (q.y * q.z + q.x * q.w)),
        ],
        'twist': [v.x, v.y, v.z, w.x, w.y, w.z],
        'gripper': [sum(found['gripper'].position)],
    }


def main() -> None:
    """Label until told to stop."""
    torch.set_num_threads(1)
    rclpy.init()
    node = UsualNode(Path(sys.argv[1]))
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    counts = ', '.join(f'{name} {count}' for name, count in sorted(node.received.items()))
    print(f'the usual way received {counts}', flush=True)


if __name__ == '__main__':
    main()
