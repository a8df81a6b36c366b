# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a REASSEMBLE file as a bag."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import in_order


@dataclass(frozen=True, slots=True)
class ReassembleReport:
    """What an import wrote.

    Attributes:
        out: The new bag.
        seconds: Length of the recording, s.
        messages: Messages by topic, ground truth included.
        notes: What was left out or corrected, and why.
    """

    out: Path
    seconds: float
    messages: dict[str, int]
    notes: tuple[str, ...]


def import_reassemble(
    path: Path,
    out: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> ReassembleReport:
    """Write all topics of a file, ground truth included, into a bag in log-time order.

    An import that does not finish leaves nothing behind.

    Args:
        path: The .h5 file; never changed.
        out: The rosbag2 folder to write.
        overwrite: Replace `out`.
        progress: Called now and then with the share done so far.

    Raises:
        BagError: The file cannot be read or decoded in full, or `out` cannot be written.
    """
    if path.suffix != '.h5':
        msg = f'{path} is not an .h5 file of REASSEMBLE; expected such a file, or a folder of them'
        raise BagError(msg)
    recording = open_recording(path)
    if not recording.message_count:
        msg = f'{path} holds no message: {"; ".join(recording.notes)}; nothing is imported'
        raise BagError(msg)
    refuse_same(out, path)
    length = max(recording.end - recording.start, 1)
    with BagWriter(out, overwrite=overwrite, discard_failed=True) as bag:
        for name in recording.readable:
            topic = recording.topics[name]
            bag.add_topic(
                name,
                topic.type_name,
                definition=topic.definition,
                type_hash=topic.type_hash,
                qos=topic.qos,
            )
        for blocks in recording.blocks(recording.readable):
            for log_time, name, raw in in_order(blocks):
                bag.write(name, raw, log_time)
            done = max(int(block.log_times[-1]) for block in blocks) - recording.start
            progress(done / length)
        counts = bag.counts
    return ReassembleReport(bag.path, length * 1e-9, counts, recording.notes)
