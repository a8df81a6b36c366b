# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint states, transforms, description and pose of the arm: four ways to say the same."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.simulation.arm_state import TOPICS, ArmState
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.faults import parse_fault
from m2r2_ros.simulation.trace import Trace
from test.simulation.chain import Matrix, by_description, by_transforms, numbers, origin_of, placed
from test.simulation.recordings import messages

START = 1_760_000_000_000_000_000
EXTERNAL, HAND = 'external_camera_optical_frame', 'hand_camera_optical_frame'


@pytest.fixture(scope='module')
def told(episode: Path) -> dict[str, list[Any]]:
    """Return the messages of an episode by topic, as another reader of CDR decodes them."""
    types = {t.name: t.type_name for t in open_recording(episode).topics.values()}
    found = messages(episode)
    topics = [*(topic for topic, _, _ in TOPICS), '/current_pose', '/ft_sensor/wrench']
    decode = typestore().deserialize_cdr
    return {topic: [decode(raw, types[topic]) for _, raw in found[topic]] for topic in topics}


def time_of(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def far(a: Matrix, b: Matrix) -> tuple[float, float]:
    """Return how far two places are apart, m and rad."""
    turn = np.arccos(np.clip((np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2, -1, 1))
    return float(np.linalg.norm(a[:3, 3] - b[:3, 3])), float(turn)


def test_joint_states_through_the_description_are_the_transforms_and_the_pose(
    told: dict[str, list[Any]],
) -> None:
    (urdf,), (rigid,) = told['/robot_description'], told['/tf_static']
    moving = {time_of(tf.transforms[0]): tf.transforms for tf in told['/tf']}
    poses = told['/current_pose']
    clock = np.array([time_of(pose) for pose in poses])
    states = [state for state in told['/joint_states'] if time_of(state) in moving]
    assert len(states) == len(moving) > 400
    for state in states[::10]:
        time, joints = time_of(state), dict(zip(state.name, state.position.tolist(), strict=True))
        edges = [*moving[time], *rigid.transforms]
        assert {time_of(edge) for edge in moving[time]} == {time}
        for link in ('tcp', 'finger_left', 'finger_right', 'base'):
            described = by_description(urdf.data, joints, link)
            off, turned = far(described, by_transforms(edges, link))
            assert off < 1e-9 and turned < 1e-6
        tool = by_transforms(edges, 'tcp')
        pose = poses[int(np.abs(clock - time).argmin())].pose
        # The poses are of up to a millisecond before or after, and both are noisy.
        off, turned = far(tool, placed(pose.position, pose.orientation))
        assert off < 1e-3 and turned < 2e-3


def test_every_frame_that_a_message_names_is_in_one_tree(told: dict[str, list[Any]]) -> None:
    edges = [*told['/tf'][0].transforms, *told['/tf_static'][0].transforms]
    parents = {edge.child_frame_id: edge.header.frame_id for edge in edges}
    assert len(parents) == len(edges)
    assert set(parents.values()) - parents.keys() == {'base_link'}
    named = {told[topic][0].header.frame_id for topic in ('/current_pose', '/ft_sensor/wrench')}
    assert named | {EXTERNAL, HAND, 'flange', 'tool0', 'tcp'} <= parents.keys()
    links = ElementTree.fromstring(told['/robot_description'][0].data).iter('link')
    assert {link.get('name') for link in links} == {'base_link', *parents} - {EXTERNAL, HAND}


def test_velocities_and_efforts_are_those_of_the_positions(told: dict[str, list[Any]]) -> None:
    states = told['/joint_states']
    assert states[0].name == [
        *(f'joint{k}' for k in range(1, 8)), 'finger_left_joint', 'finger_right_joint'
    ]  # fmt: skip
    clock = np.array([time_of(state) for state in states]) / 1e9
    position, velocity, effort = (
        np.array([getattr(s, name) for s in states]) for name in ('position', 'velocity', 'effort')
    )
    rates = np.gradient(position, clock, axis=0)
    assert np.sqrt(np.mean((rates - velocity) ** 2, axis=0)).max() < 0.01
    assert np.abs(velocity).max() > 0.2
    # The second joint carries the arm; fingers that hold something close, both alike.
    assert effort[:, 1].max() < -5.0
    assert effort[:, 7:].min() < -10.0
    assert np.abs(effort[:, 7] - effort[:, 8]).max() < 1.0
    limits = {
        joint.get('name'): joint.find('limit')
        for joint in ElementTree.fromstring(told['/robot_description'][0].data).iter('joint')
    }
    for k, name in enumerate(states[0].name):
        low, high = (numbers(limits[name], side)[0] for side in ('lower', 'upper'))
        assert low - 1e-3 < position[:, k].min() and position[:, k].max() < high + 1e-3
        for values, side in ((effort, 'effort'), (velocity, 'velocity')):
            assert np.abs(values[:, k]).max() < 1.02 * numbers(limits[name], side)[0]


def test_what_is_rigid_is_latched_and_comes_first(episode: Path) -> None:
    recording, found = open_recording(episode), messages(episode)
    for topic, type_name, _ in TOPICS:
        assert recording.topics[topic].type_name == type_name
        (qos,) = qos_profiles(recording.topics[topic].qos)
        latched = topic in ('/tf_static', '/robot_description')
        assert qos['durability'] == ('transient_local' if latched else 'volatile')
        assert (len(found[topic]) == 1) == latched
        assert not latched or found[topic][0][0] == recording.start


def test_optical_frames_look_along_z_with_y_down(told: dict[str, list[Any]]) -> None:
    edges = [*told['/tf'][0].transforms, *told['/tf_static'][0].transforms]
    whole, hand = by_transforms(edges, EXTERNAL), by_transforms(edges, 'hand')
    off = np.array([0.47, 0.0, 0.06]) - whole[:3, 3]  # what the camera beside the cell looks at
    across = off - (off @ whole[:3, 2]) * whole[:3, 2]
    assert off @ whole[:3, 2] > 0.5 and np.linalg.norm(across) < 0.08
    assert whole[2, 1] < -0.5
    view = np.linalg.inv(hand) @ by_transforms(edges, HAND)
    off = np.array([0.02, 0.0, 0.16]) - view[:3, 3]
    across = off - (off @ view[:3, 2]) * view[:3, 2]
    assert off @ view[:3, 2] > 0.05 and np.linalg.norm(across) < 0.02


def test_shapes_reach_from_joint_to_joint(told: dict[str, list[Any]]) -> None:
    root = ElementTree.fromstring(told['/robot_description'][0].data)
    materials = {material.get('name') for material in root.findall('material')}
    cylinders = 0
    for link in root.iter('link'):
        ends = []
        for visual in link.findall('visual'):
            material, place = visual.find('material'), origin_of(visual)
            assert material is not None and material.get('name') in materials
            if (cylinder := visual.find('geometry/cylinder')) is not None:
                half = float(cylinder.get('length', '')) / 2
                ends = [(place @ (0, 0, z, 1))[:3] for z in (-half, half)]
                cylinders += 1
        seen = [v for v in link.findall('visual') if v.find('geometry/sphere') is not None]
        balls = [origin_of(visual)[:3, 3] for visual in seen]
        for end in ends:
            assert min(np.linalg.norm(end - ball) for ball in balls) < 1e-9
    assert cylinders == 8


def swaying(seconds: float) -> Trace:
    """Return a trace in which the joints sway, each in its own way."""
    times = np.arange(round(1000 * seconds)) / 1000 + 0.001
    widths = {'pose': 7, 'fingers': 2, 'finger_rates': 2, 'joint_rates': 7, 'joints': 7,
              'efforts': 8, 'contact_force': 4, 'contact_slip': 4}  # fmt: skip
    return Trace(times, **{
        name: np.sin(times[:, None] * np.arange(1, widths.get(name, 6) + 1))
        for name in ('wrench', 'twist', *widths)
    })  # fmt: skip


def published(*faults: str, blocks: int = 1) -> dict[str, list[tuple[int, bytes]]]:
    config = EpisodeConfig(faults=tuple(parse_fault(text) for text in faults))
    arm, trace = ArmState(config, np.random.default_rng(5)), swaying(4.0)
    found: dict[str, list[tuple[int, bytes]]] = {'/joint_states': [], '/tf': []}
    size = len(trace) // blocks
    for k in range(blocks):
        for log_time, topic, raw in arm.publish(trace[k * size : (k + 1) * size], START):
            found[topic].append((log_time, raw))
    return found


def decoded(rows: list[tuple[int, bytes]]) -> list[Any]:
    return [typestore().deserialize_cdr(raw, 'tf2_msgs/msg/TFMessage') for _, raw in rows]


def test_blocks_may_be_cut_anywhere() -> None:
    faults = ('joints-lost@1s+1s', 'tf-late=0.1@2s+1s')
    assert published(*faults, blocks=400) == published(*faults)


def test_transforms_share_the_faults_of_the_joint_states_and_have_their_own() -> None:
    healthy = published()
    assert (len(healthy['/joint_states']), len(healthy['/tf'])) == pytest.approx((400, 200), abs=2)
    gone = published('joints-dropout@1s+1s')
    assert len(gone['/joint_states']) == pytest.approx(300, abs=2)
    assert len(gone['/tf']) == pytest.approx(150, abs=2)
    assert set(gone['/tf']) < set(healthy['/tf'])
    quiet = published('tf-dropout@1s+1s')
    assert quiet['/joint_states'] == healthy['/joint_states']
    assert len(quiet['/tf']) == pytest.approx(150, abs=2)
    for fault, share in (('joints-offset=0.5@0s+end', 1.0), ('tf-offset=0.5@0s+end', 0.0)):
        off = published(fault)
        assert (off['/joint_states'] != healthy['/joint_states']) == bool(share)
        for one, other in zip(decoded(off['/tf']), decoded(healthy['/tf']), strict=True):
            times = {time_of(edge) for edge in one.transforms}
            assert times == {time_of(other.transforms[0]) + 500_000_000}
            assert one.transforms[0].transform == other.transforms[0].transform
    for fault in ('joints-nan@1s+1s', 'tf-nan@1s+1s'):
        turns = [tf.transforms[3].transform.rotation.w for tf in decoded(published(fault)['/tf'])]
        assert np.isnan(turns).sum() == pytest.approx(50, abs=1)
    late = published('joints-late=0.2@0s+end')
    delays = np.array([t for t, _ in late['/tf']]) - [t for t, _ in healthy['/tf']]
    assert 150_000_000 < delays.max() <= 200_000_000
