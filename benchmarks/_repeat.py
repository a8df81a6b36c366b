# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A long recording out of a short one: the same messages again and again, later each time."""

from pathlib import Path

import numpy as np

from m2r2_ros.bags.labels.clock import is_stamped
from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.messages import in_order

_SECOND = 1_000_000_000
#: Where the stamp of a header lies in a message, bytes: seconds and nanoseconds.
_STAMP = slice(4, 12)
#: Types that begin with a stamp and have no header.
_BARE = ('foxglove_msgs/msg/RawAudio',)


def repeat(recording: Path, out: Path, seconds: float) -> Path:
    """Write a recording of at least so many seconds, and its ground truth as OUT.csv."""
    opened = open_recording(recording)
    period = -(-(opened.end - opened.start) // _SECOND) * _SECOND
    times = int(-(-seconds * _SECOND // period))
    topics = [t for t in opened.topics.values() if not t.name.startswith(GROUND_TRUTH)]
    moved = {t.name for t in topics if t.type_name in _BARE or is_stamped(opened, t.name)}
    with BagWriter(out, discard_failed=True) as bag:
        for topic in topics:
            bag.add_topic(topic.name, topic.type_name, definition=topic.definition)
        for k in range(times):
            for blocks in opened.blocks([t.name for t in topics]):
                for log_time, name, raw in in_order(blocks):
                    later = raw
                    if name in moved:
                        later = raw.copy()
                        stamp = later[_STAMP].view('<u4')
                        stamp[0] += np.uint32(k * period // _SECOND)
                    bag.write(name, later, log_time + k * period)
    truth = read_truth(recording).segments
    segments = [
        Segment(s.start + k * period, s.end + k * period, s.label)
        for k in range(times)
        for s in truth
    ]
    table = out.with_name(f'{out.name}.csv')
    write_segments_csv(table, segments, opened.start)
    return table
