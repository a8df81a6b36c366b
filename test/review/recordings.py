# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings with a camera and a microphone, in every format, and what is in them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.samples import ImageSamples
from m2r2_ros.readers.definitions import message_definition
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec
from test.readers.messages import serialise
from test.readers.test_sound import FOXGLOVE, message, store
from test.replay.recordings import SECOND, START, Entry, cdr, header, wrench

CAMERA, OTHER, RAW, MICROPHONE = '/hand/compressed', '/wide/compressed', '/raw', '/mic'
COMPRESSED, IMAGE, SOUND = (
    'sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image', 'foxglove_msgs/msg/RawAudio',
)  # fmt: skip
WRENCH = 'geometry_msgs/msg/WrenchStamped'
RATE = 8000


def pixels(number: int) -> NDArray[np.uint8]:
    """Return an image that tells its number, BGR."""
    image = np.full((24, 32, 3), (number * 7) % 256, np.uint8)
    cv2.putText(image, str(number), (1, 16), cv2.FONT_HERSHEY_PLAIN, 0.8, (0, 255, 255))
    return image


def jpeg(number: int) -> bytes:
    return bytes(cv2.imencode('.jpg', pixels(number))[1])


def compressed(stamp: int, data: bytes, kind: str = 'jpeg') -> bytes:
    return cdr(COMPRESSED, header=header(stamp), format=kind, data=np.frombuffer(data, np.uint8))


def raw_image(stamp: int, number: int) -> bytes:
    image = pixels(number)
    return cdr(
        IMAGE, header=header(stamp), height=24, width=32, encoding='bgr8', is_bigendian=0,
        step=96, data=image.reshape(-1),
    )  # fmt: skip


def film(
    topic: str, stamps: Sequence[int], *, late: Sequence[int] = (), first: int = 0
) -> list[Entry]:
    """Return an image for each stamp, logged `late` nanoseconds after it."""
    late = late or [1_000_000] * len(stamps)
    return [
        Entry(topic, COMPRESSED, stamp + more, compressed(stamp, jpeg(first + k)))
        for k, (stamp, more) in enumerate(zip(stamps, late, strict=True))
    ]


def sound(
    seconds: float, chunk: int = 400, start: int = START
) -> tuple[list[Entry], NDArray[np.int16]]:
    """Return chunks of sound, and all samples."""
    rng = np.random.default_rng(4)
    samples = rng.integers(-(2**15), 2**15, int(seconds * RATE)).astype(np.int16)
    entries = []
    for k in range(0, len(samples), chunk):
        stamp = start + k * SECOND // RATE
        raw = serialise(
            message('RawAudio', samples[k : k + chunk], RATE, stamp=stamp), True, store('RawAudio')
        )
        entries.append(Entry(MICROPHONE, SOUND, stamp + chunk * SECOND // RATE, bytes(raw)))
    return entries, samples


def session(seconds: float = 6.0) -> list[Entry]:
    """Return messages of two cameras, a microphone and a force sensor, in log-time order."""
    stamps = [START + k * SECOND // 15 for k in range(int(seconds * 15))]
    forces = [START + k * SECOND // 100 for k in range(int(seconds * 100))]
    entries = [
        *film(CAMERA, stamps),
        *film(OTHER, [stamp + 20_000_000 for stamp in stamps], first=500),
        *sound(seconds)[0],
        *(
            Entry(
                '/wrench', 'geometry_msgs/msg/WrenchStamped', t, wrench(t, [k % 9, 0, 0, 0, 0, 0])
            )
            for k, t in enumerate(forces)
        ),
    ]
    return sorted(entries, key=lambda entry: entry.log_time)


def definition(type_name: str) -> str:
    return FOXGLOVE if type_name == SOUND else message_definition(type_name)


def write_session(
    path: Path, entries: Sequence[Entry] | None = None, truth: Sequence[Segment] = ()
) -> Path:
    """Write a rosbag2 folder."""
    entries = session() if entries is None else entries
    with BagWriter(path) as bag:
        for topic, type_name in dict.fromkeys((e.topic, e.type_name) for e in entries):
            bag.add_topic(topic, type_name, definition=definition(type_name))
        if truth:
            labels = sorted({s.label for s in truth})
            writer = LabelWriter(bag, '/ground_truth', frame_labels=False)
            writer.write_label_set(LabelSet.of(labels), '', truth[0].start)
            for k, segment in enumerate(truth):
                writer.write_segment(segment, labels.index(segment.label), k, '')
        for entry in entries:
            bag.write(entry.topic, entry.raw, entry.log_time)
    return path


def write_labels(path: Path, segments: Sequence[Segment]) -> Path:
    """Write a label bag of segments alone."""
    names = sorted({s.label for s in segments})
    with BagWriter(path) as bag:
        writer = LabelWriter(bag, '', frame_labels=False)
        writer.write_label_set(LabelSet.of(names), 'model', segments[0].start)
        for k, segment in enumerate(segments):
            writer.write_segment(segment, names.index(segment.label), k, 'model')
    return path


def images_of(recording: Recording, topic: str, offset: float = 0.0) -> list[tuple[int, bytes]]:
    """Decode all images of a camera one after the other: stamps and payloads."""
    found = recording.topics[topic]
    reader = make_reader(
        TopicSpec('image', topic, found.type_name, time_offset=offset), found.type_name
    )
    images = []
    for blocks in recording.blocks([topic]):
        for block in blocks:
            samples = reader.decode(block)
            assert isinstance(samples, ImageSamples)
            images += [
                (int(t), f.payload) for t, f in zip(samples.stamps, samples.frames, strict=True)
            ]
    return images
