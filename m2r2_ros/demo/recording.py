# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a synthetic recording with every modality and ground truth."""

import heapq
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

from m2r2_ros.bags.labels import GROUND_TRUTH, LabelWriter
from m2r2_ros.bags.writer import BagWriter
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import Segment
from m2r2_ros.demo.motion import Motion
from m2r2_ros.demo.script import Action, demo_labels, write_script
from m2r2_ros.demo.streams import Stream, demo_types, streams_of

#: Seconds of messages that are in memory at a time.
BLOCK = 2.0
START = 1_760_000_000_000_000_000

Entry = tuple[int, str, bytes]


def write_demo_recording(
    path: Path,
    *,
    seconds: float = 120.0,
    seed: int,
    start: int = START,
    overwrite: bool = False,
) -> list[Segment]:
    """Write a recording of a robot that picks, inserts, removes and places three objects.

    224x224 JPEG at 10 Hz, 16 kHz sound, wrench, pose and twist at 500 Hz and two fingers at 50 Hz,
    each with its own phase and jitter, and ground truth. The same arguments give the same messages.

    Args:
        path: The rosbag2 folder to write.
        seconds: Length.
        seed: What happens in it, and all noise.
        start: Stamp of its beginning, nanoseconds.
        overwrite: Replace an earlier recording of that name.

    Returns:
        The true segments.

    Raises:
        BagError: The recording cannot be written.
        ConfigError: `seconds` is not positive.
    """
    if not seconds > 0:
        msg = f'a demo recording of {seconds} s cannot be written: expected a positive length'
        raise ConfigError(msg)
    plot, noise = np.random.SeedSequence(seed).spawn(2)
    script = write_script(seconds, np.random.default_rng(plot))
    streams = streams_of(Motion(script.phases), noise)
    truth = [_segment(action, start) for action in script.actions]
    with BagWriter(path, overwrite=overwrite, discard_failed=True) as bag:
        _add_topics(bag, streams)
        labels, label_set = LabelWriter(bag, GROUND_TRUTH, frame_labels=False), demo_labels()
        labels.write_label_set(label_set, '', start)
        clocks = [_messages(stream, seconds, start, noise.spawn(1)[0]) for stream in streams]
        ends = ((segment.end, '', b'') for segment in truth)
        left = iter(enumerate(truth))
        for log_time, topic, raw in heapq.merge(*clocks, ends, key=lambda entry: entry[0]):
            if topic:
                bag.write(topic, raw, log_time)
            else:
                index, segment = next(left)
                labels.write_segment(segment, label_set.id_of(segment.label), index, '')
    return truth


def _add_topics(bag: BagWriter, streams: list[Stream]) -> None:
    for stream in streams:
        definition, _ = demo_types().generate_msgdef(stream.type_name, ros_version=2)
        type_hash = demo_types().hash_rihs01(stream.type_name)
        bag.add_topic(stream.topic, stream.type_name, definition=definition, type_hash=type_hash)


def _segment(action: Action, start: int) -> Segment:
    return Segment(start + round(action.start * 1e9), start + round(action.end * 1e9), action.label)


def _messages(
    stream: Stream, seconds: float, start: int, seed: np.random.SeedSequence
) -> Iterator[Entry]:
    """Yield the messages of a topic in log-time order, made a block at a time."""
    rng = np.random.default_rng(seed)
    size = max(round(BLOCK * stream.rate), 1)
    for first in count(0, size):
        places = stream.phase + np.arange(first, first + size) / stream.rate
        off = np.clip(rng.normal(0.0, stream.jitter, size), -0.3, 0.3) / stream.rate
        times = np.maximum(places + off, 0.0)[places < seconds]
        stamps = start + np.round(times * 1e9).astype(np.int64)
        log_times = stamps + round(stream.latency * 1e9)
        for log_time, raw in zip(log_times.tolist(), stream.publish(times, stamps), strict=True):
            yield log_time, stream.topic, raw
        if len(times) < size:
            return
