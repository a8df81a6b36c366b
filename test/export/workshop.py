# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings with a camera, latched topics and odd labels, to be exported."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.sink import LATCHED
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.readers.definitions import typestore
from test.replay.recordings import START, Entry, cdr, header, robot

CAMERA, STATIC, DESCRIPTION = '/camera/image/compressed', '/tf_static', '/robot_description'
INFO = '/camera/camera_info'
IMAGE = 'sensor_msgs/msg/CompressedImage'
MILLISECOND = 10**6
LABELS = LabelSet(('reach', '把持 grip', 'push & "turn"', 'wait'), ('move', 'handle', 'handle', ''))


def segment(
    start: float, end: float, label: str, *, confidence: float = 1.0, success: bool | None = None
) -> Segment:
    """Make a segment, by milliseconds from the start of the recording."""
    first, last = (START + round(t * MILLISECOND) for t in (start, end))
    return Segment(first, last, label, confidence, success)


#: Neighbours, a gap, less than a millisecond, a nanosecond, and every outcome.
SEGMENTS = (
    segment(0, 1200.4, 'reach', success=True),
    segment(1200.4, 1250.6, '把持 grip', confidence=0.25, success=False),
    segment(1250.6, 2500.123456, 'push & "turn"', confidence=0.75),
    segment(3000, 3000.3, 'reach', success=True),
    segment(3500.5, 3500.500001, 'wait'),
    segment(3700, 4000, '把持 grip', success=True),
)


def workshop(
    path: Path,
    segments: Sequence[Segment] = SEGMENTS,
    *,
    labels: LabelSet = LABELS,
    prefix: str = GROUND_TRUTH,
    model: str = '',
    seconds: float = 4.0,
    cameras: Sequence[str] = (CAMERA,),
    log_shift: int = 0,
) -> Path:
    """Write a recording, with labels where there are any."""
    entries = sorted(
        [*robot(seconds, log_shift=log_shift), *_images(seconds, cameras, log_shift)],
        key=lambda e: e.log_time,
    )
    with BagWriter(path) as bag:
        for topic, type_name in dict.fromkeys((e.topic, e.type_name) for e in entries):
            bag.add_topic(topic, type_name)
        bag.add_topic(STATIC, 'tf2_msgs/msg/TFMessage', qos=LATCHED)
        bag.add_topic(DESCRIPTION, 'std_msgs/msg/String', qos=LATCHED)
        first = START + log_shift
        bag.write(STATIC, cdr('tf2_msgs/msg/TFMessage', transforms=[]), first)
        for text in ('<old/>', '<robot/>'):
            bag.write(DESCRIPTION, cdr('std_msgs/msg/String', data=text), first)
        for entry in entries:
            bag.write(entry.topic, entry.raw, entry.log_time)
        if segments:
            write_labels(bag, segments, labels, prefix, model, log_shift)
    return path


def label_bag(path: Path, segments: Sequence[Segment], model: str) -> Path:
    """Write a bag with the labels of a model alone."""
    with BagWriter(path) as bag:
        write_labels(bag, segments, LABELS, '', model, 0)
    return path


def write_labels(
    bag: BagWriter,
    segments: Sequence[Segment],
    labels: LabelSet,
    prefix: str,
    model: str,
    log_shift: int,
) -> None:
    writer = LabelWriter(bag, prefix, frame_labels=False)
    writer.write_label_set(labels, model, segments[0].start + log_shift)
    for number, one in enumerate(segments):
        writer.write_segment(one, labels.id_of(one.label), number, model, log_offset=log_shift)


def shade(tenth: int) -> int:
    """Return the grey of the image at so many tenths of a second."""
    return 20 + 5 * tenth


@lru_cache(maxsize=256)
def jpeg(grey: int) -> bytes:
    done, data = cv2.imencode('.jpg', np.full((48, 65, 3), grey, np.uint8))
    assert done
    return bytes(data)


def _images(seconds: float, cameras: Sequence[str], log_shift: int) -> list[Entry]:
    """Make ten images a second, 5 ms after a tenth, and what says how each camera sees."""
    entries = []
    for k in range(int(seconds * 10)):
        stamp = START + k * 100 * MILLISECOND + 5 * MILLISECOND
        log_time = stamp + log_shift
        for camera in cameras:
            data = np.frombuffer(jpeg(shade(k)), np.uint8)
            raw = cdr(IMAGE, header=header(stamp), format='jpeg', data=data)
            entries.append(Entry(camera, IMAGE, log_time, raw))
        if cameras and k % 20 == 0:
            entries.append(Entry(INFO, 'sensor_msgs/msg/CameraInfo', log_time, _info(stamp)))
    return entries


def _info(stamp: int) -> bytes:
    roi = typestore().types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, do_rectify=False)
    return cdr(
        'sensor_msgs/msg/CameraInfo',
        header=header(stamp),
        height=48,
        width=65,
        distortion_model='',
        d=np.zeros(0),
        k=np.zeros(9),
        r=np.zeros(9),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=roi,
    )
