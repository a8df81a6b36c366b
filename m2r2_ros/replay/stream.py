# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as a stream of frame windows."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.modalities import Modalities, declared
from m2r2_ros.core.text import listed
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec, as_trained, expected_topic, fitted, topics_of
from m2r2_ros.readers.uses import uses_of
from m2r2_ros.replay.driver import WindowDriver, modalities_to_read
from m2r2_ros.windows.config import WindowConfig


class WindowStream:
    """Iterates over a recording's frame windows, in runs, with bounded memory.

    Attributes:
        topics: Which topic serves which modality, read as the modality wants it.
        chosen: The same as they were declared, found or guessed.
        absent: Topics that were given but are not in the recording; their modalities are masked.
        read: Nanoseconds of the recording read so far.
    """

    def __init__(
        self,
        recording: Recording,
        config: WindowConfig,
        modalities: Modalities | Collection[str],
        given: Mapping[str, TopicSpec] | None = None,
        expected: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Choose topics and make readers.

        Args:
            recording: Where the messages come from.
            config: Shape of the windows.
            modalities: What the windows hold.
            given: Topics that are not to be guessed.
            expected: Topics of the model's training set, taken where they are there; see
                BundleFacts.

        Raises:
            BagError: The recording has no topic for any of the modalities that can be read.
            ConfigError: A given topic has another type than it was given, or another unit.
            MessageError: A given topic's type has no reader.
        """
        given, modalities, expected = given or {}, declared(modalities), expected or {}
        self._recording = recording
        usual = {entry['topic'] for entry in expected.values()}.intersection(recording.readable)
        available = recording.types(usual.union(spec.topic for spec in given.values()))
        chosen = choose_topics(available, modalities, given, expected)
        there = {m: s for m, s in chosen.items() if s.topic in recording.topics}
        wanted = modalities_to_read(modalities, given, there)
        self.absent = {m: s.topic for m, s in chosen.items() if m in wanted and m not in there}
        self.chosen = {m: s for m, s in there.items() if m in wanted}
        self.topics = {m: fitted(s, wanted[m]) for m, s in self.chosen.items()}
        self._expect_topics(modalities)
        self._driver = WindowDriver(config, modalities, given)
        for spec in self.topics.values():
            topic = recording.topics[spec.topic]
            self._driver.add(spec, make_reader(spec, topic.type_name, topic.definition))
        self.read = 0

    @property
    def derived(self) -> tuple[str, ...]:
        """The twists that are made from poses, since no topic has them."""
        return self._driver.derived

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
        topics = {topic for spec in self.topics.values() for topic in topics_of(spec)}
        for blocks in self._recording.blocks(topics):
            windows = self._driver.push(blocks)
            self.read = max(int(b.log_times[-1]) for b in blocks) - self._recording.start
            if len(windows):
                yield windows
        windows = self._driver.flush()
        if len(windows):
            yield windows

    def _expect_topics(self, modalities: Modalities) -> None:
        if self.topics:
            return
        absent = [f'{topic} ({m}) is not in it' for m, topic in self.absent.items()]
        msg = (
            f'{self._recording.path}: no topic serves any of {", ".join(modalities)}; '
            f'{"".join(f"{a}; " for a in absent)}{_could_serve(self._recording)}; '
            'declare them in a YAML file (m2r2 topics makes one) and give it with --topics'
        )
        raise BagError(msg)


def _could_serve(recording: Recording) -> str:
    """Return the topics that hold numbers, images or sound, for a message."""
    topics = [recording.topics[name] for name in sorted(recording.types())]
    found = [
        f'{t.name} ({t.type_name})'
        for t in topics
        if uses_of(t.name, t.type_name, t.definition).modalities
    ]
    return f'topics that could serve: {listed(found, 20)}' if found else 'no topic could serve any'


def choose_topics(
    available: Mapping[str, str],
    modalities: Modalities,
    given: Mapping[str, TopicSpec],
    expected: Mapping[str, Mapping[str, Any]],
) -> dict[str, TopicSpec]:
    """Choose the topic of each modality: the given one, that of the training set, or a guess.

    Args:
        available: Types by topic name.
        modalities: What a model takes.
        given: Specs by modality; without topic where one is off.
        expected: Topics of the training set.

    Raises:
        ConfigError: A given type is not that of the topic.
    """
    usual = {
        name: spec
        for name, entry in expected.items()
        if name not in given
        and (spec := expected_topic(name, entry))
        and available.get(spec.topic) == spec.type
    }
    # Poses may be read for twists alone.
    wanted = {*modalities, *(m.derived_from for m in modalities.values())}
    chosen = guess_topics(available, {**usual, **given}, wanted)
    return {name: as_trained(s, expected.get(name, {})) for name, s in chosen.items()}
