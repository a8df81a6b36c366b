# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings of a robot whose actions are easily told apart, and models trained on them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mcap.writer import CompressionType, IndexType, Writer
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as RosbagsWriter

from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.bundle import Bundle, save_bundle
from m2r2_ros.network.network import Network
from m2r2_ros.readers.definitions import message_definition, typestore
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import prepare
from m2r2_ros.training.loop import train_network
from m2r2_ros.training.recordings import open_labelled
from m2r2_ros.windows.config import WindowConfig

#: Three or six numbers.
Numbers = Sequence[float] | NDArray[np.float64]
SECOND = 10**9
START = 1_760_000_000 * SECOND
RATE = 50
ACTIONS = ('reach', 'push', 'grip')
WRENCH, POSE, TWIST, GRIPPER, SOUND = '/wrench', '/pose', '/twist', '/gripper/joint_states', '/mic'
TYPES = {
    WRENCH: 'geometry_msgs/msg/WrenchStamped',
    POSE: 'geometry_msgs/msg/PoseStamped',
    TWIST: 'geometry_msgs/msg/TwistStamped',
    GRIPPER: 'sensor_msgs/msg/JointState',
}
TINY = ModelConfig(
    declared(SENSORS),
    width=16,
    heads=2,
    feedforward=16,
    mlp=16,
    dropout=0.0,
    head=CausalTCNConfig(width=16, layers=3, stages=1),
)
CALM = TrainConfig(
    epochs=12, crop=100, noise=0.1, offset=0.1, learning_rate=1e-2, modality_dropout=0.0
)


class Entry(NamedTuple):
    """A message on its way into a recording."""

    topic: str
    type_name: str
    log_time: int
    raw: bytes


def cdr(type_name: str, **fields: Any) -> bytes:
    """Serialise a message."""
    store = typestore()
    return bytes(store.serialize_cdr(store.types[type_name](**fields), type_name))


def header(stamp: int) -> Any:
    types = typestore().types
    sec, nanosec = divmod(stamp, SECOND)
    time = types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
    return types['std_msgs/msg/Header'](stamp=time, frame_id='')


def vector(values: Numbers) -> Any:
    return typestore().types['geometry_msgs/msg/Vector3'](*map(float, values))


def wrench(stamp: int, values: Numbers) -> bytes:
    body = typestore().types['geometry_msgs/msg/Wrench'](vector(values[:3]), vector(values[3:]))
    return cdr(TYPES[WRENCH], header=header(stamp), wrench=body)


