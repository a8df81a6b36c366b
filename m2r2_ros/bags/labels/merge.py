# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A copy of a recording with its labels in it."""

import heapq
from collections.abc import Iterator
from itertools import chain
from operator import itemgetter
from pathlib import Path

from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.writing.writer import BagWriter, Raw
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import in_order

_Entry = tuple[int, int, str, Raw]


def merge(recording: Path, labels: Path, out: Path, *, overwrite: bool = False) -> None:
    """Write a copy of a recording with the topics of a label bag added, in log-time order.

    Messages are copied as bytes, never decoded; definitions, QoS profiles and type hashes are
    kept. Where log times are equal, the recording comes first.

    Args:
        recording: Bag or bare file; never changed.
        labels: Bag or bare file; never changed.
        out: The rosbag2 folder to write.
        overwrite: Replace `out`.

    Raises:
        BagError: The recording has a topic of the labels already, or a bag cannot be read or
            written.
    """
    refuse_same(out, recording, labels)
    sources = [open_recording(recording), open_recording(labels)]
    shared = sorted(set(sources[0].topics) & set(sources[1].topics))
    if shared:
        msg = (
            f'{recording} has {", ".join(shared)} already: merge into the recording without '
            'labels, or keep the labels in their own bag beside it'
        )
        raise BagError(msg)
    with BagWriter(out, overwrite=overwrite, discard_failed=True) as bag:
        for topic in chain.from_iterable(source.topics.values() for source in sources):
            bag.add_topic(
                topic.name,
                topic.type_name,
                definition=topic.definition,
                type_hash=topic.type_hash,
                qos=topic.qos,
            )
        entries = (_entries(source, rank) for rank, source in enumerate(sources))
        for log_time, _, name, raw in heapq.merge(*entries, key=itemgetter(0, 1)):
            bag.write(name, raw, log_time)


def _entries(source: Recording, rank: int) -> Iterator[_Entry]:
    """Yield log time, rank, topic and bytes of every message in log-time order."""
    for blocks in source.blocks(source.topics):
        for log_time, name, raw in in_order(blocks):
            yield log_time, rank, name, raw
