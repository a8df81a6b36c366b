# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are exported: cameras, states and the action."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.source import Span
from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import IMAGE, VECTOR
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.frames.names import camera_name
from m2r2_ros.readers.guessing import MODALITY_TYPES, guess_topics, never_guessed
from m2r2_ros.readers.resolve import resolve
from m2r2_ros.readers.topics import TopicSpec

#: What the action is called in a topic map, and what says that it is the state after a frame.
ACTION: Final = 'action'
NEXT_STATE: Final = 'next-state'
#: What all sensors together are called.
STATE: Final = 'state'
#: Parts of the names of topics with commands.
_COMMANDS: Final = frozenset(
    {'command', 'commands', 'commanded', 'cmd', 'desired', 'target', 'setpoint', 'leader'}
)
#: Types of commands, and what they are read like.
_COMMAND_TYPES: Final = {
    'geometry_msgs/msg/TwistStamped': 'twist',
    'geometry_msgs/msg/Twist': 'twist',
    'geometry_msgs/msg/PoseStamped': 'pose',
    'geometry_msgs/msg/Pose': 'pose',
    'geometry_msgs/msg/WrenchStamped': 'wrench',
    'sensor_msgs/msg/JointState': 'joints',
    'std_msgs/msg/Float64MultiArray': 'joints',
    'std_msgs/msg/Float32MultiArray': 'joints',
}
#: Messages of a camera by which its rate is told.
_LOOKED_AT: Final = 200
#: Seconds that are looked at first.
_FIRST_SECONDS: Final = 4
#: Frames per second where there is no camera, and at most.
USUAL_RATE: Final = 10
MAX_RATE: Final = 1000