def pose(stamp: int, place: Numbers) -> bytes:
    types = typestore().types
    body = types['geometry_msgs/msg/Pose'](
        types['geometry_msgs/msg/Point'](*map(float, place)),
        types['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0),
    )
    return cdr(TYPES[POSE], header=header(stamp), pose=body)


def twist(stamp: int, values: Numbers) -> bytes:
    body = typestore().types['geometry_msgs/msg/Twist'](vector(values[:3]), vector(values[3:]))
    return cdr(TYPES[TWIST], header=header(stamp), twist=body)


def joints(stamp: int, position: Numbers, name: Sequence[str] = ('left', 'right')) -> bytes:
    return cdr(
        TYPES[GRIPPER],
        header=header(stamp),
        name=list(name),
        position=np.array(position, float),
        velocity=np.zeros(0),
        effort=np.zeros(0),
    )


def truth_of(seconds: float, seed: int, start: int = START) -> list[Segment]:
    """Return actions of one to two seconds each, from the start to the end."""
    rng = np.random.default_rng(seed)
    edges = [0.0]
    while edges[-1] < seconds:
        edges.append(min(edges[-1] + rng.uniform(1.0, 2.0), seconds))
    return [
        Segment(start + round(a * 1e9), start + round(b * 1e9), ACTIONS[(k + seed) % len(ACTIONS)])
        for k, (a, b) in enumerate(pairwise(edges))
    ]


def robot(
    seconds: float = 10.0,
    seed: int = 0,
    *,
    topics: Iterable[str] = tuple(TYPES),
    start: int = START,
    log_shift: int = 0,
) -> list[Entry]:
    """Make messages whose forces, speed and width tell the action, in log-time order.

    Args:
        seconds: Length.
        seed: What happens, and all noise.
        topics: Those to write.
        start: First stamp.
        log_shift: Log time less stamp, nanoseconds.
    """
    rng = np.random.default_rng(seed)
    truth = truth_of(seconds, seed, start)
    entries = []
    place = np.zeros(3)
    for k in range(int(seconds * RATE)):
        stamp = start + k * SECOND // RATE
        action = next(s.label for s in truth if s.start <= stamp < s.end)
        speed = np.array([0.2, 0.0, 0.0]) if action == 'reach' else np.array([0.0, -0.1, 0.0])
        place = place * 0.98 + speed / RATE
        force = -20.0 if action == 'push' else 0.0
        width = 0.0 if action == 'grip' else 0.04
        noise = rng.normal(0, 1, 6)
        raws = {
            WRENCH: wrench(stamp, np.array([0, 0, force, 0, 0, 0]) + 0.3 * noise),
            POSE: pose(stamp, place + 1e-4 * noise[:3]),
            TWIST: twist(stamp, [*(speed + 0.005 * noise[:3]), 0, 0, 0]),
            GRIPPER: joints(stamp, [width / 2, width / 2]),
        }
        entries += [
            Entry(t, TYPES[t], stamp + log_shift + 1000 * i, raws[t])
            for i, t in enumerate(raws)
            if t in topics
        ]
    return entries


def with_states(entries: Sequence[Entry], truth: Sequence[Segment]) -> list[Entry]:
    """Add /phase, whose numbers are those of ACTIONS, at the start of each segment."""
    kind = 'std_msgs/msg/UInt8'
    states = [Entry('/phase', kind, s.start, cdr(kind, data=ACTIONS.index(s.label))) for s in truth]
    return sorted([*states, *entries], key=lambda entry: entry.log_time)


def write_bag(path: Path, entries: Sequence[Entry], truth: Sequence[Segment] = ()) -> Path:
    """Write a rosbag2 folder; with truth, if there is any."""
    with BagWriter(path) as bag:
        for topic, type_name in dict.fromkeys((e.topic, e.type_name) for e in entries):
            bag.add_topic(topic, type_name)
        if truth:
            writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
            writer.write_label_set(LabelSet.of(ACTIONS), '', truth[0].start)
            for k, segment in enumerate(truth):
                writer.write_segment(segment, ACTIONS.index(segment.label), k, '')
        for entry in entries:
            bag.write(entry.topic, entry.raw, entry.log_time)
    return path


def robot_bag(path: Path, seconds: float = 10.0, seed: int = 0, **options: Any) -> Path:
    """Write a robot's recording with its ground truth."""
    return write_bag(path, robot(seconds, seed, **options), truth_of(seconds, seed))


def write_mcap(
    path: Path,
    entries: Sequence[Entry],
    *,
    chunk: int = 1 << 20,
    indexed: bool = True,
    chunked: bool = True,
) -> Path:
    """Write a bare MCAP file, as another recorder might."""
    with path.open('wb') as file:
        writer = Writer(
            file,
            chunk_size=chunk,
            compression=CompressionType.ZSTD,
            use_chunking=chunked,
            index_types=IndexType.ALL if indexed else IndexType.NONE,
            use_statistics=indexed,
            use_summary_offsets=indexed,
            repeat_channels=indexed,
            repeat_schemas=indexed,
        )
        writer.start('ros2', 'somebody')
        channels = {}
        for topic, type_name in dict.fromkeys((e.topic, e.type_name) for e in entries):
            text = message_definition(type_name).encode()
            schema = writer.register_schema(type_name, 'ros2msg', text)
            channels[topic] = writer.register_channel(topic, 'cdr', schema)
        for entry in entries:
            writer.add_message(channels[entry.topic], entry.log_time, entry.raw, entry.log_time)
        writer.finish()
    return path


def write_sqlite(path: Path, entries: Sequence[Entry]) -> Path:
    """Write an sqlite3 rosbag2 folder with rosbags."""
    with RosbagsWriter(path, version=9, storage_plugin=StoragePlugin.SQLITE3) as bag:
        connections = {
            topic: bag.add_connection(topic, type_name, typestore=typestore())
            for topic, type_name in dict.fromkeys((e.topic, e.type_name) for e in entries)
        }
        for entry in entries:
            bag.write(connections[entry.topic], entry.log_time, entry.raw)
    return path


def tiny_bundle(
    folder: Path,
    bags: Sequence[Path],
    config: TrainConfig = CALM,
    model: ModelConfig = TINY,
    topics: Mapping[str, TopicSpec] | None = None,
) -> Bundle:
    """Train a network of a few thousand parameters, with an online head alone, and save it."""
    windows, labelled = WindowConfig(), open_labelled(bags)
    torch.manual_seed(config.seed)
    network = Network(model, windows, len(labelled.labels.names))
    data = prepare(
        labelled,
        modalities=model.modalities,
        windows=windows,
        folder=folder.with_name(folder.name + '.training'),
        image_encoders={},
        topics=topics,
    )
    train_network(network, data.recordings, data.normalisation, config)
    facts = {'recordings': [r.name for r in data.recordings], 'options': config.to_dict()}
    bundle = data.bundle(network, facts, preset='proprio', model=model, windows=windows)
    return save_bundle(bundle, folder)
