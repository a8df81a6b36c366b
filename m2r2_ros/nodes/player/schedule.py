# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a recording is to be published, and when."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.messages import MessageBlock


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of a recording.

    Attributes:
        recording: The recording.
        begin: Log time at which it begins, nanoseconds.
        end: Log time of the last message in it, nanoseconds.
    """

    recording: Recording
    begin: int
    end: int

    def batches(
        self, topics: Collection[str], latched: Collection[str]
    ) -> Iterator[list[MessageBlock]]:
        """Yield messages in log-time order, one block of each topic at most.

        What was latched before the beginning was still known then, and so is due immediately.
        """
        for blocks in self.recording.blocks(topics):
            parts = [self._part(block, earlier=block.topic in latched) for block in blocks]
            if filled := [part for part in parts if len(part)]:
                yield filled
            if min(int(block.log_times[0]) for block in blocks) > self.end:
                return

    def _part(self, block: MessageBlock, *, earlier: bool) -> MessageBlock:
        kept = block.log_times <= self.end
        if not earlier:
            kept &= block.log_times >= self.begin
        return MessageBlock(
            block.topic,
            block.data,
            block.offsets[kept],
            block.lengths[kept],
            np.maximum(block.log_times[kept], self.begin),
            block.arrival[kept],
        )


def cut(recording: Recording, offset: float, duration: float) -> Interval:
    """Return the part of a recording that begins `offset` seconds after its start.

    Args:
        recording: The recording.
        offset: Seconds.
        duration: Seconds; 0 for all that is left.

    Raises:
        ConfigError: Nothing is left.
    """
    begin = recording.start + round(offset * 1e9)
    if not recording.message_count or begin > recording.end:
        length = (recording.end - recording.start) / 1e9
        msg = (
            f'{recording.path}: nothing to play from {offset:g} s on: it has '
            f'{recording.message_count} messages in {length:.3f} s; give a smaller start_offset'
        )
        raise ConfigError(msg)
    end = begin + round(duration * 1e9) if duration else recording.end
    return Interval(recording, begin, min(end, recording.end))
