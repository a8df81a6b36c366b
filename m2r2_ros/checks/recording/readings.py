# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers and sounds of a recording: those of its sensors, and of whatever is like them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.sensors import Sensors
from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import BUILTIN, Modality
from m2r2_ros.core.samples import Samples
from m2r2_ros.readers.guessing import MODALITY_TYPES, never_guessed
from m2r2_ros.readers.registry import Reader, make_reader
from m2r2_ros.readers.topics import TopicSpec

#: What is read of sensors: pixels are left alone.
_DECODED: Final = ('sound', 'vector')
#: What the topics are like that serve no sensor, the more special types first.
_LIKE: Final = ('wrench', 'twist', 'imu', 'joints', 'pose')
#: Fields that are read of a type: not every driver fills in velocities.
_FIELDS: Final = {'sensor_msgs/msg/JointState': ('position',)}
#: Parts of the names of what nobody guesses for a sensor, but that keeps a steady rate.
_STEADY: Final = ('depth', 'infra', 'mask', 'visualizer', 'leader', 'last')


class Readings:
    """Decodes the sensors of a recording and, under the names of their topics, what is like them.

    Attributes:
        specs: Where each comes from, by name.
        problems: Why sensors cannot be read, by name.
    """

    def __init__(self, recording: Recording, topics: Mapping[str, TopicSpec] | None = None) -> None:
        """Find the topics; see Sensors.

        Raises:
            ConfigError: A topic that was given is of another type.
            MessageError: A topic that was given cannot be read.
        """
        self._sensors = Sensors(recording, topics, _DECODED)
        self.specs = dict(self._sensors.specs)
        self.problems = self._sensors.problems
        self._others: dict[str, tuple[str, Reader]] = {}
        taken = self._sensors.topics
        for name, type_name in recording.types().items():
            if name in taken or never_guessed(name) == 'labels':
                continue
            spec = _spec(name, type_name)
            if spec is None:
                continue
            try:
                reader = make_reader(spec, type_name, recording.topics[name].definition)
            except (ConfigError, MessageError):
                continue
            self._others[name] = name, reader
            self.specs[name] = spec

    @property
    def topics(self) -> set[str]:
        """All topics that are read."""
        return self._sensors.topics | self._others.keys()

    def modality(self, name: str) -> Modality:
        """Return the conventions of what is called so."""
        spec = self.specs[name]
        return BUILTIN.get(spec.convention) or Modality('vector')

    def decode(self, blocks: Sequence[MessageBlock]) -> Iterator[tuple[str, Samples]]:
        """Yield names and samples in messages that came after all before."""
        for spec, samples in self._sensors.decode(blocks):
            yield spec.modality, samples
        for block in blocks:
            if block.topic in self._others:
                name, reader = self._others[block.topic]
                yield name, reader.decode(block)


def is_commanded(topic: str) -> bool:
    """Return whether a topic holds commands, by its name."""
    reason = never_guessed(topic)
    return reason.startswith('called') and not any(word in reason for word in _STEADY)


def _spec(topic: str, type_name: str) -> TopicSpec | None:
    """Return how a topic is read that serves no sensor; None where its type says nothing."""
    for like in _LIKE:
        if type_name in MODALITY_TYPES[like]:
            return TopicSpec(topic, topic, type_name, like, _FIELDS.get(type_name, ()))
    return None
