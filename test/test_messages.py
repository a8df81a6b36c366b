# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The message definitions: pinned by hash, and the same for ROS and for reading recordings."""

import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from m2r2_ros.core.share import share_path

#: RIHS01 type hashes. One that changes means that recordings with the old definition no longer
#: match live topics: change it knowingly, and say so in the changelog.
HASHES = {
    'ActionLabel': 'RIHS01_1960c088bf1ad5bd3acc25fe792718f3fdf384b723b9f7aa3a84cfe7ee348d32',
    'ActionSegment': 'RIHS01_918e09ce947024c00dc70c45d03136f5e9ceda09f48b14ff6ad575f7d66f732c',
    'LabelSet': 'RIHS01_2e3719182bf36109a1b4be451a050527c0c03f31f851f3467101552db1a83035',
}

VALUES: dict[str, dict[str, Any]] = {
    'ActionLabel': {
        'header.stamp.sec': 1_700_000_000,
        'header.stamp.nanosec': 123_456_789,
        'header.frame_id': 'camera',
        'label_id': 3,
        'label': 'insert peg',
        'confidence': 0.75,
        'probabilities': [0.125, 0.0, 0.125, 0.75],
        'boundary_score': 0.5,
        'segment_index': 7,
        'segment_start.sec': 1_699_999_999,
        'segment_start.nanosec': 5,
        'revision_lag': 2,
        'modality_mask': 61,
        'latency': 0.03125,
        'model_id': 'a1b2c3',
    },
    'ActionSegment': {
        'header.stamp.sec': 12,
        'header.stamp.nanosec': 999_999_999,
        'start.sec': 10,
        'end.sec': 12,
        'end.nanosec': 999_999_999,
        'label_id': -1,
        'label': 'größer',
        'confidence': 1.0,
        'segment_index': 4_294_967_295,
        'model_id': '',
        'outcome': 2,
    },
    'LabelSet': {
        'names': ['grasp', 'insert peg', ''],
        'parents': ['pick', 'place', ''],
        'colours.0.r': 0.25,
        'colours.2.a': 1.0,
        'model_id': 'a1b2c3',
    },
}

each_message = pytest.mark.parametrize('name', HASHES)


@pytest.fixture(scope='module')
def typestore() -> Typestore:
    """What rosbags makes of the msg files, with no help from ROS."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name in HASHES:
        text = share_path('msg', f'{name}.msg').read_text()
        store.register(get_types_from_msg(text, f'm2r2_ros/msg/{name}'))
    return store


@pytest.fixture(scope='module')
def nodes() -> Iterator[tuple[Any, Any, Callable[[Callable[[], bool]], None]]]:
    """Two live nodes, and a way to spin them until something holds."""
    rclpy = pytest.importorskip('rclpy', reason='this machine has no ROS')
    executors = importlib.import_module('rclpy.executors')
    context = rclpy.Context()
    context.init()
    pair = [rclpy.create_node(name, context=context) for name in ('talker', 'listener')]
    executor = executors.SingleThreadedExecutor(context=context)
    for node in pair:
        executor.add_node(node)

    def spin_until(condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < give_up, 'nothing arrived over DDS'
            executor.spin_once(timeout_sec=0.1)

    yield pair[0], pair[1], spin_until
    executor.shutdown()
    for node in pair:
        node.destroy_node()
    context.shutdown()


def get(message: Any, path: str) -> Any:
    """Follow a dotted path of fields and indices into a message."""
    for part in path.split('.'):
        message = message[int(part)] if part.isdigit() else getattr(message, part)
    return message


def filled(kind: Any, values: dict[str, Any]) -> Any:
    """Make a live message that holds `values`."""
    message = kind()
    if hasattr(message, 'colours'):
        colour = importlib.import_module('std_msgs.msg').ColorRGBA
        message.colours = [colour() for _ in values['names']]
    for path, value in values.items():
        owner, _, field = path.rpartition('.')
        setattr(get(message, owner) if owner else message, field, value)
    return message


@each_message
def test_definition_has_the_pinned_hash(name: str, typestore: Typestore) -> None:
    assert typestore.hash_rihs01(f'm2r2_ros/msg/{name}') == HASHES[name]


@each_message
def test_ros_publishes_the_pinned_hash(name: str, nodes: Any) -> None:
    talker, _, spin_until = nodes
    kind = getattr(importlib.import_module('m2r2_ros.msg'), name)
    topic = f'/hash_of_{name}'
    publisher = talker.create_publisher(kind, topic, 1)
    spin_until(lambda: bool(talker.get_publishers_info_by_topic(topic)))
    (info,) = talker.get_publishers_info_by_topic(topic)
    assert str(info.topic_type_hash) == HASHES[name]
    talker.destroy_publisher(publisher)


@each_message
def test_message_crosses_dds_and_reads_the_same(
    name: str, nodes: Any, typestore: Typestore
) -> None:
    talker, listener, spin_until = nodes
    kind = getattr(importlib.import_module('m2r2_ros.msg'), name)
    sent = filled(kind, VALUES[name])
    raw: list[bytes] = []
    typed: list[Any] = []
    publisher = talker.create_publisher(kind, f'/{name}', 1)
    listener.create_subscription(kind, f'/{name}', raw.append, 1, raw=True)
    listener.create_subscription(kind, f'/{name}', typed.append, 1)
    spin_until(lambda: publisher.get_subscription_count() == 2)
    publisher.publish(sent)
    spin_until(lambda: bool(raw and typed))

    assert typed[0] == sent
    decoded = typestore.deserialize_cdr(raw[0], f'm2r2_ros/msg/{name}')
    for path, value in VALUES[name].items():
        np.testing.assert_array_equal(get(decoded, path), value)
    assert bytes(typestore.serialize_cdr(decoded, f'm2r2_ros/msg/{name}')) == raw[0]
