# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sensors of a recording: which topics they are, and their samples while it is read."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.registry import Reader, decode_all, make_reader
from m2r2_ros.readers.topics import TopicSpec, topics_of


class Sensors:
    """Decodes what a recording holds, for people to look at; readers are of one pass.

    Attributes:
        specs: Where each sensor comes from, by name.
        problems: Why others cannot be shown, by name.
    """

    def __init__(
        self,
        recording: Recording,
        topics: Mapping[str, TopicSpec] | None = None,
        kinds: Collection[str] = ('image', 'sound', 'vector'),
    ) -> None:
        """Find the topics, and make a reader for each.

        Args:
            recording: The recording.
            topics: Topics by name; what is not given is guessed, and left out where it cannot be
                read.
            kinds: Kinds of sensors that are wanted.

        Raises:
            ConfigError: A topic that was given is of another type.
            MessageError: A topic that was given cannot be read.
        """
        topics = topics or {}
        available = recording.types({spec.topic for spec in topics.values()})
        self.specs: dict[str, TopicSpec] = {}
        self.problems: dict[str, str] = {}
        self._readers: dict[str, Reader] = {}
        for name, spec in guess_topics(available, topics).items():
            if spec.topic not in available or spec.kind not in kinds:
                continue
            found = recording.topics[spec.topic]
            try:
                self._readers[name] = make_reader(spec, found.type_name, found.definition)
            except (ConfigError, MessageError) as error:
                if name in topics:
                    raise
                self.problems[name] = str(error)
                continue
            self.specs[name] = spec

    @property
    def topics(self) -> set[str]:
        """All topics that are read."""
        return {topic for spec in self.specs.values() for topic in topics_of(spec)}

    def decode(self, blocks: Sequence[MessageBlock]) -> Iterator[tuple[TopicSpec, Samples]]:
        """Yield the samples in messages that came after all before."""
        for name, spec in self.specs.items():
            own = [block for block in blocks if block.topic in topics_of(spec)]
            if own:
                yield spec, decode_all(self._readers[name], own)
