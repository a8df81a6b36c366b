# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a model takes in: a preset, what the user declares, and what the recordings have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import BUILTIN, VECTOR
from m2r2_ros.model.config import ModelConfig, with_modalities
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.kinematics import read_description
from m2r2_ros.readers.resolve import resolve
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.readers.topics import TopicSpec, is_topic

#: Built-in modalities that no preset has, taken where the recordings have nothing better.
_INSTEAD: Final = ('joints', 'imu')


@dataclass(frozen=True, slots=True)
class SettledInputs:
    """What a model takes in, all sizes known.

    Attributes:
        model: Shapes of the network.
        topics: Topics that are not to be guessed, fields and joints filled in.
    """

    model: ModelConfig
    topics: dict[str, TopicSpec]


def settle_inputs(model: ModelConfig, given: TopicMap, paths: Sequence[Path]) -> SettledInputs:
    """Add to a preset what a topic map declares, and look up in recordings what it leaves open.

    Args:
        model: Of the preset.
        given: What the user declares.
        paths: Recordings to train on.

    Raises:
        ConfigError: A declared topic is in no recording, or the declarations do not fit each other.
        M2R2Error: A recording cannot be opened.
    """
    off = {name for name, spec in given.topics.items() if not spec.topic}
    wanted = {n: given.modalities.get(n, m) for n, m in model.modalities.items() if n not in off}
    wanted |= {n: m for n, m in given.modalities.items() if n not in wanted}
    recordings = [open_recording(path) for path in paths]
    topics = dict(given.topics)
    for name in _INSTEAD:
        spec = None if name in {*wanted, *off} else _guessed(name, recordings, topics)
        if spec is not None:
            wanted[name], topics[name] = BUILTIN[name], spec
    for name, modality in wanted.items():
        is_open = not modality.dims or not modality.like
        if modality.kind == VECTOR and is_open and name in topics:
            topics[name] = _resolved(topics[name], recordings)
            wanted[name] = replace(modality, dims=topics[name].dims)
    # A model goes to other machines, where the file of a robot's description may not be.
    for name, spec in topics.items():
        if spec.urdf and not is_topic(spec.urdf):
            topics[name] = replace(spec, urdf=read_description(spec.urdf)[0])
    return SettledInputs(with_modalities(model, wanted), topics)


def _guessed(
    name: str, recordings: Sequence[Recording], given: Mapping[str, TopicSpec]
) -> TopicSpec | None:
    """Return the topic that would serve in the first recording that has one."""
    for recording in recordings:
        available = recording.types({spec.topic for spec in given.values()})
        if name in (found := guess_topics(available, given)):
            return found[name]
    return None


def _resolved(spec: TopicSpec, recordings: Sequence[Recording]) -> TopicSpec:
    """Return a spec with the fields, joints and dimensions that the first messages have.

    Raises:
        ConfigError: No recording has the topic.
    """
    having = [recording for recording in recordings if spec.topic in recording.topics]
    if not having:
        msg = (
            f'{spec.modality}: none of the recordings has the topic {spec.topic}; correct it, or '
            'set it to null to train without'
        )
        raise ConfigError(msg)
    speaking = (recording for recording in having if recording.topics[spec.topic].count)
    recording = next(speaking, having[0])
    topic = recording.topics[spec.topic]
    blocks = (block for blocks in recording.blocks([spec.topic]) for block in blocks)
    return resolve(spec, topic.type_name, topic.definition, blocks)
