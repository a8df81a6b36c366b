# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated cell as a live robot: what it publishes, when, and how it ends."""

import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from diagnostic_msgs.msg import DiagnosticArray
from m2r2_ros.msg import ActionSegment, LabelSet
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from m2r2_ros.bags.labels.reader import read_segments
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common.graph import message_class, topic_types
from m2r2_ros.nodes.common.intake import Inlet
from m2r2_ros.nodes.common.stop import Stop
from m2r2_ros.nodes.sim.node import SimNode
from m2r2_ros.simulation.cameras import choose_backend
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.parts import action_labels
from test.nodes.conftest import Launch, call, listen, wait_until

#: Messages per simulated second.
RATES = {
    '/ft_sensor/wrench': 1000.0,
    '/current_pose': 580.0,
    '/current_twist': 580.0,
    '/gripper/joint_states': 50.0,
    '/microphone/audio': 31.25,
    '/joint_states': 100.0,
}
CAMERAS = {
    '/external_camera/image_raw/compressed': 5.0,
    '/hand_camera/image_raw/compressed': 5.0,
}
TRUTH = '/ground_truth/action_segment'
LATCHING = QoSProfile(
    depth=10,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
    reliability=ReliabilityPolicy.RELIABLE,
)


class Ear:
    """Takes what comes on some topics, until the cell has been at work for some time."""

    def __init__(self, peer: Node, topics: list[str]) -> None:
        types = wait_until(lambda: self._types(peer, topics), 60.0)
        self.inlets = [Inlet(peer, topic, types[topic]) for topic in topics]
        self.found: dict[str, list[bytes]] = {topic: [] for topic in topics}

    @staticmethod
    def _types(peer: Node, topics: list[str]) -> dict[str, str]:
        types = topic_types(peer)
        return types if types.keys() >= set(topics) else {}

    def take(self) -> None:
        for inlet in self.inlets:
            self.found[inlet.topic] += [received.raw for received in inlet.take()]

    def hears(self, topic: str, count: int) -> bool:
        self.take()
        return len(self.found[topic]) >= count


def stamps(raws: list[bytes]) -> Any:
    """Return the stamps that messages begin with, seconds."""
    words = np.array([np.frombuffer(raw[4:12], '<u4') for raw in raws], np.float64)
    return words[:, 0] + words[:, 1] * 1e-9


def test_it_publishes_what_an_episode_records_at_its_rates(
    launch: Launch, peer: Node, tmp_path: Path
) -> None:
    backend = choose_backend()
    from m2r2_ros.simulation.episode import write_episode  # mujoco, after choose_backend

    clocks = listen(peer, Clock, '/clock')
    segments = listen(peer, ActionSegment, TRUTH)
    begin = time.time()
    options = {'gripper_rate': 50.0, 'image_rate': 5.0, 'image_size': 64}
    # It hardly moves until everybody listens.
    launch(SimNode, seed=6, cameras=bool(backend), rate=0.01, **options)
    rates = {**RATES, **(CAMERAS if backend else {})}
    ear = Ear(peer, list(rates))
    sets = listen(peer, LabelSet, '/ground_truth/label_set', LATCHING)
    faster = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=2.0)
    request = SetParameters.Request(parameters=[Parameter(name='rate', value=faster)])
    assert call(peer, SetParameters, '/sim/set_parameters', request).results[0].successful
    wait_until(lambda: ear.hears('/ft_sensor/wrench', 3000) and sets and segments, 60.0)
    for topic, rate in rates.items():
        times = stamps(ear.found[topic])
        assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(rate, rel=0.1), topic
        assert begin < times[0] < begin + 30.0
    assert not any(inlet.lost for inlet in ear.inlets)
    assert tuple(sets[0].names) == action_labels().names
    assert segments[0].label == 'no_action'
    now = clocks[-1].clock.sec + clocks[-1].clock.nanosec * 1e-9
    wrench = stamps(ear.found['/ft_sensor/wrench'])
    assert wrench[-1] < now + 1.0
    # But for the stamps, a live cell is the recorded one, however the time is cut into blocks.
    write_episode(tmp_path, 6, EpisodeConfig(seconds=1.0, cameras=False, gripper_rate=50.0))
    for topic, expected in beginning(tmp_path / 'cell_0006').items():
        heard = [raw[12:] for raw in ear.found[topic]]
        first = expected.index(heard[0])
        shared = min(len(expected) - first, len(heard))
        assert shared > 20
        assert heard[:shared] == expected[first : first + shared], topic


