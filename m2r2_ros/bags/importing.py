# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Any recording that can be opened, written as a bag."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import in_order
from m2r2_ros.core.origin import LayerFacts, Origin


@dataclass(frozen=True, slots=True)
class BagReport:
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


def import_recording(
    recording: Recording,
    out: Path,
    made_by: str,
    *,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> BagReport:
    """Write all topics of a recording, ground truth included, into a bag in log-time order.

    An import that does not finish leaves nothing behind.

    Args:
        recording: The recording; never changed.
        out: The rosbag2 folder to write.
        made_by: Who made its ground truth, for those who ask the bag.
        overwrite: Replace `out`.
        progress: Called now and then with the share done so far.

    Raises:
        BagError: The recording cannot be read in full, or `out` cannot be written.
    """
    # Labels are read from recordings.
    from m2r2_ros.bags.labels.origin_marks import origin_entries
    from m2r2_ros.bags.labels.topics import GROUND_TRUTH, SEGMENT_TOPIC

    if not recording.message_count:
        raise BagError('; '.join([f'{recording.path} holds no message', *recording.notes]))
    refuse_same(out, recording.path)
    length = max(recording.end - recording.start, 1)
    with BagWriter(out, overwrite=overwrite, discard_failed=True) as bag:
        if GROUND_TRUTH + SEGMENT_TOPIC in recording.topics:
            bag.custom |= origin_entries(LayerFacts(Origin.IMPORTED, made_by))
        _add_topics(bag, recording)
        for blocks in recording.blocks(recording.readable):
            for log_time, name, raw in in_order(blocks):
                bag.write(name, raw, log_time)
            done = max(int(block.log_times[-1]) for block in blocks) - recording.start
            progress(done / length)
        counts = bag.counts
    lost = [f'not imported: {name}: {why}' for name, why in sorted(recording.unreadable.items())]
    return BagReport(bag.path, length * 1e-9, counts, (*recording.notes, *lost))


def _add_topics(bag: BagWriter, recording: Recording) -> None:
    for name in recording.readable:
        topic = recording.topics[name]
        bag.add_topic(
            name,
            topic.type_name,
            definition=topic.definition,
            type_hash=topic.type_hash,
            qos=topic.qos,
        )
