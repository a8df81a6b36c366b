# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as a stream of frame windows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec, guess_topics
from m2r2_ros.replay.driver import WindowDriver, modalities_to_read
from m2r2_ros.windows.config import WindowConfig


class WindowStream:
    """Iterates over a recording's frame windows, in runs, with bounded memory.

    Attributes:
        topics: Which topic serves which modality.
        absent: Topics that were given but are not in the recording; their modalities are masked.
        read: Nanoseconds of the recording read so far.
    """

    def __init__(
        self,
        recording: Recording,
        config: WindowConfig,
        modalities: Sequence[str],
        given: Mapping[str, TopicSpec] | None = None,
    ) -> None:
        """Choose topics and make readers.

        Args:
            recording: Where the messages come from.
            config: Shape of the windows.
            modalities: What the windows hold.
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
        wanted = modalities_to_read(modalities, given, there)
        self.absent = {m: s.topic for m, s in chosen.items() if m in wanted and m not in there}
        self.topics = {m: s for m, s in there.items() if m in wanted}
        self._expect_topics(modalities)
        self._driver = WindowDriver(config, modalities, given)
        for spec in self.topics.values():
            topic = recording.topics[spec.topic]
            self._driver.add(spec, make_reader(spec, topic.type_name, topic.definition))
        self.read = 0

    @property
    def derives_twist(self) -> bool:
        """Whether the twist is made from the pose, since no topic has one."""
        return self._driver.derives_twist

    @property
    def rates(self) -> dict[str, float]:
        """Messages per second of each modality's topic, over the length of the recording."""
        recording = self._recording
        seconds = max((recording.end - recording.start) * 1e-9, 1e-3)
        return {m: recording.topics[s.topic].count / seconds for m, s in self.topics.items()}

    @property
    def log_offset(self) -> int:
        """Log time less stamp of the first message, nanoseconds; 0 where it is under a second.

        Labels get it added to their log times, so that they lie beside the messages they belong to
        even where the robot's clock is not the recorder's.
        """
        return self._driver.log_offset

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks and drops by '<modality>.<reason>'."""
        return self._driver.counters

    def __iter__(self) -> Iterator[FrameWindows]:
        """Yield runs of windows, in order."""
        for blocks in self._recording.blocks([spec.topic for spec in self.topics.values()]):
            windows = self._driver.push(blocks)
            self.read = max(int(b.log_times[-1]) for b in blocks) - self._recording.start
            if len(windows):
                yield windows
        windows = self._driver.flush()
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


def _choose(recording: Recording, given: Mapping[str, TopicSpec]) -> dict[str, TopicSpec]:
    """Choose the topics; what cannot be read is not guessed, and fails where it is given."""
    chosen = {spec.topic for spec in given.values()}.union(recording.readable)
    available = {name: t.type_name for name, t in recording.topics.items() if name in chosen}
    return guess_topics(available, given)