def beginning(path: Path) -> dict[str, list[bytes]]:
    """Return what is behind the stamps of the messages in the first action of an episode."""
    recording = open_recording(path)
    end = read_segments(path)[0].end / 1e9 - 0.1
    raws: dict[str, list[bytes]] = {topic: [] for topic in RATES}
    for blocks in recording.blocks(list(RATES)):
        for block in blocks:
            raws[block.topic] += [block.message(i).tobytes() for i in range(len(block))]
    return {k: [r[12:] for r in v[: int((stamps(v) < end).sum())]] for k, v in raws.items()}


def test_who_comes_late_still_learns_what_the_robot_looks_like(launch: Launch, peer: Node) -> None:
    launch(SimNode, cameras=False)
    moving = listen(peer, TFMessage, '/tf')
    wait_until(lambda: len(moving) > 10, 60.0)
    texts = listen(peer, String, '/robot_description', LATCHING)
    rigid = listen(peer, TFMessage, '/tf_static', LATCHING)
    wait_until(lambda: texts and rigid)
    links = {link.get('name') for link in ElementTree.fromstring(texts[0].data).iter('link')}
    edges = [*moving[-1].transforms, *rigid[0].transforms]
    children = [edge.child_frame_id for edge in edges]
    assert len(children) == len(set(children))
    assert links == {'base_link', *children} - {
        'external_camera_optical_frame', 'hand_camera_optical_frame'
    }  # fmt: skip
    assert {edge.header.frame_id for edge in edges} <= links
    assert abs(time.time() - moving[-1].transforms[0].header.stamp.sec) < 30.0


def test_it_says_that_it_is_slower_than_wanted_and_what_fails(launch: Launch, peer: Node) -> None:
    told: dict[str, Any] = {}

    def note(array: DiagnosticArray) -> None:
        told.update({status.name: status for status in array.status})

    peer.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
    launch(SimNode, cameras=False, rate=100.0, faults=['wrench-dropout@0s+end'])
    ear = Ear(peer, ['/current_pose', '/ft_sensor/wrench'])
    wait_until(lambda: ear.hears('/current_pose', 1000), 60.0)
    assert not ear.found['/ft_sensor/wrench']

    def values() -> dict[str, str]:
        status = told.get('sim: simulation')
        return {value.key: value.value for value in status.values} if status else {}

    # The first report may be of the moment before anything was put off.
    wait_until(lambda: float(values().get('put off (s)', 0)) > 0)
    status = told['sim: simulation']
    assert status.level == b'\x01'
    assert 'too slow' in status.message
    assert 0 < float(values()['real-time factor']) < 95


def test_simulated_time_waits_for_the_wall(peer: Node) -> None:
    sim = SimNode(Stop(), arguments=['--ros-args', '-p', 'rate:=2.0'])
    begin = time.monotonic()
    sim._timeline.jump(0)
    sim._reach(0.6)
    assert time.monotonic() - begin > 0.29
    sim.destroy_node()


def test_without_the_messages_for_sound_and_transforms_it_goes_on_without(
    launch: Launch, peer: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(type_name: str) -> Any:
        missing = type_name.replace('foxglove_msgs', 'absent_msgs')
        return message_class(missing.replace('tf2_msgs', 'away_msgs'))

    monkeypatch.setattr('m2r2_ros.nodes.common.publishing.message_class', without)
    sim = launch(SimNode, cameras=False, clock=False)
    ear = Ear(peer, ['/current_pose'])
    wait_until(lambda: ear.hears('/current_pose', 100), 60.0)
    _, sensors = sim._diagnose()
    assert sensors.level == 1
    assert 'absent-msgs' in sensors.values['/microphone/audio']
    assert 'away-msgs' in sensors.values['/tf']
    assert not peer.count_publishers('/clock')


@pytest.mark.parametrize(
    ('given', 'text'),
    [
        ({'image_rate': math.pi * 100}, 'image_rate.*out of range'),
        ({'audio_rate': 44_100}, 'audio_rate'),
        ({'faults': ['wrench-sleeps@1s']}, "fault 'wrench-sleeps@1s'"),
        ({'seed': -1}, 'seed'),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    launch: Launch, given: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        launch(SimNode, **given)


def test_without_mujoco_it_says_what_to_install(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('m2r2_ros.nodes.sim.node.find_spec', lambda name: None)
    with pytest.raises(ConfigError, match=r'pip install .m2r2_ros\[sim\]'):
        launch(SimNode)


def test_the_process_ends_well_on_ctrl_c(peer: Node) -> None:
    command = [
        sys.executable,
        '-m',
        'm2r2_ros.nodes.sim.node',
        '--ros-args',
        '-p',
        'cameras:=false',
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        Ear(peer, ['/ft_sensor/wrench'])
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60.0)
    assert process.returncode == 0
    (line,) = errors.splitlines()
    assert 'simulates the cell' in line