@dataclass(frozen=True, slots=True)
class Chosen:
    """The topics of a recording that are exported.

    Attributes:
        cameras: By name; frames are at the images of the first.
        vectors: By name, with fields, joints and number of numbers.
        action: The command; None without one.
        problems: Why others are left out, by name.
        commands: Topics that could be the action, where there are several.
    """

    cameras: dict[str, TopicSpec]
    vectors: dict[str, TopicSpec]
    action: TopicSpec | None = None
    problems: dict[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()

    @property
    def specs(self) -> dict[str, TopicSpec]:
        """All that is read, by name; the action is called ACTION."""
        action = {} if self.action is None else {ACTION: self.action}
        return {**self.cameras, **self.vectors, **action}


def choose(recording: Recording, given: Mapping[str, TopicSpec], action: str = '') -> Chosen:
    """Choose the topics of a recording.

    Args:
        recording: The recording.
        given: Topics by name that are not to be guessed; without topic where one is switched off.
        action: Topic of the command; NEXT_STATE for none; '' for the only one there is.

    Raises:
        ConfigError: A topic that was given is missing, or does not fit.
        MessageError: A topic that was given cannot be read.
    """
    available = recording.types({spec.topic for spec in given.values()})
    for name, spec in given.items():
        if spec.topic and spec.topic not in available:
            msg = (
                f'{recording.path}: {name}: it has no topic {spec.topic}; correct it, or set '
                f'{name} to null'
            )
            raise ConfigError(msg)
    others = {name: spec for name, spec in given.items() if name != ACTION}
    problems: dict[str, str] = {}
    vectors = {}
    # A model gains little from joints beside a pose, but whoever takes a data set may want either.
    usual = guess_topics(available, others)
    for name, spec in guess_topics(available, others, {*usual, 'joints'}).items():
        if spec.kind != VECTOR:
            continue
        try:
            vectors[name] = _resolved(recording, spec)
        except M2R2Error as error:
            if name in given:
                raise
            problems[name] = str(error)
    command, commands = _command(recording, available, given, action)
    taken = {STATE, ACTION, *given, *vectors}
    return Chosen(_cameras(available, others, taken), vectors, command, problems, commands)


def camera_rate(recording: Recording, camera: TopicSpec) -> float:
    """Return the usual number of images per second of a camera; 0 where it has one at most."""
    times: list[int] = []
    for block in _first_blocks(recording, camera.topic):
        times += block.log_times.tolist()
        if len(times) > _LOOKED_AT:
            break
    steps = np.diff(np.array(times, np.int64))
    step = float(np.median(steps)) if len(steps) else 0.0
    return SECOND / step if step > 0 else 0.0


def _cameras(
    available: Mapping[str, str], given: Mapping[str, TopicSpec], taken: Collection[str]
) -> dict[str, TopicSpec]:
    """Return those that are given, or else every one there is, the one with a usual name first."""
    own = {n: s for n, s in given.items() if s.kind == IMAGE}
    if own:
        found: dict[str, TopicSpec] = {}
        for name, spec in guess_topics(available, own, ()).items():
            called = camera_name(spec.topic, {*taken, *found}) if name == IMAGE else name
            found[called] = spec
        return found
    topics = sorted(
        topic
        for topic, kind in available.items()
        if kind in MODALITY_TYPES[IMAGE] and not never_guessed(topic)
    )
    # A camera that is there raw and compressed is one.
    topics = [t for t in topics if f'{t}/compressed' not in topics]
    first = guess_topics({t: available[t] for t in topics}, {}, (IMAGE,))
    usual = [spec.topic for spec in first.values()]
    cameras: dict[str, TopicSpec] = {}
    for topic in dict.fromkeys([*usual, *topics]):
        name = camera_name(topic, {*taken, *cameras})
        cameras[name] = TopicSpec(name, topic, available[topic], like=IMAGE)
    return cameras


def _command(
    recording: Recording,
    available: Mapping[str, str],
    given: Mapping[str, TopicSpec],
    action: str,
) -> tuple[TopicSpec | None, tuple[str, ...]]:
    """Return what the action is read from, and the topics among which it was not to be told."""
    if action == NEXT_STATE:
        return None, ()
    if action:
        return _resolved(recording, _command_spec(recording, available, action)), ()
    if ACTION in given:
        spec = given[ACTION]
        return (_resolved(recording, spec), ()) if spec.topic else (None, ())
    found = [t for t in sorted(available) if _is_command(t, available[t])]
    readable = []
    for topic in found:
        with suppress(M2R2Error):  # commands without numbers
            readable.append(_resolved(recording, _command_spec(recording, available, topic)))
    if len(readable) == 1:
        return readable[0], ()
    return None, tuple(spec.topic for spec in readable)


def _is_command(topic: str, kind: str) -> bool:
    words = set(re.split('[^a-z0-9]+', topic.lower()))
    return kind in _COMMAND_TYPES and bool(words & _COMMANDS)


def _command_spec(recording: Recording, available: Mapping[str, str], topic: str) -> TopicSpec:
    if topic not in available:
        msg = (
            f'{recording.path}: --action {topic}: no such topic, or it has no messages; expected '
            f'{NEXT_STATE}, or one of {listed(_numbers(available), 20) or "none"}'
        )
        raise ConfigError(msg)
    return TopicSpec(ACTION, topic, available[topic], like=_COMMAND_TYPES.get(available[topic], ''))


def _numbers(available: Mapping[str, str]) -> list[str]:
    return sorted(t for t, kind in available.items() if kind in _COMMAND_TYPES)


def _resolved(recording: Recording, spec: TopicSpec) -> TopicSpec:
    """Fill in what the first messages say.

    Raises:
        M2R2Error: It cannot be read.
    """
    topic = recording.topics[spec.topic]
    found = resolve(spec, topic.type_name, topic.definition, _first_blocks(recording, spec.topic))
    return replace(found, type=topic.type_name)


def _first_blocks(recording: Recording, topic: str) -> Iterator[MessageBlock]:
    """Yield the messages of a topic from the beginning, a longer time at once each time.

    All at once would take the memory of a whole file for a topic that has few.
    """
    since, step = recording.start, _FIRST_SECONDS * SECOND
    while since <= recording.end:
        for blocks in recording.blocks([topic], Span(since, since + step)):
            yield from blocks
        since, step = since + step, 2 * step
