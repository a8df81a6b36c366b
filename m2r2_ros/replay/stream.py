# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as a stream of frame windows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.readers.registry import Reader, make_reader
from m2r2_ros.readers.topics import TopicSpec, guess_topics
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig


class WindowStream:
    """Iterates over a recording's frame windows, in runs, with bounded memory.

    Attributes:
        topics: Which topic serves which modality.
        absent: Topics that were given, but that the recording has not; their modalities are masked.
        derives_twist: The twist is made from the pose, since no topic has one.
        log_offset: Log time less stamp of the first message, nanoseconds; 0 where it is under a
            second. Labels get it added to their log times, so that they lie beside the messages
            they belong to even where the robot's clock is not the recorder's.
        read: Nanoseconds of the recording read so far.
    """

    def __init__(
        self,
        recording: Recording,
        config: WindowConfig,
        modalities: Sequence[str],
        given: Mapping[str, TopicSpec] | None = None,
    ) -> None:
        """Choose topics and make ready.

        Args:
            recording: Where the messages come from.
            config: Shape of the windows.
            modalities: What the windows shall hold.
            given: Topics that are not to be guessed.

        Raises:
            BagError: The recording has no topic for any of the modalities that can be read.
            ConfigError: A given topic has another type than it was given.
            MessageError: A given topic's type has no reader.
        """
        given = given or {}
        self._recording = recording
        chosen = _choose(recording, given)
        there = {m: s for m, s in chosen.items() if s.topic in recording.topics}
        # A twist that is given as null is off, not to be made.
        self.derives_twist = (
            'twist' in modalities and not {'twist'} & {*chosen, *given} and 'pose' in there
        )
        wanted = {*modalities, 'pose'} if self.derives_twist else set(modalities)
        self.absent = {m: s.topic for m, s in chosen.items() if m in wanted and m not in there}
        self.topics = {m: s for m, s in there.items() if m in wanted}
        self._expect_topics(modalities)
        self._readers: dict[str, tuple[str, Reader]] = {}
        for modality, spec in self.topics.items():
            topic = recording.topics[spec.topic]
            reader = make_reader(spec, topic.type_name, topic.definition)
            self._readers[spec.topic] = (modality, reader)
        self._assembler = WindowAssembler(config, modalities, derive_twist=self.derives_twist)
        self.log_offset = 0
        self.read = 0
        self._begun = False

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks and drops by '<modality>.<reason>'."""
        return self._assembler.counters

    def __iter__(self) -> Iterator[FrameWindows]:
        """Yield runs of windows, in order."""
        for blocks in self._recording.blocks(list(self._readers)):
            windows = self._assembler.push(self._decode(blocks))
            self.read = max(int(b.log_times[-1]) for b in blocks) - self._recording.start
            if len(windows):
                yield windows
        windows = self._assembler.flush()
        if len(windows):
            yield windows

    def _expect_topics(self, modalities: Sequence[str]) -> None:
        if self.topics:
            return
        absent = [f'{topic} ({m}) is not in it' for m, topic in self.absent.items()]
        found = sorted(self._recording.topics.items())
        there = ', '.join(f'{name} ({topic.type_name})' for name, topic in found) or 'none'
        msg = (
            f'{self._recording.path}: no topic serves any of {", ".join(modalities)}; '
            f'{"".join(f"{a}; " for a in absent)}topics: {there}; '
            'name them in a YAML file and give it with --topics'
        )
        raise BagError(msg)

    def _decode(self, blocks: Sequence[MessageBlock]) -> dict[str, Samples]:
        samples = {}
        for block in blocks:
            modality, reader = self._readers[block.topic]
            samples[modality] = reader.decode(block)
        if not self._begun:
            self._note_offset(blocks, samples)
        return samples

    def _note_offset(self, blocks: Sequence[MessageBlock], samples: Mapping[str, Samples]) -> None:
        """Compare log time and stamp of the first message that holds a sample."""
        firsts = []
        for block in blocks:
            found = samples[self._readers[block.topic][0]]
            if len(found.stamps):
                row = int(np.searchsorted(block.arrival, found.arrival[0]))
                offset = int(block.log_times[row] - found.stamps[0])
                firsts.append((int(found.arrival[0]), offset))
        if firsts:
            self._begun = True
            _, offset = min(firsts)
            self.log_offset = offset if abs(offset) >= SECOND else 0


def _choose(recording: Recording, given: Mapping[str, TopicSpec]) -> dict[str, TopicSpec]:
    """Settle the topics; what cannot be read is not guessed, and fails where it is given."""
    named = {spec.topic for spec in given.values()}
    available = {
        name: topic.type_name
        for name, topic in recording.topics.items()
        if name in named or name in recording.readable
    }
    return guess_topics(available, given)
